/**
 * Epochs of shuffled rows as batches: a pure function of (rows, seed, step), so that a resumed run and several ranks see what
 * one uninterrupted run would.
 */
import { Permutation, RandomStream } from '../random/philox.js';
import type { TokenBatch } from '../training/objective.js';
import type { StepDivision, TrainingData } from '../training/stepFeeds.js';
import { firstRowOf, greatestCommonDivisor, type Place, stepShare } from '../training/stepShare.js';
import { batchesOfEpoch, batchSizes } from './tokenBatches.js';
import { coarselyPadded, finelyPadded } from './tokenRows.js';

/** How rows are taken: the settings that say so. */
export interface RowOrder {
  readonly seed: number;
  /** Rows of a micro-batch, where there is no `batchTokens`. */
  readonly batchSize: number;
  /** Padded tokens of a micro-batch, at most, instead of so many rows. */
  readonly batchTokens?: number;
  /** Micro-batches of a step. */
  readonly accumulation: number;
  /** Whether the rows of a step are of similar length, see `orderByLength`; with `batchTokens` they always are. */
  readonly groupByLength: boolean;
  /** Of this rank among the ranks. */
  readonly place: Place;
}

export interface EpochOptions<R, B> {
  readonly order: RowOrder;
  /**
   * Makes a batch of rows, padded to so many tokens. Of a step that ranks share all are padded alike: what is dropped of the
   * attention depends on the length of the batch, and a row is to get the same dropout on whatever rank it is.
   */
  readonly batchOf: (rows: readonly R[], length: number) => B;
  /** Tokens of a row. */
  readonly lengthOf: (row: R) => number;
  /** Token rows of one row of the data, such as the choices of a question. Default 1. */
  readonly rowsOfExample?: number;
}

export interface EpochData<B extends TokenBatch> extends TrainingData<B> {
  batch(step: number, microBatch: number): B;
  /** What part of the tokens that are computed in the first epoch is padding, 0 to below 1. */
  padding(): number;
}

/** Epoch after epoch, each in an order of its own; a step takes the rows that follow those of the step before. */
export function epochBatches<R, B extends TokenBatch>(rows: readonly R[], options: EpochOptions<R, B>): EpochData<B> {
  return options.order.batchTokens === undefined ? batchesOfRows(rows, options) : batchesOfTokens(rows, options);
}

function batchesOfRows<R, B extends TokenBatch>(
  rows: readonly R[],
  { order: { seed, groupByLength, place, ...sizes }, batchOf, lengthOf }: EpochOptions<R, B>,
): EpochData<B> {
  const share = stepShare(sizes, place);
  const rowsOfStep = share.rows * share.microBatches * share.size;
  const lengths = rows.map(lengthOf);
  const padded = groupByLength ? finelyPadded : coarselyPadded;
  const orderOf = (epoch: number): ((index: number) => number) => {
    if (groupByLength) {
      const order = orderByLength(lengths, { seed, epoch, rowsOfStep });
      return (index) => order[index];
    }
    const order = new Permutation(rows.length, new RandomStream(seed, 'shuffle', epoch));
    return (index) => order.at(index);
  };
  let current = { epoch: 0, at: orderOf(0) };
  const rowAt = (position: number) => {
    const epoch = Math.floor(position / rows.length);
    if (epoch !== current.epoch) current = { epoch, at: orderOf(epoch) };
    return current.at(position % rows.length);
  };
  const rowsAt = (step: number) => Array.from({ length: rowsOfStep }, (_, row) => rowAt(step * rowsOfStep + row));
  const lengthAt = (ofStep: readonly number[]) => padded(ofStep.reduce((most, row) => Math.max(most, lengths[row]), 1));
  return {
    batch(step, microBatch) {
      const ofStep = rowsAt(step);
      const first = firstRowOf(share, microBatch);
      const own = ofStep.slice(first, first + share.rows);
      return batchOf(
        own.map((row) => rows[row]),
        lengthAt(ofStep),
      );
    },
    padding() {
      const steps = Math.ceil(rows.length / rowsOfStep);
      return paddingOf(
        Array.from({ length: steps }, (_, step) => rowsAt(step)),
        lengths,
        lengthAt,
      );
    },
  };
}

/**
 * Micro-batches by a budget of tokens. Ranks share a step by whole micro-batches where their number allows it, else by parts
 * of each, in the order of its rows.
 */
