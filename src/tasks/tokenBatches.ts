/**
 * Batches by a budget of tokens, padding included, instead of a number of rows (fairseq's `max_tokens`): as many rows as fit,
 * all of similar length. Where batches are cut depends on the lengths alone, so every epoch has as many batches, whatever
 * the seed; which rows of one length go together, and the order of the batches, is drawn anew each epoch.
 */
import { SettingsError } from '../errors/errors.js';
import { Permutation, RandomStream } from '../random/philox.js';
import { settingName } from '../settings/settingNames.js';

export interface TokenBudget {
  /** Padded tokens of a batch, at most. */
  readonly batchTokens: number;
  /** Token rows of one row of the data, such as the choices of a question. Default 1. */
  readonly rowsOfExample?: number;
  /** In how many parts a batch must be divisible, a row each at least: the ranks that share it. Default 1. */
  readonly parts?: number;
}

/**
 * How many rows each batch has, from the longest rows down.
 * @param padded  tokens of each row with its own padding
 * @throws SettingsError when the longest row does not fit, or a batch has fewer rows than ranks share it
 */
export function batchSizes(
  padded: readonly number[],
  { batchTokens, rowsOfExample = 1, parts = 1 }: TokenBudget,
): number[] {
  const descending = Float64Array.from(padded).sort().reverse();
  const least = descending[0] * rowsOfExample * parts;
  if (least > batchTokens) {
    const shared = parts > 1 ? `, one for each of ${parts} ranks` : '';
    const choices = rowsOfExample > 1 ? ` with ${rowsOfExample} choices` : '';
    throw new SettingsError([
      `${settingName('batchTokens')} is ${batchTokens}; expected at least ${least}, the tokens of the longest row${choices}${shared}`,
    ]);
  }
  const sizes: number[] = [];
  for (let row = 0; row < descending.length; ) {
    const fit = Math.floor(batchTokens / (descending[row] * rowsOfExample));
    const size = Math.min(fit, descending.length - row);
    sizes.push(size);
    row += size;
  }
  // The rest of an epoch is no batch of a few rows: it shares those of the batch before, which are no longer than fit there.
  const [before, last] = sizes.slice(-2);
  if (sizes.length > 1 && last < before) {
    const both = before + last;
    sizes.splice(-2, 2, Math.ceil(both / 2), Math.floor(both / 2));
  }
  const fewest = Math.min(...sizes.slice(-2));
  if (fewest < parts) {
    throw new SettingsError([
      `an epoch has a batch of ${fewest} rows, which ${parts} ranks cannot share; start fewer ranks, or raise ${settingName('accumulation')}`,
    ]);
  }
  return sizes;
}

/** The rows of each batch of an epoch, in the order of the batches. @param sizes  see `batchSizes` */
export function batchesOfEpoch(
  padded: readonly number[],
  sizes: readonly number[],
  { seed, epoch }: { readonly seed: number; readonly epoch: number },
): Int32Array[] {
  const shuffle = new Permutation(padded.length, new RandomStream(seed, 'shuffle', epoch));
  // Sorting keeps the drawn order of rows of one length.
  const rows = Int32Array.from({ length: padded.length }, (_, index) => shuffle.at(index)).sort(
    (a, b) => padded[b] - padded[a],
  );
  const batches: Int32Array[] = [];
  let first = 0;
  for (const size of sizes) {
    batches.push(rows.subarray(first, first + size));
    first += size;
  }
  const order = new Permutation(sizes.length, new RandomStream(seed, 'shuffle', epoch, 1));
  return batches.map((_, index) => batches[order.at(index)]);
}
