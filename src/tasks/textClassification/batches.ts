/** Rows of token ids with their targets. */
import type { Encoding } from '../../text/encoding.js';
import type { WordPieceTokenizer } from '../../text/tokenizer.js';
import type { LabelledText } from '../example.js';
import { type PaddedRows, padRows, type TokenRow } from '../tokenRows.js';
import type { Problem } from './problem.js';
import { singleLabel } from './singleLabel.js';

/** An encoded row. */
export interface ClassifiedRow extends TokenRow {
  /** What the loss reads: the index of its label; of several, 0 or 1 for each; or a number. */
  readonly targets: readonly number[];
  /** What it counts in the loss; 1 unless classes are weighed. */
  readonly weight: number;
}

export interface ClassificationBatch extends PaddedRows {
  /** Of each row, one after another: [B], of several labels [B·labels]. */
  readonly targets: Float32Array;
  /** Of each row, [B]. */
  readonly weights: Float32Array;
}

export interface EncodeRowsOptions {
  readonly tokenizer: WordPieceTokenizer;
  readonly length: number;
  /** Default: one label each. */
  readonly problem?: Problem;
}

/**
 * Encodes labelled texts; of those that are too long the end is cut off, of a pair the end of the longer one.
 * @returns the rows, and how many were cut
 */
export function encodeRows(
  texts: readonly LabelledText[],
  labels: readonly string[],
  { tokenizer, length, problem = singleLabel }: EncodeRowsOptions,
): { rows: ClassifiedRow[]; truncated: number } {
  let truncated = 0;
  const rows = texts.map((example): ClassifiedRow => {
    const { text, pair } = example;
    const encoding: Encoding = tokenizer.encode(text, { pair, maxLength: length });
    if (encoding.overflow.length > 0) truncated++;
    const targets = problem.targetOf(example, labels);
    return { ids: encoding.ids, typeIds: encoding.typeIds, targets, weight: 1 };
  });
  return { rows, truncated };
}

/** Some rows as a batch. @param length  tokens of a row with its padding. Default: as many as the longest needs */
export function batchOfRows(rows: readonly ClassifiedRow[], padId: number, length?: number): ClassificationBatch {
  const targets = Float32Array.from(rows.flatMap((row) => row.targets));
  const weights = Float32Array.from(rows, ({ weight }) => weight);
  return { ...padRows(rows, padId, length), targets, weights };
}
