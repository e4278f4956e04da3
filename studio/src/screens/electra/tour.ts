/** What the tour of this screen has the reader do. */
import type { TourStep } from '../../app/tour.js';
import { words } from '../../app/words.js';

const text = (en: string, ko: string) => words({ en: { text: en }, ko: { text: ko } });

export const TOUR: readonly TourStep[] = [
  {
    target: 'rows',
    text: text(
      'Click a word in the first row: the generator no longer sees it.',
      '첫 줄의 낱말을 눌러 보세요. 생성자는 그 낱말을 볼 수 없게 됩니다.',
    ),
    done: ({ did }) => did.has('masked'),
  },
  {
    target: 'draw',
    text: text(
      'Draw again until a gap gets its own word back. Such a draw counts as original.',
      '빈칸에 원래 말이 돌아올 때까지 다시 뽑아 보세요. 그런 경우는 원본으로 칩니다.',
    ),
    done: ({ did }) => did.has('drew-original'),
  },
  {
    target: 'temperature',
    text: text(
      'Raise the temperature: the bars become flat and the draws wild.',
      '온도를 올려 보세요. 막대가 평평해지고 엉뚱한 말이 뽑힙니다.',
    ),
    done: ({ state }) => Number(state.t ?? 1) >= 1.5,
  },
  {
    target: 'rows',
    text: text(
      'Click a word in the third row and write one that the discriminator should doubt.',
      '셋째 줄의 낱말을 누르고, 판별자가 의심할 만한 말을 써 보세요.',
    ),
    done: ({ state }) => state.typed !== undefined,
  },
  {
    target: 'time',
    text: text(
      'Move the slider back to where the models had read almost nothing.',
      '모델이 거의 읽지 않았을 때로 되돌려 보세요.',
    ),
    done: ({ did }) => did.has('moved-time'),
  },
];
