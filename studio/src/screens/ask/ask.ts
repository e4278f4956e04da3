/** Screen "Ask": its line in the table of screens. */
import { words } from '../../app/words.js';
import { lazily } from '../../components/lazily.js';
import type { Screen } from '../screen.js';
import { TOUR } from './tour.js';

export const ASK: Screen = {
  id: 'ask',
  title: words({ en: { title: 'Ask' }, ko: { title: '질문하기' } }),
  Component: lazily(() => import('./screen.js').then(({ Screen }) => Screen)),
  tour: TOUR,
};
