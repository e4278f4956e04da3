/** Rows of token ids with their class. */

import type { Encoding } from '../../text/encoding.js';
import type { WordPieceTokenizer } from '../../text/tokenizer.js';
import type { LabelledText } from '../example.js';
import { type PaddedRows, padRows, type TokenRow } from '../tokenRows.js';

/** An encoded row. */
export interface ClassifiedRow extends TokenRow {
  /** Index of its label. */
  readonly label: number;
}

export interface ClassificationBatch extends PaddedRows {
  /** Class of each row, [B]. */
  readonly labels: Int32Array;
}

/**
 * Encodes labelled texts; of those that are too long the end is cut off, of a pair the end of the longer one.
 * @returns the rows, and how many were cut
 */
export function encodeRows(
  texts: readonly LabelledText[],
  labels: readonly string[],
  { tokenizer, length }: { tokenizer: WordPieceTokenizer; length: number },
): { rows: ClassifiedRow[]; truncated: number } {
  const index = new Map(labels.map((label, i) => [label, i]));
  let truncated = 0;
  const rows = texts.map(({ text, pair, label }): ClassifiedRow => {
    const encoding: Encoding = tokenizer.encode(text, { pair, maxLength: length });
    if (encoding.overflow.length > 0) truncated++;
    return { ids: encoding.ids, typeIds: encoding.typeIds, label: index.get(label)! };
  });
  return { rows, truncated };
}

/** Some rows as a batch, padded to the longest, or to `least` tokens. */
export function batchOfRows(rows: readonly ClassifiedRow[], padId: number, least?: number): ClassificationBatch {
  return { ...padRows(rows, padId, least), labels: Int32Array.from(rows, ({ label }) => label) };
}
