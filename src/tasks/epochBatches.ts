/**
 * Epochs of shuffled rows as batches: a pure function of (rows, seed, step), so that a resumed run and several ranks see what
 * one uninterrupted run would.
 */
import { Permutation, RandomStream } from '../random/philox.js';
import type { TokenBatch } from '../training/objective.js';
import type { TrainingData } from '../training/stepFeeds.js';
import { firstRowOf, type StepShare } from '../training/stepShare.js';

export interface EpochOptions<R, B> {
  readonly seed: number;
  /** The rows of this rank. */
  readonly share: StepShare;
  /**
   * Makes a batch of rows. Padded to `longest`, that of all rows of the step, a row gets the same dropout on whatever rank it is:
   * what is dropped of the attention depends on the length of the batch.
   */
  readonly batchOf: (rows: readonly R[], longest: number) => B;
  /** Tokens of a row. */
  readonly lengthOf: (row: R) => number;
  /** Whether the rows of a step are of similar length, see `orderByLength`. Default false: any rows. */
  readonly byLength?: boolean;
}

/** Epoch after epoch, each in an order of its own; a step takes the rows that follow those of the step before. */
export function epochBatches<R, B extends TokenBatch>(
  rows: readonly R[],
  { seed, share, batchOf, lengthOf, byLength = false }: EpochOptions<R, B>,
): TrainingData<B> {
  const rowsOfStep = share.rows * share.microBatches * share.size;
  const lengths = rows.map(lengthOf);
  const orderOf = (epoch: number): ((index: number) => number) => {
    if (byLength) {
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
    return rows[current.at(position % rows.length)];
  };
  return {
    batch(step, microBatch) {
      const ofStep = Array.from({ length: rowsOfStep }, (_, row) => rowAt(step * rowsOfStep + row));
      const first = firstRowOf(share, microBatch);
      const longest = ofStep.reduce((most, row) => Math.max(most, lengthOf(row)), 1);
      return batchOf(ofStep.slice(first, first + share.rows), longest);
    },
  };
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
