/** Screen "Spot the fake": its line in the table of screens. */
import { words } from '../../app/words.js';
import { lazily } from '../../components/lazily.js';
import type { Screen } from '../screen.js';
import { TOUR } from './tour.js';

export const SPOT: Screen = {
  id: 'spot',
  title: words({ en: { title: 'Spot the fake' }, ko: { title: '가짜 찾기' } }),
  Component: lazily(() => import('./screen.js').then(({ Screen }) => Screen)),
  tour: TOUR,
};
