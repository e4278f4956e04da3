/** The examples that a report shows: those that are the most wrong. */
import type { ExamplesSection, ReportExample } from './report.js';

const SHOWN = 20;

/** An example that is wrong, and how much. */
export interface Mistake {
  /** More is worse; of equals the first in the data comes first. */
  readonly badness: number;
  /** Called for those that are shown. */
  example(): ReportExample;
}

export function worstExamples(mistakes: readonly Mistake[]): ExamplesSection {
  const worst = [...mistakes].sort((a, b) => b.badness - a.badness).slice(0, SHOWN);
  return { kind: 'examples', numWrong: mistakes.length, examples: worst.map((mistake) => mistake.example()) };
}
