import { describe, expect, it } from 'vitest';
import { DataError, SettingsError } from '../errors/errors.js';
import { createBatchSource } from './batches.js';
import { countingShards } from './testCorpus.js';

const shards = countingShards([333, 20, 5, 170, 61]);
const base = { shards, length: 16, seed: 11 };

describe('createBatchSource', () => {
  it('shows every block exactly once in each epoch, in another order each time', () => {
    const source = createBatchSource({ ...base, batchSize: 7 });
    const perEpoch = new Map<number, number[]>();
    for (let step = 0; step * 7 < 3 * source.numBlocks; step++) {
      const { blockIndices, epochs } = source.batch(step);
      for (const [i, block] of blockIndices.entries()) {
        perEpoch.set(epochs[i], [...(perEpoch.get(epochs[i]) ?? []), block]);
      }
    }
    const inOrder = Array.from({ length: source.numBlocks }, (_, i) => i);
    for (const epoch of [0, 1, 2]) {
      expect([...perEpoch.get(epoch)!].sort((a, b) => a - b)).toEqual(inOrder);
      expect(perEpoch.get(epoch)).not.toEqual(inOrder);
    }
    expect(perEpoch.get(0)).not.toEqual(perEpoch.get(1));
  });

  it('gives the same batch for the same step, whatever was asked before', () => {
    const a = createBatchSource({ ...base, batchSize: 4 });
    const b = createBatchSource({ ...base, batchSize: 4 });
    for (let step = 0; step < 50; step++) a.batch(step);
    expect(b.batch(37)).toEqual(a.batch(37));
    expect(createBatchSource({ ...base, batchSize: 4, seed: 12 }).batch(37)).not.toEqual(a.batch(37));
  });

  it('gives 1×8 and 2×4 and 8×1 the same rows', () => {
    for (const step of [0, 5, 9]) {
      const whole = createBatchSource({ ...base, batchSize: 8 }).batch(step);
      for (const worldSize of [2, 8]) {
        const parts = Array.from({ length: worldSize }, (_, rank) =>
          createBatchSource({ ...base, batchSize: 8 / worldSize, rank, worldSize }).batch(step),
        );
        expect(parts.flatMap((part) => [...part.inputIds])).toEqual([...whole.inputIds]);
        expect(parts.flatMap((part) => [...part.blockIndices])).toEqual([...whole.blockIndices]);
      }
    }
  });

  it('trims shared padding down to a multiple of eight', () => {
    const short = countingShards([5, 4, 6, 3, 7]);
    const settings = { shards: short, length: 64, batchSize: 2, seed: 1 };
    const full = createBatchSource(settings).batch(0);
    const trimmed = createBatchSource({ ...settings, trim: true }).batch(0);
    const longest = Math.max(...full.lengths);
    expect(trimmed.length).toBe(Math.ceil(longest / 8) * 8);
    expect(trimmed.blockLength).toBe(64);
    for (let row = 0; row < 2; row++) {
      for (const name of ['inputIds', 'tokenTypeIds', 'attentionMask', 'wordStarts'] as const) {
        const expected = full[name].subarray(row * 64, row * 64 + trimmed.length);
        expect(trimmed[name].subarray(row * trimmed.length, (row + 1) * trimmed.length)).toEqual(expected);
      }
    }
  });

  it('reads the held-out split on request', () => {
    const source = createBatchSource({ ...base, split: 'heldOut', batchSize: 2 });
    expect(source.numBlocks).toBe(Math.ceil(40 / 13));
    expect(source.rows([0]).inputIds[1]).toBe(90_010);
  });

  it('refuses a split smaller than one global batch and gives the counts', () => {
    const make = () => createBatchSource({ ...base, batchSize: 40, worldSize: 2 });
    // Capacity 13: 26 + 2 + 1 + 14 + 5 blocks.
    expect(make).toThrow(DataError);
    expect(make).toThrow(/train split has 48 blocks of length 16 \(589 tokens in 5 documents\); one batch takes 80/);
    expect(createBatchSource({ ...base, batchSize: 80, requireFullBatch: false }).numBlocks).toBe(48);
  });

  it('reports all bad settings at once', () => {
    const make = () => createBatchSource({ ...base, length: 4, batchSize: 0, rank: 2, worldSize: 2 });
    expect(make).toThrow(SettingsError);
    expect(make).toThrow(/length is 4[\s\S]*batchSize is 0[\s\S]*rank is 2; expected 0 to 1/);
  });
});