function batchesOfTokens<R, B extends TokenBatch>(
  rows: readonly R[],
  { order: { seed, batchTokens = 0, accumulation, place }, batchOf, lengthOf, rowsOfExample }: EpochOptions<R, B>,
): EpochData<B> {
  const lengths = rows.map(lengthOf);
  const padded = lengths.map(finelyPadded);
  const together = greatestCommonDivisor(accumulation, place.size);
  const parts = place.size / together;
  const sizes = batchSizes(padded, { batchTokens, rowsOfExample, parts });
  let current = { epoch: 0, batches: batchesOfEpoch(padded, sizes, { seed, epoch: 0 }) };
  const batchAt = (index: number) => {
    const epoch = Math.floor(index / sizes.length);
    if (epoch !== current.epoch) current = { epoch, batches: batchesOfEpoch(padded, sizes, { seed, epoch }) };
    return current.batches[index % sizes.length];
  };
  // Micro-batches of a step, put together over ranks, are numbers 0 to accumulation − 1.
  const numberOf = (microBatch: number) => microBatch * together + Math.floor(place.rank / parts);
  const part = place.rank % parts;
  const startOfPart = (size: number) => Math.floor((part * size) / parts);
  const endOfPart = (size: number) => Math.floor(((part + 1) * size) / parts);
  const lengthAt = (batch: ArrayLike<number>) =>
    Array.from(batch).reduce((most, row) => Math.max(most, padded[row]), 1);
  const division = (step: number): StepDivision => ({
    microBatches: accumulation / together,
    firstRow(microBatch) {
      let first = 0;
      const own = numberOf(microBatch);
      for (let number = 0; number < own; number++) first += batchAt(step * accumulation + number).length;
      return first + startOfPart(batchAt(step * accumulation + own).length);
    },
  });
  return {
    division,
    batch(step, microBatch) {
      const batch = batchAt(step * accumulation + numberOf(microBatch));
      const own = batch.subarray(startOfPart(batch.length), endOfPart(batch.length));
      return batchOf(
        Array.from(own, (row) => rows[row]),
        lengthAt(batch),
      );
    },
    padding: () =>
      paddingOf(
        sizes.map((_, index) => batchAt(index)),
        lengths,
        lengthAt,
      ),
  };
}

/** How much of the tokens of some batches is padding. */
function paddingOf<Batch extends ArrayLike<number>>(
  batches: readonly Batch[],
  lengths: readonly number[],
  lengthAt: (batch: Batch) => number,
): number {
  let [tokens, positions] = [0, 0];
  for (const batch of batches) {
    positions += batch.length * lengthAt(batch);
    for (let i = 0; i < batch.length; i++) tokens += lengths[batch[i]];
  }
  return 1 - tokens / positions;
}

/** Steps whose rows are sorted together: enough that rows of a step are of similar length, few enough that epochs differ. */
const POOL_STEPS = 50;

/**
 * An order of all rows in which those of a step are of similar length: rows are shuffled, sorted by length within pools of
 * about 50 steps, cut into steps, and the steps are shuffled. Padding then is a few per cent of the tokens; with rows of any
 * length side by side it is half of SQuAD's. Rows that share a step with the epoch before or after stay as they fall.
 */
export function orderByLength(
  lengths: readonly number[],
  { seed, epoch, rowsOfStep }: { readonly seed: number; readonly epoch: number; readonly rowsOfStep: number },
): Int32Array {
  const numRows = lengths.length;
  const shuffle = new Permutation(numRows, new RandomStream(seed, 'shuffle', epoch));
  const shuffled = Int32Array.from({ length: numRows }, (_, index) => shuffle.at(index));
  // The step that the epoch before has begun takes the first rows.
  const begun = (epoch * numRows) % rowsOfStep;
  const head = Math.min(numRows, (rowsOfStep - begun) % rowsOfStep);
  const numSteps = Math.floor((numRows - head) / rowsOfStep);
  if (numSteps === 0) return shuffled;
  const inSteps = shuffled.slice(head, head + numSteps * rowsOfStep);
  const numPools = Math.max(1, Math.round(numSteps / POOL_STEPS));
  const poolStart = (pool: number) => Math.floor((pool * numSteps) / numPools) * rowsOfStep;
  for (let pool = 0; pool < numPools; pool++) {
    inSteps.subarray(poolStart(pool), poolStart(pool + 1)).sort((a, b) => lengths[a] - lengths[b]);
  }
  const steps = new Permutation(numSteps, new RandomStream(seed, 'shuffle', epoch, 1));
  for (let step = 0; step < numSteps; step++) {
    const from = steps.at(step) * rowsOfStep;
    shuffled.set(inSteps.subarray(from, from + rowsOfStep), head + step * rowsOfStep);
  }
  return shuffled;
}
