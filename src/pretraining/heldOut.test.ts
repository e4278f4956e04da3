import { describe, expect, it } from 'vitest';
import { ALONE, type Collective } from '../collective/collective.js';
import { memoryCollectives } from '../collective/memoryCollective.js';
import type { MaskedBatch } from '../data/maskedBatch.js';
import type { Program, Tensor, Tensors } from '../engine/engine.js';
import type { Phase } from '../training/objective.js';
import { evaluateHeldOut, type HeldOutData } from './heldOut.js';
import { DETECTION_COUNTERS, lossesOf, rocAuc } from './metrics.js';

const LENGTH = 4;
const BATCHES = 5;

/** Batches of 2 rows, the last of 1; the last token of each row is padding. */
const data: HeldOutData = {
  numBatches: BATCHES,
  batchSize: 2,
  batch: (index) => {
    const rows = index === BATCHES - 1 ? 1 : 2;
    const attentionMask = Int32Array.from({ length: rows * LENGTH }, (_, i) => (i % LENGTH < LENGTH - 1 ? 1 : 0));
    // A batch is known by its first token.
    const inputIds = new Int32Array(rows * LENGTH).fill(index);
    return { batchSize: rows, length: LENGTH, inputIds, attentionMask } as MaskedBatch;
  },
  unigramEntropy: 5,
  unigramAccuracy: 0.1,
};

/** What a detector answers about token i of a batch: some right, some wrong, and wild about padding. */
const logit = (index: number, i: number) => (i % LENGTH === LENGTH - 1 ? 1e9 : Math.sin(7 * index + 3 * i));
const label = (index: number, i: number) => ((index + i) % 3 === 0 ? 1 : 0);

const float = (values: number[]): Tensor => ({
  dtype: 'float32',
  shape: [values.length],
  data: Float32Array.from(values),
});

const draws: number[] = [];
const phase = {
  counts: ({ attentionMask }: MaskedBatch) => ({ mlm: 1, disc: attentionMask.filter((one) => one === 1).length }),
  feeds: ({ inputIds }: MaskedBatch, { firstRow }: { firstRow: number }): Tensors => {
    draws.push(firstRow);
    return { batch: { dtype: 'int32', shape: [inputIds.length], data: inputIds } };
  },
} as unknown as Phase<MaskedBatch>;

const program = {
  run: async ({ batch }: Tensors): Promise<Tensors> => {
    const index = batch.data[0];
    const tokens = Array.from(batch.data.keys());
    return {
      mlmLossSum: float([1 / (index + 3)]),
      mlmCorrect: float([1]),
      discLossSum: float([0.1 * index]),
      truePositives: float([1]),
      predictedPositives: float([2]),
      replaced: float([3]),
      discLogits: float(tokens.map((i) => logit(index, i))),
      isReplaced: float(tokens.map((i) => label(index, i))),
    };
  },
} as unknown as Program;

const objective = { losses: lossesOf({ mlm: 1, disc: 50 }), counters: DETECTION_COUNTERS };
const evaluate = (collective: Collective, maxBatches = BATCHES) =>
  evaluateHeldOut(program, phase, data, { maxBatches, objective, collective });

describe('held-out evaluation', () => {
  it('finds the area under the curve of all tokens that are no padding', async () => {
    const scores: number[] = [];
    const labels: number[] = [];
    for (let index = 0; index < BATCHES; index++) {
      for (let i = 0; i < (index === BATCHES - 1 ? LENGTH : 2 * LENGTH); i++) {
        if (i % LENGTH === LENGTH - 1) continue;
        scores.push(Math.fround(logit(index, i)));
        labels.push(label(index, i));
      }
    }
    draws.length = 0;
    expect((await evaluate(ALONE)).rtdAuc).toBe(rocAuc(scores, labels));
    // Each row of the held-out text draws by its own number.
    expect(draws).toEqual([0, 2, 4, 6, 8]);
  });

  it.each([2, 3, 8])('by %i ranks is bit for bit that of one', async (size) => {
    const one = await evaluate(ALONE);
    const many = await Promise.all(memoryCollectives(size).map((collective) => evaluate(collective)));
    for (const metrics of many) expect(metrics).toEqual(one);
    expect(one.rtdPrecision).toBe(0.5);
  });

  it('takes the first batches when it may not take all', async () => {
    const many = await Promise.all(memoryCollectives(2).map((collective) => evaluate(collective, 3)));
    expect(many[0]).toEqual(await evaluate(ALONE, 3));
    expect(many[0]).not.toEqual(await evaluate(ALONE));
  });
});
