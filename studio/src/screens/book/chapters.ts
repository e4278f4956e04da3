/** The book: its chapters in the order in which a study note tells the two papers. */
import type { Chapter } from './chapter.js';
import { ELECTRA_CHAPTERS } from './electraChapters.js';
import { SPANBERT_CHAPTERS } from './spanbertChapters.js';

export const PARTS = [
  { id: 'electra', chapters: ELECTRA_CHAPTERS },
  { id: 'spanbert', chapters: SPANBERT_CHAPTERS },
] as const;

export const CHAPTERS: readonly Chapter[] = PARTS.flatMap(({ chapters }) => chapters);
