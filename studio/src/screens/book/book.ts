/** Screen "The book": its line in the table of screens. */
import { words } from '../../app/words.js';
import { lazily } from '../../components/lazily.js';
import type { Screen } from '../screen.js';
import { TOUR } from './tour.js';

export const BOOK: Screen = {
  id: 'book',
  title: words({ en: { title: 'The book' }, ko: { title: '책' } }),
  Component: lazily(() => import('./screen.js').then(({ Screen }) => Screen)),
  tour: TOUR,
};
