/**
 * Batches of blocks. `batch(step)` is a pure function of (shards, seed, step, rank, world size): nothing is remembered
 * between calls, so resuming a run needs the step number alone, and 1×8 rows are the same rows as 2×4.
 */

import { DataError, SettingsError } from '../errors/errors.js';
import { Permutation, RandomStream } from '../random/philox.js';
import { settingName } from '../settings/settingNames.js';
import { BlockIndex, type BlockSpan, fillRow, type SegmentMode } from './blocks.js';
import type { NextSentenceLabels } from './maskedBatch.js';
import { fillNextSentenceRow, requireSeveralDocuments } from './nextSentence.js';
import type { Shards, SplitName } from './shards.js';

export interface BatchSettings {
  readonly shards: Shards;
  readonly split?: SplitName;
  /** Positions in a row (S), special tokens included. */
  readonly length: number;
  /** Rows of one rank (B); a step takes `batchSize × worldSize` blocks. */
  readonly batchSize: number;
  /** Default `pair`. */
  readonly segments?: SegmentMode;
  readonly seed: number;
  readonly rank?: number;
  readonly worldSize?: number;
  /** Cut the padding that all rows share, down to a multiple of 8. Default false. */
  readonly trim?: boolean;
}

/** Rows of token ids, row-major; B = batchSize, S = length. */
export interface Blocks {
  /** The epoch of the first row; a batch at the turn of an epoch takes its last rows from the next one. */
  readonly epoch: number;
  /** The epoch of each row, [B]. */
  readonly epochs: Int32Array;
  /** Which block each row holds, [B]. */
  readonly blockIndices: Int32Array;
  readonly batchSize: number;
  /** S: the stride of a row, smaller than `blockLength` after trimming. */
  readonly length: number;
  /** The length that blocks were cut for, the same for every batch. */
  readonly blockLength: number;
  /** Positions that are not padding, [B]. */
  readonly lengths: Int32Array;
  /** [B, S] */
  readonly inputIds: Int32Array;
  /** 0 for `[CLS] A [SEP]` and padding, 1 for `B [SEP]`, [B, S]. */
  readonly tokenTypeIds: Int32Array;
  /** 1 where not padding, [B, S]. */
  readonly attentionMask: Int32Array;
  /** 1 where a token begins a word, also on special tokens, 0 on padding, [B, S]. */
  readonly wordStarts: Uint8Array;
  /** Whether each row's second segment follows its first; with segments `nextSentence` only. */
  readonly nextSentence?: NextSentenceLabels;
  /** Entities and phrases as `TAG_BITS` (tags.ts), [B, S]; absent when the text has no tags. */
  readonly tags?: Uint8Array;
}

export interface BatchSource {
  /** Blocks in an epoch. */
  readonly numBlocks: number;
  readonly settings: BatchSettings;
  /** The rows of this rank at `step` (0, 1, …; epochs follow one another without end). */
  batch(step: number): Blocks;
  /** So many rows from a position of the endless sequence of rows on, whoever's they are. */
  from(position: number, count: number): Blocks;
  /** Chosen blocks in a chosen order, for evaluation and for looking at one again. `batchSize` is their number. */
  rows(blockIndices: ArrayLike<number>, epoch?: number): Blocks;
}

/**
 * @throws SettingsError with all settings that are out of range
 * @throws DataError when the split has fewer blocks than one step of all ranks takes (`requireFullBatch: false` allows
 *         that for evaluation, where rows are chosen), or one document alone where `nextSentence` needs others
 */
