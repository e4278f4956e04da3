import { describe, expect, it } from 'vitest';
import { DataError, SettingsError } from '../../errors/errors.js';
import { RandomStream } from '../../random/philox.js';
import { createBatchSource } from '../batches.js';
import { memoryShards } from '../shards.js';
import { countingShards, SPECIAL_IDS, VOCAB_SIZE } from '../testCorpus.js';
import { roundHalfEven } from './budget.js';
import { maskBatch } from './maskBatch.js';
import { BERT_MASKING, type RandomMaskingSettings, randomMasking } from './random.js';
import { MASK_ACTIONS, type MaskingBlock } from './scheme.js';

const { clsId, sepId, maskId, unkId } = SPECIAL_IDS;

/** [CLS] text [SEP] with `n` positions in use out of `blockLength`. */
function block(n: number, blockLength = n): MaskingBlock {
  const ids = new Int32Array(blockLength);
  ids[0] = clsId;
  for (let i = 1; i < n - 1; i++) ids[i] = 100 + i;
  ids[n - 1] = sepId;
  return {
    ids,
    n,
    blockLength,
    wordStarts: new Uint8Array(blockLength).fill(1),
    specialIds: SPECIAL_IDS,
    vocabSize: VOCAB_SIZE,
  };
}

/** Masks the block `times` times, each with its own stream. */
function masks(settings: RandomMaskingSettings, of: MaskingBlock, times = 2000) {
  const scheme = randomMasking(settings);
  return Array.from({ length: times }, (_, i) => scheme.mask(of, new RandomStream(1, 'test', 0, i)));
}

describe('random masking', () => {
  it('predicts round(n · p) slots, at least 1 and at most int((p + 0.005) · L)', () => {
    const slots = (n: number, L: number, settings = {}) => masks(settings, block(n, L), 1)[0].positions.length;
    expect(slots(128, 128)).toBe(19); // round(19.2), limit int(19.84)
    expect(slots(512, 512)).toBe(77); // round(76.8), limit 79
    expect(slots(30, 128)).toBe(4); // 4.5 to even
    expect(slots(3, 128)).toBe(1); // round(0.45) = 0, raised to 1
    expect(slots(24, 24)).toBe(3); // round(3.6) = 4, limit int(3.72)
    expect(slots(512, 512, { maskProb: 0.25 })).toBe(128); // limit 130
    expect(slots(128, 128, { maxPredictions: 5 })).toBe(5);
    expect([0.5, 1.5, 2.5, 2.4, 2.6].map(roundHalfEven)).toEqual([0, 2, 2, 2, 3]);
  });

  it('draws distinct positions unless the reference is asked for', () => {
    for (const { positions } of masks({}, block(128))) expect(new Set(positions).size).toBe(19);
  });

  it('draws with replacement in the reference: 19 slots are 17.7 distinct positions at length 128', () => {
    const distinct = masks({ duplicates: 'reference' }, block(128)).map(({ positions }) => new Set(positions).size);
    const mean = distinct.reduce((a, b) => a + b) / distinct.length;
    // 126 candidates: 126 · (1 − (125/126)^19) = 17.69; standard deviation of the mean of 2000 about 0.025.
    expect(Math.abs(mean - 17.69)).toBeLessThan(0.1);
  });

  it('leaves 15 % of the slots as they are and shows [MASK] in the others', () => {
    const actions = masks({}, block(128)).flatMap((masked) => [...masked.actions]);
    const share = (action: number) => actions.filter((a) => a === action).length / actions.length;
    // 38,000 slots: standard deviation 0.0018.
    expect(Math.abs(share(MASK_ACTIONS.keep) - 0.15)).toBeLessThan(0.008);
    expect(share(MASK_ACTIONS.random)).toBe(0);
  });

  it('splits 80/10/10 for BERT, with replacements from the whole vocabulary', () => {
    const all = masks(BERT_MASKING, block(128));
    const actions = all.flatMap((masked) => [...masked.actions]);
    const share = (action: number) => actions.filter((a) => a === action).length / actions.length;
    expect(Math.abs(share(MASK_ACTIONS.mask) - 0.8)).toBeLessThan(0.009);
    expect(Math.abs(share(MASK_ACTIONS.random) - 0.1)).toBeLessThan(0.007);
    expect(Math.abs(share(MASK_ACTIONS.keep) - 0.1)).toBeLessThan(0.007);
    const replacements = all.flatMap((masked) => [...masked.replacements!]);
    expect(Math.min(...replacements.slice(0, 20_000))).toBeLessThan(VOCAB_SIZE * 0.01);
    expect(Math.max(...replacements.slice(0, 20_000))).toBeGreaterThan(VOCAB_SIZE * 0.99);
  });

  it('chooses every candidate equally often, never a special token or padding, but [UNK] too', () => {
    const of = block(40, 64);
    of.ids[20] = sepId;
    of.ids[7] = maskId;
    of.ids[8] = unkId;
    const counts = new Int32Array(64);
    for (const { positions } of masks({}, of, 6000)) for (const position of positions) counts[position]++;
    const allowed = [...of.ids.keys()].filter((i) => i > 0 && i < 39 && i !== 20 && i !== 7);
    const expected = (6000 * 6) / allowed.length; // round(40 · 0.15) = 6 of 36 candidates: 1000 times each
    counts.forEach((count, position) => {
      if (allowed.includes(position))
        expect(Math.abs(count - expected)).toBeLessThan(150); // 5 standard deviations
      else expect(count).toBe(0);
    });
  });

  it('gives no slot to a block without a candidate', () => {
    expect(masks({}, block(2, 16), 1)[0].positions.length).toBe(0);
    expect(masks({ duplicates: 'reference' }, block(2, 16), 1)[0].positions.length).toBe(0);
  });

  it('reports all bad settings at once', () => {
    const make = () => randomMasking({ maskProb: 15, keepProb: 0.6, randomProb: 0.6, maxPredictions: 0 });
    expect(make).toThrow(SettingsError);
    expect(make).toThrow(/maskProb is 15[\s\S]*maxPredictions is 0[\s\S]*keepProb \+ randomProb is 1.2/);
  });
});

