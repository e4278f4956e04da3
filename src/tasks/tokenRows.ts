/** Rows of tokens as batches: what every task's batches have in common. */
import type { TokenBatch } from '../training/objective.js';

/** An encoded text or pair. */
export interface TokenRow {
  readonly ids: Int32Array;
  readonly typeIds: Int32Array;
}

export interface PaddedBatch extends TokenBatch {
  /** [B·S] each. */
  readonly inputIds: Int32Array;
  readonly tokenTypeIds: Int32Array;
}

/**
 * Rows are padded to a multiple of 8 tokens, beyond 128 of 16: up to 384 tokens an engine then meets 32 shapes, each of which
 * it plans once.
 */
function paddedLength(longest: number): number {
  const step = longest <= 128 ? 8 : 16;
  return Math.ceil(longest / step) * step;
}

/** Rows padded to the longest. */
export function paddedBatch(rows: readonly TokenRow[], padId: number): PaddedBatch {
  const length = paddedLength(rows.reduce((most, { ids }) => Math.max(most, ids.length), 1));
  const inputIds = new Int32Array(rows.length * length).fill(padId);
  const tokenTypeIds = new Int32Array(inputIds.length);
  const attentionMask = new Int32Array(inputIds.length);
  for (const [row, { ids, typeIds }] of rows.entries()) {
    inputIds.set(ids, row * length);
    tokenTypeIds.set(typeIds, row * length);
    attentionMask.fill(1, row * length, row * length + ids.length);
  }
  return { batchSize: rows.length, length, inputIds, tokenTypeIds, attentionMask };
}
