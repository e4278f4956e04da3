/**
 * Prepared text as every later stage sees it: two splits, each one long stream of token ids cut into documents.
 * Nothing here knows files; `shards.node.ts` reads a prepared folder, `memoryShards` holds a small corpus in memory.
 */

import { DataError } from '../errors/errors.js';
import { countTags, TAG_LIMIT, type TagKind } from './tags.js';

/** The ids that batches and masks need; a tokenizer has them under the same names. */
export interface SpecialIds {
  readonly padId: number;
  readonly unkId: number;
  readonly clsId: number;
  readonly sepId: number;
  readonly maskId: number;
}

export type SplitName = 'train' | 'heldOut';

/** One split: documents laid end to end, without special tokens. */
export interface TokenSplit {
  readonly numDocuments: number;
  readonly numTokens: number;
  /** Where each document starts in the stream, and where the last one ends: float64 [numDocuments + 1]. */
  readonly documentOffsets: Float64Array;
  /**
   * Copies tokens `start` to `end` (exclusive) of the stream into `ids` and `wordStarts`, beginning at `at`.
   * A word start is 1 where a token begins a word, 0 where it continues one.
   */
  read(start: number, end: number, ids: Int32Array, wordStarts: Uint8Array, at: number): void;
  /** Where entities and phrases stand; absent when the text has no tags. */
  readonly tags?: SplitTags;
}

export interface SplitTags {
  /** Spans of each kind in the split. */
  readonly counts: Readonly<Record<TagKind, number>>;
  /** Copies the bytes (`TAG_BITS`) of tokens `start` to `end` (exclusive) into `tags`, beginning at `at`. */
  read(start: number, end: number, tags: Uint8Array, at: number): void;
}

export interface Shards {
  /** Where the shards come from, for messages. */
  readonly source: string;
  readonly tokenizerHash: string;
  readonly vocabSize: number;
  readonly specialIds: SpecialIds;
  /** Ids of the vocabulary that stand for no piece, such as its blank lines; absent when there are none. */
  readonly absentIds?: ReadonlySet<number>;
  readonly train: TokenSplit;
  readonly heldOut: TokenSplit;
  /** How often each id occurs in the split: float64 [vocabSize]. */
  unigramCounts(split: SplitName): Float64Array;
  close(): void;
}

/** A tokenized document: one entry a token in all arrays. */
export interface TokenDocument {
  readonly ids: ArrayLike<number>;
  readonly wordStarts: ArrayLike<number>;
  /** Bytes of `TAG_BITS`. */
  readonly tags?: ArrayLike<number>;
}

/**
 * A small corpus held in memory: for the browser, for examples and for tests.
 * @throws DataError when a document's arrays differ in length or an id is outside the vocabulary
 */
export function memoryShards(corpus: {
  train: readonly TokenDocument[];
  heldOut?: readonly TokenDocument[];
  vocabSize: number;
  specialIds: SpecialIds;
  absentIds?: ReadonlySet<number>;
  tokenizerHash?: string;
}): Shards {
  const splits = {
    train: memorySplit(corpus.train, corpus.vocabSize),
    heldOut: memorySplit(corpus.heldOut ?? [], corpus.vocabSize),
  };
  return {
    source: 'memory',
    tokenizerHash: corpus.tokenizerHash ?? '',
    vocabSize: corpus.vocabSize,
    specialIds: corpus.specialIds,
    ...(corpus.absentIds?.size && { absentIds: corpus.absentIds }),
    ...splits,
    unigramCounts: (split) => countTokens(splits[split], corpus.vocabSize),
    close: () => {},
  };
}

function memorySplit(documents: readonly TokenDocument[], vocabSize: number): TokenSplit {
  const documentOffsets = new Float64Array(documents.length + 1);
  documents.forEach(({ ids, wordStarts, tags }, index) => {
    if (ids.length !== wordStarts.length) {
      throw new DataError(`Document ${index} has ${ids.length} ids and ${wordStarts.length} word starts`);
    }
    if (tags && (tags.length !== ids.length || Array.prototype.some.call(tags, (tag: number) => tag >= TAG_LIMIT))) {
      throw new DataError(
        `Document ${index} has ${ids.length} ids and ${tags.length} tags; expected as many, below 16`,
      );
    }
    const bad = Array.prototype.find.call(ids, (id: number) => !(id >= 0 && id < vocabSize));
    if (bad !== undefined) throw new DataError(`Document ${index} has id ${bad}; the vocabulary has ${vocabSize}`);
    documentOffsets[index + 1] = documentOffsets[index] + ids.length;
  });
  const numTokens = documentOffsets[documents.length];
  const allIds = new Int32Array(numTokens);
  const allWordStarts = new Uint8Array(numTokens);
  const hasTags = documents.some(({ tags }) => tags);
  const allTags = new Uint8Array(hasTags ? numTokens : 0);
  documents.forEach(({ ids, wordStarts, tags }, index) => {
    if (tags) allTags.set(tags, documentOffsets[index]);
    allIds.set(ids, documentOffsets[index]);
    allWordStarts.set(wordStarts, documentOffsets[index]);
  });
  return {
    numDocuments: documents.length,
    numTokens,
    documentOffsets,
    read(start, end, ids, wordStarts, at) {
      ids.set(allIds.subarray(start, end), at);
      wordStarts.set(allWordStarts.subarray(start, end), at);
    },
    ...(hasTags && { tags: memoryTags(allTags) }),
  };
}

/** @param tags  bytes of a whole split */
export function memoryTags(tags: Uint8Array): SplitTags {
  return {
    counts: countTags(tags),
    read: (start, end, into, at) => into.set(tags.subarray(start, end), at),
  };
}

/** Tokens that are counted at a time, so that a large corpus is never in memory as a whole. */
const COUNTED_TOKENS = 1 << 20;

/** How often each id occurs: float64 [vocabSize]. */
export function countTokens(split: TokenSplit, vocabSize: number): Float64Array {
  const counts = new Float64Array(vocabSize);
  const ids = new Int32Array(Math.min(COUNTED_TOKENS, split.numTokens));
  const wordStarts = new Uint8Array(ids.length);
  for (let start = 0; start < split.numTokens; start += ids.length) {
    const end = Math.min(start + ids.length, split.numTokens);
    split.read(start, end, ids, wordStarts, 0);
    for (let i = 0; i < end - start; i++) counts[ids[i]]++;
  }
  return counts;
}
