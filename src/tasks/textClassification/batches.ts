/** Rows of token ids with their class, in epochs of shuffled rows. */

import { Permutation, RandomStream } from '../../random/philox.js';
import type { Encoding } from '../../text/encoding.js';
import type { WordPieceTokenizer } from '../../text/tokenizer.js';
import type { TokenBatch } from '../../training/objective.js';
import type { TrainingData } from '../../training/stepFeeds.js';
import { firstRowOf, type StepShare } from '../../training/stepShare.js';
import type { LabelledText } from '../example.js';

/** An encoded row. */
export interface ClassifiedRow {
  readonly ids: Int32Array;
  readonly typeIds: Int32Array;
  /** Index of its label. */
  readonly label: number;
}

export interface ClassificationBatch extends TokenBatch {
  /** [B·S] each. */
  readonly inputIds: Int32Array;
  readonly tokenTypeIds: Int32Array;
  /** Class of each row, [B]. */
  readonly labels: Int32Array;
}

/** Rows are padded to a multiple of this many tokens, so that an engine meets few shapes. */
const LENGTH_STEP = 8;

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

/** Some rows as a batch, padded to the longest. */
export function batchOfRows(rows: readonly ClassifiedRow[], padId: number): ClassificationBatch {
  const longest = rows.reduce((most, { ids }) => Math.max(most, ids.length), 1);
  const length = Math.ceil(longest / LENGTH_STEP) * LENGTH_STEP;
  const inputIds = new Int32Array(rows.length * length).fill(padId);
  const tokenTypeIds = new Int32Array(inputIds.length);
  const attentionMask = new Int32Array(inputIds.length);
  for (const [row, { ids, typeIds }] of rows.entries()) {
    inputIds.set(ids, row * length);
    tokenTypeIds.set(typeIds, row * length);
    attentionMask.fill(1, row * length, row * length + ids.length);
  }
  const labels = Int32Array.from(rows, ({ label }) => label);
  return { batchSize: rows.length, length, inputIds, tokenTypeIds, attentionMask, labels };
}

/**
 * Epoch after epoch, each in an order of its own; a step takes the rows that follow those of the step before.
 * @param share  the rows of this rank
 */
export function epochBatches(
  rows: readonly ClassifiedRow[],
  { seed, padId, share }: { seed: number; padId: number; share: StepShare },
): TrainingData<ClassificationBatch> {
  const rowsOfStep = share.rows * share.microBatches * share.size;
  const orderOf = (epoch: number) => new Permutation(rows.length, new RandomStream(seed, 'shuffle', epoch));
  let current = { epoch: 0, order: orderOf(0) };
  const rowAt = (position: number) => {
    const epoch = Math.floor(position / rows.length);
    if (epoch !== current.epoch) current = { epoch, order: orderOf(epoch) };
    return rows[current.order.at(position % rows.length)];
  };
  return {
    batch(step, microBatch) {
      const first = step * rowsOfStep + firstRowOf(share, microBatch);
      return batchOfRows(
        Array.from({ length: share.rows }, (_, row) => rowAt(first + row)),
        padId,
      );
    },
  };
}
