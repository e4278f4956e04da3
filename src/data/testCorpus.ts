/** A tiny corpus for tests: document d holds the tokens 1000·d + 10, 1000·d + 11, … so that mixed documents show. */

import { memoryShards, type Shards, type SpecialIds, type TokenDocument } from './shards.js';

export const SPECIAL_IDS: SpecialIds = { padId: 0, unkId: 1, clsId: 2, sepId: 3, maskId: 4 };
export const VOCAB_SIZE = 100_000;

/** Every third token continues a word. */
export function countingDocument(document: number, length: number): TokenDocument {
  return {
    ids: Array.from({ length }, (_, i) => 1000 * document + 10 + i),
    wordStarts: Array.from({ length }, (_, i) => (i % 3 === 2 ? 0 : 1)),
  };
}

export function countingShards(lengths: readonly number[]): Shards {
  return memoryShards({
    train: lengths.map((length, document) => countingDocument(document, length)),
    heldOut: [countingDocument(90, 40)],
    vocabSize: VOCAB_SIZE,
    specialIds: SPECIAL_IDS,
  });
}
