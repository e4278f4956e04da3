/**
 * Cutting documents into blocks: consecutive pieces of one document that fit a row of `length` positions.
 * ELECTRA's data builder (build_pretraining_dataset.py) throws the overflow of a full example away; here the next block
 * begins where the last one ended, so the blocks of a document are the document. Its short targets (5 % of examples)
 * are not imitated: what remains of each document already gives short rows.
 */

import type { RandomStream } from '../random/philox.js';
import type { SpecialIds, TokenSplit } from './shards.js';

/**
 * `pair`: `[CLS] A [SEP] B [SEP]`, A and B contiguous text of one document. `single`: `[CLS] A [SEP]`. `nextSentence`: as
 * `pair`, with B from another document in half of the rows (nextSentence.ts).
 */
export type SegmentMode = 'pair' | 'single' | 'nextSentence';

/** Part of the pair-mode rows that are built as a single segment all the same (build_pretraining_dataset.py). */
const SINGLE_SEGMENT_PROB = 0.1;

/** Where a block's text lies in the split's token stream. */
export interface BlockSpan {
  readonly document: number;
  readonly start: number;
  readonly end: number;
}

/**
 * All blocks of a split, a pure function of (split, length, mode). Memory: one number a document, whatever the number
 * of blocks.
 */
export class BlockIndex {
  readonly numBlocks: number;
  /** Text tokens in a full block: `length` less the special tokens of the mode. */
  readonly capacity: number;
  readonly #split: TokenSplit;
  /** Blocks before each document, float64 [numDocuments + 1]. */
  readonly #blocksBefore: Float64Array;

  /** @param length  positions in a row, special tokens included; at least 8 */
  constructor(split: TokenSplit, length: number, mode: SegmentMode) {
    if (!Number.isInteger(length) || length < 8)
      throw new RangeError(`length is ${length}; expected an integer from 8`);
    this.#split = split;
    this.capacity = length - (mode === 'single' ? 2 : 3);
    const { documentOffsets, numDocuments } = split;
    this.#blocksBefore = new Float64Array(numDocuments + 1);
    for (let i = 0; i < numDocuments; i++) {
      const tokens = documentOffsets[i + 1] - documentOffsets[i];
      this.#blocksBefore[i + 1] = this.#blocksBefore[i] + Math.ceil(tokens / this.capacity);
    }
    this.numBlocks = this.#blocksBefore[numDocuments];
  }

  /** @param block  0..numBlocks-1, in the order of the text */
  locate(block: number): BlockSpan {
    if (!(block >= 0 && block < this.numBlocks)) {
      throw new RangeError(`Block ${block} of ${this.numBlocks}`);
    }
    const document = this.#documentOf(block);
    const documentEnd = this.#split.documentOffsets[document + 1];
    const start = this.#split.documentOffsets[document] + (block - this.#blocksBefore[document]) * this.capacity;
    return { document, start, end: Math.min(start + this.capacity, documentEnd) };
  }

  /** The first block of a document, and the first after it. */
  blocksOf(document: number): { first: number; end: number } {
    return { first: this.#blocksBefore[document], end: this.#blocksBefore[document + 1] };
  }

  /** The last document with at most `block` blocks before it (documents without a block are passed over). */
  #documentOf(block: number): number {
    let low = 0;
    let high = this.#split.numDocuments - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.#blocksBefore[middle] <= block) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** One row of a batch, as views into the batch's arrays, each [length]. */
export interface Row {
  readonly inputIds: Int32Array;
  readonly tokenTypeIds: Int32Array;
  readonly attentionMask: Int32Array;
  readonly wordStarts: Uint8Array;
  /** Filled when the split has tags. */
  readonly tags?: Uint8Array;
}

/**
 * Writes a block into a zeroed row, with its special tokens and padding.
 * @param random  stream of this block alone; decides single segment or pair
 * @returns       number of positions that are not padding
 */
export function fillRow(
  row: Row,
  split: TokenSplit,
  span: BlockSpan,
  mode: 'pair' | 'single',
  specialIds: SpecialIds,
  random: RandomStream,
): number {
  const length = readText(row, split, span, 1);
  const isPair = mode === 'pair' && random.uniform() >= SINGLE_SEGMENT_PROB;
  return frameSegments(row, isPair ? middleWordStart(row.wordStarts, length) : length, length, specialIds);
}

/** Copies text into a row from position `at` on. @returns its length */
export function readText(
  { inputIds, wordStarts, tags }: Row,
  split: TokenSplit,
  { start, end }: Pick<BlockSpan, 'start' | 'end'>,
  at: number,
): number {
  split.read(start, end, inputIds, wordStarts, at);
  if (tags) split.tags?.read(start, end, tags, at);
  return end - start;
}

/**
 * Puts special tokens around text that stands at positions 1..length of an otherwise zeroed row.
 * @param firstLength  tokens of A; the rest is B, and there is none when it is all
 * @returns            number of positions that are not padding
 */
export function frameSegments(row: Row, firstLength: number, length: number, specialIds: SpecialIds): number {
  const { inputIds, wordStarts, tags, tokenTypeIds, attentionMask } = row;
  inputIds[0] = specialIds.clsId;
  let used = 1 + length;
  if (firstLength < length) {
    // [CLS] A B -> [CLS] A [SEP] B
    inputIds.copyWithin(firstLength + 2, firstLength + 1, used);
    wordStarts.copyWithin(firstLength + 2, firstLength + 1, used);
    tags?.copyWithin(firstLength + 2, firstLength + 1, used);
    inputIds[firstLength + 1] = specialIds.sepId;
    used++;
    tokenTypeIds.fill(1, firstLength + 2, used + 1);
  }
  inputIds[used] = specialIds.sepId;
  used++;
  // Special tokens are words of their own, so that no scheme takes them for a continuation.
  wordStarts[0] = 1;
  wordStarts[used - 1] = 1;
  if (firstLength < length) {
    wordStarts[firstLength + 1] = 1;
    // A tagged span that is divided here goes on without its beginning, and counts as two.
    tags?.fill(0, firstLength + 1, firstLength + 2);
  }
  attentionMask.fill(1, 0, used);
  inputIds.fill(specialIds.padId, used);
  return used;
}

/**
 * Number of tokens in A: up to the word start nearest the middle. The whole length when there is no word start to cut
 * at, which makes the row a single segment.
 * @param wordStarts  flags of the text at positions 1..length
 */
export function middleWordStart(wordStarts: Uint8Array, length: number): number {
  const middle = length >> 1;
  for (let distance = 0; distance < length; distance++) {
    for (const cut of [middle - distance, middle + distance]) {
      if (cut > 0 && cut < length && wordStarts[1 + cut]) return cut;
    }
  }
  return length;
}
