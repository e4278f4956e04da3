/** Screen "Proofread": its line in the table of screens. */
import { words } from '../../app/words.js';
import { lazily } from '../../components/lazily.js';
import type { Screen } from '../screen.js';
import { TOUR } from './tour.js';

export const PROOFREAD: Screen = {
  id: 'proofread',
  title: words({ en: { title: 'Proofread' }, ko: { title: '교정하기' } }),
  Component: lazily(() => import('./screen.js').then(({ Screen }) => Screen)),
  tour: TOUR,
};
