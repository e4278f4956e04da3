/** Where the tokens that stand in for masked ones come from. */

import { SettingsError } from '../../errors/errors.js';
import type { RandomStream } from '../../random/philox.js';
import type { MaskingBlock } from './scheme.js';

/** Draws a token id. */
export type TokenDraw = (block: MaskingBlock, random: RandomStream) => number;

/** Any id, special ones included, as BERT's create_pretraining_data.py; but none that stands for no piece. */
export const uniformTokens: TokenDraw = ({ vocabSize, absentIds }, random) => {
  let id = random.integer(vocabSize);
  // [MASK] at least is a piece, so this ends.
  while (absentIds?.has(id)) id = random.integer(vocabSize);
  return id;
};

/**
 * Tokens as often as they stand in the corpus: what SpanBERT's released code gets by drawing from its token buffer.
 * @param counts  occurrences of each id, [V]
 * @throws SettingsError when nothing was counted
 */
export function unigramTokens(counts: ArrayLike<number>): TokenDraw {
  // Counts are whole numbers, so the running sums are exact far beyond any corpus (2^53).
  const upTo = new Float64Array(counts.length);
  let total = 0;
  for (let id = 0; id < counts.length; id++) upTo[id] = total += counts[id];
  if (!(total > 0))
    throw new SettingsError(['there are no token counts to draw random tokens from; expected some text']);
  return (_block, random) => firstAbove(upTo, wholeNumber(random, total));
}

/** Uniform in 0..bound-1 from 53 random bits; a bias is below bound / 2^53. */
function wholeNumber(random: RandomStream, bound: number): number {
  const high = random.uint32();
  return Math.floor(((high * 2 ** 21 + (random.uint32() >>> 11)) / 2 ** 53) * bound);
}

/** Index of the first entry above `value` in an ascending list. */
function firstAbove(ascending: Float64Array, value: number): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
