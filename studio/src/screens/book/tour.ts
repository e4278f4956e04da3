/** What the tour of this screen has the reader do. */
import type { TourStep } from '../../app/tour.js';
import { words } from '../../app/words.js';

/** What a reader does with the figures reports itself by one of these. */
const TOUCHED = ['hid', 'temperature', 'drew', 'lambda', 'width', 'threw', 'span', 'place', 'moved', 'asked'];

/** The chapter that the book opens on; its figures are loaded with the screen alone. */
const FIRST = 'generator';

export const TOUR: readonly TourStep[] = [
  {
    target: 'figure',
    text: words({
      en: { text: 'Every figure is alive. Move or click something in this one.' },
      ko: { text: '모든 그림은 살아 있습니다. 무엇이든 움직이거나 눌러 보세요.' },
    }),
    done: ({ did }) => TOUCHED.some((what) => did.has(what)),
  },
  {
    target: 'next',
    text: words({
      en: { text: 'Turn the page.' },
      ko: { text: '다음 장으로 넘겨 보세요.' },
    }),
    done: ({ state }) => state.chapter !== undefined && state.chapter !== FIRST,
  },
];