export function createBatchSource(settings: BatchSettings & { requireFullBatch?: boolean }): BatchSource {
  checkSettings(settings);
  const { shards, length, batchSize, seed, rank = 0, worldSize = 1, trim = false } = settings;
  const segments = settings.segments ?? 'pair';
  const splitName = settings.split ?? 'train';
  const split = shards[splitName];
  const index = new BlockIndex(split, length, segments);
  const globalBatch = batchSize * worldSize;
  if (settings.requireFullBatch !== false && index.numBlocks < globalBatch) {
    throw tooSmall(shards, splitName, index.numBlocks, globalBatch, length);
  }
  if (segments === 'nextSentence') requireSeveralDocuments(index, `${shards.source}, ${splitName}`);

  const shuffles = new Map<number, Permutation>();
  function shuffle(epoch: number): Permutation {
    let permutation = shuffles.get(epoch);
    if (!permutation) {
      permutation = new Permutation(index.numBlocks, new RandomStream(seed, 'shuffle', epoch));
      // A batch touches at most two neighbouring epochs unless the corpus is tiny; nothing older is needed.
      if (shuffles.size > 8) shuffles.clear();
      shuffles.set(epoch, permutation);
    }
    return permutation;
  }

  function build(blockIndices: Int32Array, epochs: Int32Array): Blocks {
    const count = blockIndices.length;
    const blocks = {
      epoch: epochs[0] ?? 0,
      epochs,
      blockIndices,
      batchSize: count,
      length,
      blockLength: length,
      lengths: new Int32Array(count),
      inputIds: new Int32Array(count * length),
      tokenTypeIds: new Int32Array(count * length),
      attentionMask: new Int32Array(count * length),
      wordStarts: new Uint8Array(count * length),
      ...(split.tags && { tags: new Uint8Array(count * length) }),
      ...(segments === 'nextSentence' && {
        nextSentence: { labels: new Int32Array(count), weights: new Float32Array(count) },
      }),
    };
    blockIndices.forEach((block, i) => {
      const random = new RandomStream(seed, 'segments', epochs[i], block);
      blocks.lengths[i] = fill(blocks, i, index.locate(block), random);
    });
    return trim ? trimBlocks(blocks) : blocks;
  }

  /** @returns number of positions that are not padding */
  function fill(
    blocks: RowArrays & LabelArrays & { length: number },
    i: number,
    span: BlockSpan,
    random: RandomStream,
  ) {
    const { specialIds } = shards;
    const row = rowOf(blocks, i);
    if (segments !== 'nextSentence') return fillRow(row, split, span, segments, specialIds, random);
    const { used, isRandom } = fillNextSentenceRow(row, { split, index, specialIds }, span, random);
    blocks.nextSentence!.labels[i] = isRandom ? 1 : 0;
    blocks.nextSentence!.weights[i] = isRandom === undefined ? 0 : 1;
    return used;
  }

  function from(position: number, count: number): Blocks {
    if (index.numBlocks === 0) throw tooSmall(shards, splitName, 0, globalBatch, length);
    const blockIndices = new Int32Array(count);
    const epochs = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      epochs[i] = Math.floor((position + i) / index.numBlocks);
      blockIndices[i] = shuffle(epochs[i]).at((position + i) % index.numBlocks);
    }
    return build(blockIndices, epochs);
  }

  return {
    numBlocks: index.numBlocks,
    settings,
    batch(step) {
      if (!Number.isSafeInteger(step) || step < 0) throw new RangeError(`step is ${step}; expected 0, 1, …`);
      return from(step * globalBatch + rank * batchSize, batchSize);
    },
    from,
    rows(blockIndices, epoch = 0) {
      return build(Int32Array.from(blockIndices), new Int32Array(blockIndices.length).fill(epoch));
    },
  };
}

type LabelArrays = Pick<Blocks, 'nextSentence'>;
type RowArrays = Pick<Blocks, 'inputIds' | 'tokenTypeIds' | 'attentionMask' | 'wordStarts' | 'tags'>;

function rowOf(blocks: RowArrays & { length: number }, index: number): RowArrays {
  const from = index * blocks.length;
  const to = from + blocks.length;
  return {
    inputIds: blocks.inputIds.subarray(from, to),
    tokenTypeIds: blocks.tokenTypeIds.subarray(from, to),
    attentionMask: blocks.attentionMask.subarray(from, to),
    wordStarts: blocks.wordStarts.subarray(from, to),
    tags: blocks.tags?.subarray(from, to),
  };
}

function trimBlocks(blocks: Blocks): Blocks {
  const longest = blocks.lengths.reduce((a, b) => Math.max(a, b), 0);
  const length = Math.min(blocks.length, Math.ceil(longest / 8) * 8);
  if (length === blocks.length) return blocks;
  const size = blocks.batchSize * length;
  const trimmed = {
    ...blocks,
    length,
    inputIds: new Int32Array(size),
    tokenTypeIds: new Int32Array(size),
    attentionMask: new Int32Array(size),
    wordStarts: new Uint8Array(size),
    ...(blocks.tags && { tags: new Uint8Array(size) }),
  };
  for (let i = 0; i < blocks.batchSize; i++) {
    const from = rowOf(blocks, i);
    const to = rowOf(trimmed, i);
    to.inputIds.set(from.inputIds.subarray(0, length));
    to.tokenTypeIds.set(from.tokenTypeIds.subarray(0, length));
    to.attentionMask.set(from.attentionMask.subarray(0, length));
    to.wordStarts.set(from.wordStarts.subarray(0, length));
    if (from.tags) to.tags!.set(from.tags.subarray(0, length));
  }
  return trimmed;
}

function checkSettings({ length, batchSize, rank = 0, worldSize = 1 }: BatchSettings): void {
  const problems: string[] = [];
  const need = (ok: boolean, text: string) => ok || problems.push(text);
  need(Number.isInteger(length) && length >= 8, `length is ${length}; expected an integer from 8`);
  need(Number.isInteger(batchSize) && batchSize >= 1, `batchSize is ${batchSize}; expected an integer from 1`);
  need(Number.isInteger(worldSize) && worldSize >= 1, `worldSize is ${worldSize}; expected an integer from 1`);
  need(Number.isInteger(rank) && rank >= 0 && rank < worldSize, `rank is ${rank}; expected 0 to ${worldSize - 1}`);
  if (problems.length > 0) throw new SettingsError(problems);
}

function tooSmall(shards: Shards, split: SplitName, blocks: number, needed: number, length: number): DataError {
  const { numDocuments, numTokens } = shards[split];
  return new DataError(
    `${shards.source}: the ${split} split has ${blocks} blocks of length ${length} ` +
      `(${numTokens} tokens in ${numDocuments} documents); one batch takes ${needed}`,
    {
      subject: shards.source,
      found: blocks,
      expected: `at least ${needed} blocks`,
      advice: `Prepare more text, or choose a smaller ${settingName('batchSize')}, ${settingName('accumulation')} or ${settingName('length')}`,
    },
  );
}
