/** Rows of token ids as batches that an encoder's graph takes: sorted by length, filled up, with what is asked about them. */
import { boundariesOf } from '../data/masking/spanTargets.js';
import type { Tensors } from '../engine/engine.js';
import { int32Tensor } from '../engine/tensors.js';
import type { SpanBoundaryConfig } from '../models/spanbert.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';

/** A text, or a pair of texts, as a model takes it, and what is asked about it. */
export interface ModelRow {
  /** Token ids, [CLS] and [SEP] included. */
  readonly ids: ArrayLike<number>;
  /** 0 for the first text of a pair, 1 for the second. Default 0. */
  readonly typeIds?: ArrayLike<number>;
  /** 1 for a token, 0 for padding. Default 1. */
  readonly mask?: ArrayLike<number>;
  /** Positions to predict, where not every one is asked about. */
  readonly positions?: readonly number[];
  /** Spans to predict from the tokens beside them. */
  readonly spans?: readonly RowSpan[];
}

/** Tokens `start` to `end` (exclusive) of a row. */
export interface RowSpan {
  readonly start: number;
  readonly end: number;
  /** Which tokens of the span to predict, as places in it from 0. Default all; one beyond its end asks what a longer span would have there. */
  readonly offsets?: readonly number[];
}

/** The places in a span that are predicted. */
export function offsetsOf({ start, end, offsets }: RowSpan): readonly number[] {
  return offsets ?? Array.from({ length: end - start }, (_, offset) => offset);
}

/** Rows that run together. */
export interface RowBatch {
  /** Which rows, by their index in what was given. */
  readonly rows: readonly number[];
  /** Positions of a filled-up row (S). */
  readonly length: number;
  /** Rows of the feeds (B), of which those beyond `rows` are padding. Default none are. */
  readonly size?: number;
  /** Tokens of a packing (T), of which those beyond the rows' own are read by nobody. Default none are. */
  readonly numTokens?: number;
}

/** Multiples to which sizes are rounded up: attention alone computes what rows and positions gain by it, products the tokens. */
const [ROWS_STEP, LENGTH_STEP, TOKENS_STEP] = [4, 8, 32];

/** The batch in one of few sizes, for an engine that plans anew for each. A row alone keeps its own. */
export function roundedBatch(rows: readonly ModelRow[], batch: RowBatch, maxLength: number): RowBatch {
  const { rows: chosen, length } = batch;
  if (chosen.length === 1) return batch;
  const roundedUp = (value: number, step: number) => Math.ceil(value / step) * step;
  return {
    rows: chosen,
    length: Math.min(roundedUp(length, LENGTH_STEP), maxLength),
    size: roundedUp(chosen.length, ROWS_STEP),
    numTokens: roundedUp(tokensOf(rows, batch), TOKENS_STEP),
  };
}

function tokensOf(rows: readonly ModelRow[], { rows: chosen }: RowBatch): number {
  return chosen.reduce((sum, row) => sum + rows[row].ids.length, 0);
}

/** Rows of similar length together, so that little is filled up: at most so many rows and tokens a batch. */
export function batchesByLength(
  rows: readonly ModelRow[],
  { batchSize, tokenBudget }: { readonly batchSize: number; readonly tokenBudget: number },
): RowBatch[] {
  const sorted = [...rows.keys()].sort((a, b) => rows[a].ids.length - rows[b].ids.length);
  const batches: { rows: number[]; length: number }[] = [];
  for (const row of sorted) {
    const { length } = rows[row].ids;
    const last = batches.at(-1);
    const fits = last && last.rows.length < batchSize && (last.rows.length + 1) * length <= tokenBudget;
    if (!fits) {
      batches.push({ rows: [row], length });
      continue;
    }
    last.rows.push(row);
    last.length = length;
  }
  return batches;
}

/** The inputs of an encoder's graph: every row filled up with padding to the length of the batch. */
export function feedsOf(rows: readonly ModelRow[], batch: RowBatch, padId: number): Tensors {
  const { length, size = batch.rows.length } = batch;
  const shape = [size, length];
  const inputIds = new Int32Array(size * length).fill(padId);
  const attentionMask = new Int32Array(inputIds.length);
  const tokenTypeIds = new Int32Array(inputIds.length);
  for (const [i, row] of batch.rows.entries()) {
    const { ids, typeIds, mask } = rows[row];
    inputIds.set(ids, i * length);
    if (mask) attentionMask.set(mask, i * length);
    else attentionMask.fill(1, i * length, i * length + ids.length);
    if (typeIds) tokenTypeIds.set(typeIds, i * length);
  }
  return {
    inputIds: int32Tensor(inputIds, shape),
    attentionMask: int32Tensor(attentionMask, shape),
    tokenTypeIds: int32Tensor(tokenTypeIds, shape),
    positionIds: int32Tensor(Int32Array.from({ length }, (_, position) => position)),
  };
}

/** The inputs `places` and `tokens` of a batch whose padding is not computed: see `Packing` of nn/layers.ts. */
export function packingFeeds(rows: readonly ModelRow[], batch: RowBatch): Tensors {
  const { length, size = batch.rows.length, numTokens = tokensOf(rows, batch) } = batch;
  const places = new Int32Array(numTokens);
  const tokens = new Int32Array(size * length);
  let token = 0;
  for (const [i, row] of batch.rows.entries()) {
    for (let position = 0; position < rows[row].ids.length; position++) {
      tokens[i * length + position] = token;
      places[token++] = i * length + position;
    }
  }
  return { places: int32Tensor(places), tokens: int32Tensor(tokens, [size, length]) };
}

/** The input `positions` of a batch. A tensor of no rows is nothing that every engine takes: one is asked and left unread. */
export function positionFeeds(rows: readonly ModelRow[], batch: RowBatch): Tensors {
  const flat = batch.rows.flatMap((row, i) => (rows[row].positions ?? []).map((at) => i * batch.length + at));
  return { positions: int32Tensor(Int32Array.from(flat.length > 0 ? flat : [0])) };
}

/**
 * The inputs of a span boundary head for the spans of a batch, token by token; with none, one is asked and left unread.
 * Every span has boundaries: `spanBoundaries` says so beforehand.
 */
export function spanFeeds(
  rows: readonly ModelRow[],
  batch: RowBatch,
  settings: SpanBoundaryConfig,
  tokenizer: WordPieceTokenizer,
): Tensors {
  const targets = batch.rows.flatMap((row, i) =>
    (rows[row].spans ?? []).flatMap((span) => {
      const { left, right } = boundariesOf(span.start, span.end - 1, rows[row].ids, tokenizer, settings)!;
      const at = i * batch.length;
      return offsetsOf(span).map((offset) => [at + left, at + right, offset]);
    }),
  );
  if (targets.length === 0) targets.push([0, 0, 0]);
  const column = (index: number) => int32Tensor(Int32Array.from(targets, (target) => target[index]));
  return { leftBoundaries: column(0), rightBoundaries: column(1), spanOffsets: column(2) };
}
