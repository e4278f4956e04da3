/** What the tour of this screen has the reader do. */
import type { TourStep } from '../../app/tour.js';

export const TOUR: readonly TourStep[] = [
  {
    target: 'play',
    text: {
      en: { text: 'Press Play. Nothing has to be chosen: a text is there.' },
      ko: { text: '시작을 누르세요. 고를 것은 없습니다. 글은 준비되어 있습니다.' },
    },
    done: ({ did }) => did.has('played'),
  },
  {
    target: 'sentences',
    text: {
      en: { text: 'Wait for two rounds of guesses: first any word, then frequent ones, then words that fit.' },
      ko: {
        text: '추측이 두 번 나올 때까지 기다려 보세요. 처음엔 아무 낱말, 다음엔 흔한 낱말, 그다음엔 어울리는 낱말입니다.',
      },
    },
    done: ({ did }) => did.has('predicted'),
  },
  {
    target: 'play',
    text: {
      en: { text: 'Pause it. It goes on from here whenever you like, with the same bits.' },
      ko: { text: '멈춰 보세요. 언제든 바로 이 자리에서 같은 비트로 이어집니다.' },
    },
    done: ({ did }) => did.has('paused'),
  },
];
