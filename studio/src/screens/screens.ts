/** The one table of screens, in the order of the navigation; the first is the landing page. */
import { ASK } from './ask/ask.js';
import { BOOK } from './book/book.js';
import { ELECTRA } from './electra/electra.js';
import { MODELS } from './models/models.js';
import { PROOFREAD } from './proofread/proofread.js';
import type { Screen } from './screen.js';
import { SPANBERT } from './spanbert/spanbert.js';
import { SPOT } from './spot/spot.js';
import { TRAIN } from './train/train.js';

export const SCREENS: readonly Screen[] = [SPOT, ELECTRA, SPANBERT, ASK, PROOFREAD, TRAIN, MODELS, BOOK];
