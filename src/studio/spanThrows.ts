/**
 * Spans drawn as SpanBERT's masking draws them (src/data/masking/span.ts), over the words of one text. No model is needed, so
 * a page draws them itself.
 */
import { lengthsOf } from '../data/masking/span.js';
import { SpanCanvas } from '../data/masking/spanDrawing.js';
import { RandomStream } from '../random/philox.js';

/** P(k) of spans of k = 1..10 words: 0.2 · 0.8^(k−1), cut off at 10 and made to sum to 1 (arXiv 1907.10529 §3.1). */
export const SPAN_LENGTH_LAW: readonly number[] = Array.from(lengthsOf({}).probabilities);

export interface ThrownSpan {
  /** Words `first` to `last`, inclusive. */
  readonly first: number;
  readonly last: number;
  /** The length that was drawn, in words; the end of the text may cut the span shorter. */
  readonly length: number;
}

/**
 * Throw number `index` of a seed: a length by the law, a word uniformly, and as many words from there on as there are.
 * @param numWords  words of the text, at least 1
 */
export function throwSpan(numWords: number, seed: number, index: number): ThrownSpan {
  const random = new RandomStream(seed, 'masking', 0, index);
  // Each word as one token between [CLS] and [SEP].
  const specialIds = { padId: 0, unkId: 1, clsId: 2, sepId: 3, maskId: 4 };
  const n = numWords + 2;
  const ids = new Int32Array(n).fill(5);
  ids[0] = specialIds.clsId;
  ids[n - 1] = specialIds.sepId;
  const wordStarts = new Uint8Array(n).fill(1);
  const block = { ids, n, blockLength: n, wordStarts, specialIds, vocabSize: 6 };
  const canvas = new SpanCanvas(block, { maxSlots: () => numWords, slots: () => numWords });
  const anchor = canvas.drawAnchor('paper', random);
  const length = lengthsOf({}).draw(random);
  canvas.maskWords(anchor, length);
  const masked = canvas.positions();
  return { first: masked[0] - 1, last: masked[masked.length - 1] - 1, length };
}

/** How often each length, 1 first, is among the first `count` throws of a seed. */
export function throwCounts(numWords: number, seed: number, count: number): number[] {
  const counts = SPAN_LENGTH_LAW.map(() => 0);
  for (let index = 0; index < count; index++) counts[throwSpan(numWords, seed, index).length - 1]++;
  return counts;
}
