/** Screen "Train": its line in the table of screens. */
import { words } from '../../app/words.js';
import { lazily } from '../../components/lazily.js';
import type { Screen } from '../screen.js';
import { TOUR } from './tour.js';

export const TRAIN: Screen = {
  id: 'train',
  title: words({ en: { title: 'Train' }, ko: { title: '학습하기' } }),
  Component: lazily(() => import('./screen.js').then(({ Screen }) => Screen)),
  tour: TOUR,
};
