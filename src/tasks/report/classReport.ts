/** The report of a task that says one class for each row: labels of texts, relations, choices. */
import { firstLargest } from '../firstLargest.js';
import { classScores, confusionOf } from './confusion.js';
import { largestProbability, reliabilityOf } from './reliability.js';
import type { ClassKind, ReportExample, ReportSection } from './report.js';
import { worstExamples } from './worstExamples.js';

export interface ClassifiedRows {
  readonly of: ClassKind;
  readonly labels: readonly string[];
  /** Index of the right label, row by row. */
  readonly wanted: readonly number[];
  /** Logits of each row. */
  readonly logits: readonly ArrayLike<number>[];
  /** A row as it is shown; by default `wanted` and `got` are the names of the labels. */
  exampleOf(row: number, got: number): Omit<ReportExample, 'wanted' | 'got'> & Partial<ReportExample>;
}

export function classSections({ of, labels, wanted, logits, exampleOf }: ClassifiedRows): ReportSection[] {
  const got = logits.map(firstLargest);
  const confidences = logits.map(largestProbability);
  const confusion = confusionOf(
    of,
    labels,
    wanted.map((label, row) => ({ wanted: label, got: got[row] })),
  );
  const mistakes = wanted.flatMap((label, row) => {
    if (label === got[row]) return [];
    const names = { wanted: labels[label], got: labels[got[row]], probability: confidences[row] };
    return [{ badness: confidences[row], example: () => ({ ...names, ...exampleOf(row, got[row]) }) }];
  });
  return [
    classScores(confusion),
    confusion,
    reliabilityOf(
      'text',
      wanted.map((label, row) => ({ confidence: confidences[row], isRight: label === got[row] })),
    ),
    worstExamples(mistakes),
  ];
}

/** Row after row of [rows, width] apart. */
export function rowsOf(logits: Float64Array, width: number): Float64Array[] {
  return Array.from({ length: logits.length / width }, (_, row) => logits.subarray(row * width, (row + 1) * width));
}