describe('maskBatch', () => {
  const shards = countingShards([300, 50, 7, 90]);
  const settings = { seed: 5, specialIds: SPECIAL_IDS, vocabSize: VOCAB_SIZE };
  const source = createBatchSource({ shards, length: 32, batchSize: 8, seed: 2 });
  const blocks = source.batch(0);
  const masked = maskBatch(blocks, randomMasking(), settings);

  it('lists flat positions with their original ids, row after row', () => {
    expect(masked.maskedPositions.length).toBe(masked.slotOffsets[8]);
    for (let row = 0; row < 8; row++) {
      const positions = masked.maskedPositions.subarray(masked.slotOffsets[row], masked.slotOffsets[row + 1]);
      expect(positions.length).toBe(masked.rows[row].positions.length);
      for (const position of positions) expect(Math.floor(position / 32)).toBe(row);
    }
    masked.maskedPositions.forEach((position, slot) => {
      expect(masked.maskedIds[slot]).toBe(blocks.inputIds[position]);
    });
    expect(masked.maskedWeights.every((weight) => weight === 1)).toBe(true);
  });

  it('changes the input at masked slots only', () => {
    const slotOf = new Map([...masked.maskedPositions].map((position, slot) => [position, slot]));
    const actions = masked.rows.flatMap((row) => [...row.actions]);
    masked.maskedInputIds.forEach((id, position) => {
      const slot = slotOf.get(position);
      const isMasked = slot !== undefined && actions[slot] === MASK_ACTIONS.mask;
      expect(id).toBe(isMasked ? maskId : blocks.inputIds[position]);
    });
    expect(masked.inputIds).toEqual(blocks.inputIds);
  });

  it('gives a block the same mask in whatever batch, on whatever rank and trimmed or not', () => {
    const rows = (batch: typeof blocks) => {
      const result = maskBatch(batch, randomMasking(), settings).rows;
      return new Map(result.map((row, i) => [`${batch.epochs[i]}/${batch.blockIndices[i]}`, row]));
    };
    const whole = rows(blocks);
    for (const rank of [0, 1, 2, 3]) {
      const part = createBatchSource({ shards, length: 32, batchSize: 2, seed: 2, rank, worldSize: 4, trim: true });
      for (const [key, row] of rows(part.batch(0))) expect(row).toEqual(whole.get(key));
    }
    expect(rows(source.rows(blocks.blockIndices.slice(3, 5)))).toEqual(new Map([...whole].slice(3, 5)));
  });

  it('masks a block anew in each epoch and for each seed', () => {
    const positions = (epoch: number, seed: number) =>
      maskBatch(source.rows([1], epoch), randomMasking(), { ...settings, seed }).rows[0].positions;
    expect(positions(1, 5)).not.toEqual(positions(0, 5));
    expect(positions(0, 6)).not.toEqual(positions(0, 5));
    expect(positions(0, 5)).toEqual(positions(0, 5));
  });

  it('masks a position that was drawn twice when either slot says so', () => {
    // One candidate: every slot is that position; 3 slots, kept with probability 0.5 each, so 1/8 stay unmasked.
    const one = memoryShards({ train: [{ ids: [50], wordStarts: [1] }], vocabSize: 60, specialIds: SPECIAL_IDS });
    const row = createBatchSource({ shards: one, length: 8, batchSize: 1, seed: 1 });
    const scheme = randomMasking({ maskProb: 1, keepProb: 0.5, duplicates: 'reference' });
    let untouched = 0;
    for (let epoch = 0; epoch < 4000; epoch++) {
      const result = maskBatch(row.rows([0], epoch), scheme, { ...settings, vocabSize: 60 });
      expect([...result.maskedPositions]).toEqual([1, 1, 1]);
      untouched += result.maskedInputIds[1] === 50 ? 1 : 0;
    }
    expect(Math.abs(untouched / 4000 - 1 / 8)).toBeLessThan(0.026);
  });

  it('shows no id that stands for no piece', () => {
    const absentIds = new Set(Array.from({ length: VOCAB_SIZE - 3 }, (_, i) => i + 3));
    const scheme = randomMasking({ maskProb: 0.5, keepProb: 0, randomProb: 1 });
    const { rows } = maskBatch(blocks, scheme, { ...settings, absentIds });
    const shown = rows.flatMap(({ replacements }) => [...replacements!]);
    expect(shown.length).toBeGreaterThan(20);
    expect(new Set(shown)).toEqual(new Set([0, 1, 2]));
  });

  it('fills up to a fixed number of slots with weight 0 at position 0', () => {
    const used = masked.maskedPositions.length;
    const padded = maskBatch(blocks, randomMasking(), { ...settings, slots: used + 3 });
    expect([...padded.maskedPositions.slice(used)]).toEqual([0, 0, 0]);
    expect([...padded.maskedIds.slice(used)]).toEqual([clsId, clsId, clsId]);
    expect([...padded.maskedWeights]).toEqual([...new Float32Array(used).fill(1), 0, 0, 0]);
    expect(() => maskBatch(blocks, randomMasking(), { ...settings, slots: 3 })).toThrow(DataError);
  });
});
