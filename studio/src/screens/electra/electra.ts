/** Screen "ELECTRA": its line in the table of screens. */
import { words } from '../../app/words.js';
import { lazily } from '../../components/lazily.js';
import type { Screen } from '../screen.js';
import { TOUR } from './tour.js';

export const ELECTRA: Screen = {
  id: 'electra',
  title: words({ en: { title: 'ELECTRA' }, ko: { title: 'ELECTRA' } }),
  Component: lazily(() => import('./screen.js').then(({ Screen }) => Screen)),
  tour: TOUR,
};
