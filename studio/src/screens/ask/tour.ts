/** What the tour of this screen has the reader do. */
import type { TourStep } from '../../app/tour.js';
import { words } from '../../app/words.js';

export const TOUR: readonly TourStep[] = [
  {
    target: 'question',
    text: words({
      en: { text: 'Ask something, or choose one of the questions below the field.' },
      ko: { text: '무엇이든 물어보거나, 아래 질문 가운데 하나를 골라 보세요.' },
    }),
    done: ({ did }) => did.has('asked'),
  },
  {
    target: 'threshold',
    text: words({
      en: { text: 'Pull the slider past its mark: the answer turns off, and the text “does not say”.' },
      ko: { text: '슬라이더를 눈금 너머로 끌어 보세요. 답이 꺼지고 “글에 답이 없습니다”가 됩니다.' },
    }),
    done: ({ did }) => did.has('turned-off'),
  },
  {
    target: 'window',
    text: words({
      en: { text: 'Make the window smaller. The text is then read in more, overlapping windows.' },
      ko: { text: '창을 더 작게 해 보세요. 글을 더 많은, 겹치는 창으로 읽습니다.' },
    }),
    done: ({ state }) => state.window !== undefined,
  },
];
