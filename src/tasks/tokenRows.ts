/** Encoded texts as batches of token rows: what the tasks share. */
import type { Tensors } from '../engine/engine.js';
import { int32Tensor } from '../engine/tensors.js';
import { BATCH, LENGTH } from '../nn/layers.js';
import type { TokenBatch } from '../training/objective.js';

/** A text, or a pair of texts, as an encoder takes it. */
export interface TokenRow {
  readonly ids: Int32Array;
  readonly typeIds: Int32Array;
}

/** Rows filled up to one length. */
export interface PaddedRows extends TokenBatch {
  /** [B·S] each. */
  readonly inputIds: Int32Array;
  readonly tokenTypeIds: Int32Array;
}

/**
 * Rows are padded to a multiple of 8 tokens, beyond 128 of 16: up to 384 tokens an engine then meets 32 shapes, each of which
 * it plans once.
 */
export function coarselyPadded(longest: number): number {
  return roundedUp(longest, longest <= 128 ? 8 : 16);
}

/**
 * The same for rows of similar length, where rounding is most of the padding: short rows are padded to a multiple of 2, beyond
 * 32 tokens of 4, beyond 64 of 8. Up to 384 tokens that makes 48 shapes, and of SST-2 8 % padding instead of 23 %.
 */
export function finelyPadded(longest: number): number {
  return roundedUp(longest, longest <= 32 ? 2 : longest <= 64 ? 4 : longest <= 128 ? 8 : 16);
}

const roundedUp = (value: number, step: number) => Math.ceil(value / step) * step;

/** Tokens of a row. */
export const tokensOf = ({ ids }: TokenRow) => ids.length;

/**
 * Some rows as a batch.
 * @param length  tokens of a row with its padding. Default: as many as the longest needs
 */
export function padRows(
  rows: readonly TokenRow[],
  padId: number,
  length = coarselyPadded(rows.reduce((most, row) => Math.max(most, tokensOf(row)), 1)),
): PaddedRows {
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

/** The named sizes of a batch. */
export function tokenSizes({ batchSize, length }: TokenBatch): Map<string, number> {
  return new Map([
    [BATCH, batchSize],
    [LENGTH, length],
  ]);
}

/** What an encoder's graph reads of a batch: the inputs of `encoderInputs`. */
export function encoderFeeds({ batchSize, length, inputIds, tokenTypeIds, attentionMask }: PaddedRows): Tensors {
  return {
    inputIds: int32Tensor(inputIds, [batchSize, length]),
    tokenTypeIds: int32Tensor(tokenTypeIds, [batchSize, length]),
    attentionMask: int32Tensor(attentionMask, [batchSize, length]),
    positionIds: int32Tensor(Int32Array.from({ length }, (_, position) => position)),
  };
}
