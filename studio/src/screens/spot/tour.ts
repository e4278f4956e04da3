/** What the tour of this screen has the reader do. */
import type { TourStep } from '../../app/tour.js';
import { words } from '../../app/words.js';

const text = (en: string, ko: string) => words({ en: { text: en }, ko: { text: ko } });

export const TOUR: readonly TourStep[] = [
  {
    target: 'sentence',
    text: text(
      'Some of these words were written by a machine. Mark one that you doubt; another click takes it back.',
      '이 가운데 몇 낱말은 기계가 썼습니다. 의심스러운 것을 골라 보세요. 다시 누르면 취소됩니다.',
    ),
    done: ({ did }) => did.has('marked'),
  },
  {
    target: 'show',
    text: text(
      'Mark as many as were replaced, then see what the model doubts.',
      '바뀐 만큼 고른 다음, 모델이 무엇을 의심하는지 보세요.',
    ),
    done: ({ did }) => did.has('shown'),
  },
  {
    target: 'sentence',
    text: text(
      'Green is what stood there; the number is the doubt of the model, from 0 to 1. Go on to the next sentence.',
      '초록 글자가 원래 있던 말이고, 숫자는 모델의 의심입니다. 0에서 1 사이입니다. 다음 문장으로 가 보세요.',
    ),
    done: ({ state }) => state.played !== undefined,
  },
];
