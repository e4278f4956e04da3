/** Screen "SpanBERT": its line in the table of screens. */
import { words } from '../../app/words.js';
import { lazily } from '../../components/lazily.js';
import type { Screen } from '../screen.js';
import { TOUR } from './tour.js';

export const SPANBERT: Screen = {
  id: 'spanbert',
  title: words({ en: { title: 'SpanBERT' }, ko: { title: 'SpanBERT' } }),
  Component: lazily(() => import('./screen.js').then(({ Screen }) => Screen)),
  tour: TOUR,
};
