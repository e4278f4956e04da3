/** What the tour of this screen has the reader do. */
import type { TourStep } from '../../app/tour.js';
import { words } from '../../app/words.js';

export const TOUR: readonly TourStep[] = [
  {
    target: 'text',
    text: words({
      en: { text: 'Click an underlined word. The generator says what it would have written there.' },
      ko: { text: '밑줄 친 단어를 눌러 보세요. 생성자라면 무엇을 썼을지 보여 줍니다.' },
    }),
    done: ({ did }) => did.has('opened'),
  },
  {
    target: 'text',
    text: words({
      en: { text: 'Choose one of its words: it is written into the text, and all is read anew.' },
      ko: { text: '제안 가운데 하나를 골라 보세요. 글에 써넣고 전체를 다시 읽습니다.' },
    }),
    done: ({ did }) => did.has('wrote'),
  },
  {
    target: 'threshold',
    text: words({
      en: { text: 'Move the threshold: lower finds more, and doubts more that is right.' },
      ko: { text: '문턱값을 움직여 보세요. 낮추면 더 많이 찾지만, 맞는 단어도 더 의심합니다.' },
    }),
    done: ({ state }) => state.threshold !== undefined || state.alarms !== undefined,
  },
];
