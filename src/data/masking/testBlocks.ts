/** Blocks for tests of masking schemes. */

import { RandomStream } from '../../random/philox.js';
import { SPECIAL_IDS, VOCAB_SIZE } from '../testCorpus.js';
import type { MaskingBlock } from './scheme.js';

/** First id of the text tokens: each position has one of its own. */
export const FIRST_ID = 100;

/**
 * [CLS] text [SEP], or several segments each closed by [SEP].
 * @param segments  for each segment, whether each of its tokens begins a word
 * @param padding   positions after the last [SEP]
 */
export function blockOf(
  segments: readonly (readonly number[])[],
  padding = 0,
  tags?: readonly number[],
): MaskingBlock & { tags?: Uint8Array } {
  const { clsId, sepId, padId } = SPECIAL_IDS;
  const ids = [clsId];
  const wordStarts = [1];
  for (const segment of segments) {
    for (const start of segment) {
      ids.push(FIRST_ID + ids.length);
      wordStarts.push(start);
    }
    ids.push(sepId);
    wordStarts.push(1);
  }
  const n = ids.length;
  const pad = <T>(value: T) => new Array<T>(padding).fill(value);
  return {
    ids: Int32Array.from([...ids, ...pad(padId)]),
    n,
    blockLength: n + padding,
    wordStarts: Uint8Array.from([...wordStarts, ...pad(0)]),
    ...(tags && { tags: Uint8Array.from([...tags, ...pad(0)]) }),
    specialIds: SPECIAL_IDS,
    vocabSize: VOCAB_SIZE,
  };
}

/** n text tokens; each but the first continues a word with probability c. */
export function randomBlock(n: number, continuation: number, seed: number): MaskingBlock {
  const random = new RandomStream(seed, 'test', n);
  return blockOf([Array.from({ length: n }, (_, i) => (i === 0 || random.uniform() >= continuation ? 1 : 0))]);
}
