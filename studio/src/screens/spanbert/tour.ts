/** What the tour of this screen has the reader do. */
import type { TourStep } from '../../app/tour.js';
import { words } from '../../app/words.js';

export const TOUR: readonly TourStep[] = [
  {
    target: 'sentence',
    text: words({
      en: { text: 'Drag over two or three words in the middle. They are hidden, and their neighbours glow.' },
      ko: { text: '가운데 단어 두세 개 위로 끌어 보세요. 가려지고, 옆의 두 단어가 빛납니다.' },
    }),
    done: ({ did }) => did.has('span'),
  },
  {
    target: 'places',
    text: words({
      en: { text: 'The edges are asked place by place. Choose a wrong place: the answer turns into another word.' },
      ko: { text: '양 끝에게는 자리마다 묻습니다. 틀린 자리를 골라 보세요. 답이 다른 단어로 바뀝니다.' },
    }),
    done: ({ did }) => did.has('wrong-place'),
  },
  {
    target: 'throw',
    text: words({
      en: { text: 'Training throws spans itself. Throw some, until the bars come near the line.' },
      ko: { text: '학습할 때는 구간을 스스로 던집니다. 막대가 선에 가까워질 때까지 던져 보세요.' },
    }),
    done: ({ state }) => Number(state.throws ?? 0) >= 20,
  },
];
