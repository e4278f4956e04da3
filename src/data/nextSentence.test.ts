import { describe, expect, it } from 'vitest';
import { DataError } from '../errors/errors.js';
import { createBatchSource } from './batches.js';
import { countingShards, SPECIAL_IDS } from './testCorpus.js';

const { clsId, sepId, padId } = SPECIAL_IDS;
const LENGTH = 16;

/** Documents hold 1000·d + 10, 1000·d + 11, …; every third token continues a word. */
function rowsOf(lengths: readonly number[], epoch = 0) {
  const shards = countingShards(lengths);
  const source = createBatchSource({ shards, length: LENGTH, batchSize: 1, segments: 'nextSentence', seed: 5 });
  const blocks = source.rows(
    Array.from({ length: source.numBlocks }, (_, i) => i),
    epoch,
  );
  return Array.from({ length: blocks.batchSize }, (_, row) => {
    const ids = [...blocks.inputIds.subarray(row * LENGTH, (row + 1) * LENGTH)];
    const types = [...blocks.tokenTypeIds.subarray(row * LENGTH, (row + 1) * LENGTH)];
    const [middle, last] = ids.flatMap((id, i) => (id === sepId ? [i] : []));
    const wordStarts = blocks.wordStarts.subarray(row * LENGTH, (row + 1) * LENGTH);
    return {
      ids,
      types,
      n: blocks.lengths[row],
      first: ids.slice(1, middle),
      second: last === undefined ? [] : ids.slice(middle + 1, last),
      secondStartsWord: wordStarts[middle + 1] === 1,
      label: blocks.nextSentence!.labels[row],
      weight: blocks.nextSentence!.weights[row],
    };
  });
}

const documentOf = (ids: readonly number[]) => new Set(ids.map((id) => Math.floor(id / 1000)));

describe('rows for next-sentence prediction', () => {
  const rows = rowsOf([300, 200, 40, 350]);

  it('are [CLS] A [SEP] B [SEP], B of type 1, with nothing left of what B replaced', () => {
    for (const { ids, types, n, first, second } of rows.filter((row) => row.second.length > 0)) {
      const framed = [clsId, ...first, sepId, ...second, sepId];
      expect(ids).toEqual([...framed, ...Array(LENGTH - framed.length).fill(padId)]);
      expect(n).toBe(framed.length);
      expect(types).toEqual(ids.map((_, i) => (i > first.length + 1 && i < n ? 1 : 0)));
    }
  });

  it('go on where A ends, or are one stretch of another document, as their label says', () => {
    for (const { first, second, label, weight } of rows.filter((row) => row.second.length > 0)) {
      expect(weight).toBe(1);
      const [a, b] = [documentOf(first), documentOf(second)];
      expect(b.size).toBe(1);
      expect(second.every((id, i) => i === 0 || id === second[i - 1] + 1)).toBe(true);
      if (label === 0) expect(second[0]).toBe(first.at(-1)! + 1);
      else expect(a).not.toEqual(b);
    }
  });

  it('are random in half of the rows, from any other document, begin with a word and fill the row', () => {
    const random = [0, 1, 2, 3]
      .flatMap((epoch) => rowsOf([300, 200, 40, 350], epoch))
      .filter(({ label }) => label === 1);
    const all = 4 * rows.length;
    // Four standard deviations of a fair coin.
    expect(Math.abs(random.length - all / 2)).toBeLessThan(4 * Math.sqrt(all / 4));
    for (const document of [0, 1, 2, 3]) {
      expect(random.some(({ second }) => documentOf(second).has(document))).toBe(true);
    }
    // The last block of a document may be the end of a word and no more, and may hold less than B's room.
    expect(random.filter(({ secondStartsWord }) => secondStartsWord).length / random.length).toBeGreaterThan(0.95);
    expect(random.filter(({ n }) => n === LENGTH).length / random.length).toBeGreaterThan(0.8);
  });

  it('have no label where a block cannot be divided', () => {
    const [single] = rowsOf([1, 30]);
    expect(single).toMatchObject({ first: [10], second: [], weight: 0 });
  });

  it('need a second document', () => {
    const of = (lengths: number[]) => () => rowsOf(lengths);
    expect(of([0, 200])).toThrow(DataError);
    expect(of([0, 200])).toThrow(/memory, train has text in one document only.*several documents/);
    expect(of([1, 200])).not.toThrow();
  });
});
