import { describe, expect, it } from 'vitest';
import { createBatchSource } from './batches.js';
import { BlockIndex } from './blocks.js';
import { countingDocument, countingShards, SPECIAL_IDS } from './testCorpus.js';

const { padId, clsId, sepId } = SPECIAL_IDS;
const LENGTHS = [100, 1, 0, 13, 14, 0, 250];

describe('BlockIndex', () => {
  it('cuts each document into full blocks and one remainder', () => {
    // Capacity 16 - 3 = 13: 100 -> 8, 1 -> 1, 0 -> 0, 13 -> 1, 14 -> 2, 250 -> 20 blocks.
    const index = new BlockIndex(countingShards(LENGTHS).train, 16, 'pair');
    expect(index.numBlocks).toBe(8 + 1 + 0 + 1 + 2 + 0 + 20);
    expect(index.locate(7)).toEqual({ document: 0, start: 91, end: 100 });
    expect(index.locate(8)).toEqual({ document: 1, start: 100, end: 101 });
    expect(index.locate(9)).toEqual({ document: 3, start: 101, end: 114 });
    expect(index.locate(12)).toEqual({ document: 6, start: 128, end: 141 });
    expect(index.locate(31)).toEqual({ document: 6, start: 375, end: 378 });
    expect(() => index.locate(32)).toThrow(/Block 32 of 32/);
  });

  it.each(['pair', 'single'] as const)('restores every document from its blocks (%s)', (segments) => {
    const shards = countingShards(LENGTHS);
    const source = createBatchSource({ shards, length: 16, batchSize: 1, segments, seed: 7 });
    const index = new BlockIndex(shards.train, 16, segments);
    const restored: number[][] = LENGTHS.map(() => []);
    for (let block = 0; block < source.numBlocks; block++) {
      const { inputIds } = source.rows([block]);
      const text = inputIds.filter((id) => id !== padId && id !== clsId && id !== sepId);
      restored[index.locate(block).document].push(...text);
    }
    expect(restored).toEqual(LENGTHS.map((length, document) => countingDocument(document, length).ids));
  });
});

describe('single sequences', () => {
  it('are [CLS] block [SEP] of at most length − 2 tokens of one document, with nothing lost between them', () => {
    const shards = countingShards(LENGTHS);
    const source = createBatchSource({ shards, length: 16, batchSize: 1, segments: 'single', seed: 7 });
    // 100 -> 7 blocks of 14 and 2 tokens more, 1 -> 1, 0 -> 0, 13 -> 1, 14 -> 1 full one, 250 -> 17 of 14 and 12 more.
    expect(source.numBlocks).toBe(8 + 1 + 0 + 1 + 1 + 0 + 18);
    const index = new BlockIndex(shards.train, 16, 'single');
    for (let block = 0; block < source.numBlocks; block++) {
      const { inputIds, tokenTypeIds, lengths } = source.rows([block]);
      const n = lengths[0];
      expect([inputIds[0], inputIds[n - 1]]).toEqual([clsId, sepId]);
      expect(tokenTypeIds.every((type) => type === 0)).toBe(true);
      const text = [...inputIds.subarray(1, n - 1)];
      // The counting corpus: consecutive numbers of one document.
      const { document, start } = index.locate(block);
      const first = 1000 * document + 10 + start - shards.train.documentOffsets[document];
      expect(text).toEqual(text.map((_, i) => first + i));
      const isLast = block + 1 === source.numBlocks || index.locate(block + 1).document !== document;
      if (!isLast) expect(text).toHaveLength(14);
    }
  });
});

describe('rows', () => {
  const source = createBatchSource({ shards: countingShards([400]), length: 16, batchSize: 4, seed: 3 });
  const all = source.rows(Array.from({ length: source.numBlocks }, (_, i) => i));
  const rows = Array.from({ length: all.batchSize }, (_, i) => ({
    ids: [...all.inputIds.subarray(i * 16, i * 16 + 16)],
    types: [...all.tokenTypeIds.subarray(i * 16, i * 16 + 16)],
    mask: [...all.attentionMask.subarray(i * 16, i * 16 + 16)],
    wordStarts: [...all.wordStarts.subarray(i * 16, i * 16 + 16)],
    n: all.lengths[i],
  }));
  const separators = (ids: number[]) => ids.flatMap((id, i) => (id === sepId ? [i] : []));

  it('are [CLS] A [SEP] B [SEP] with types 0 and 1, then padding', () => {
    for (const { ids, types, mask, n } of rows) {
      expect(ids[0]).toBe(clsId);
      expect(ids[n - 1]).toBe(sepId);
      expect(ids.slice(n).every((id) => id === padId)).toBe(true);
      expect(mask).toEqual(ids.map((_, i) => (i < n ? 1 : 0)));
      const [first] = separators(ids);
      expect(types).toEqual(ids.map((_, i) => (i > first && i < n ? 1 : 0)));
    }
  });

  it('begin segment B at the word start nearest the middle', () => {
    for (const { ids, wordStarts, n } of rows) {
      const at = separators(ids);
      if (at.length === 1) continue;
      expect(wordStarts[at[0] + 1]).toBe(1);
      expect(Math.abs(at[0] - 1 - (n - 3) / 2)).toBeLessThanOrEqual(1.5);
    }
  });

  it('keep the word flags beside their tokens', () => {
    for (const { ids, wordStarts, n } of rows) {
      ids.slice(0, n).forEach((id, i) => {
        const isText = id !== clsId && id !== sepId;
        expect(wordStarts[i]).toBe(isText && (id - 10) % 3 === 2 ? 0 : 1);
      });
    }
  });

  it('are a single segment for one pair in ten', () => {
    // 10,000 draws at 0.1: standard deviation 0.003.
    const many = createBatchSource({ shards: countingShards([900]), length: 16, batchSize: 1, seed: 5 });
    let single = 0;
    let total = 0;
    for (let epoch = 0; total < 10_000; epoch++) {
      for (let block = 0; block < many.numBlocks - 1; block++, total++) {
        single += separators([...many.rows([block], epoch).inputIds]).length === 1 ? 1 : 0;
      }
    }
    expect(Math.abs(single / total - 0.1)).toBeLessThan(0.012);
  });
});
