import { describe, expect, it } from 'vitest';
import type { Tensors } from '../engine/engine.js';
import { LossMeter, meterLayout } from '../training/lossMeter.js';
import {
  binaryEntropy,
  DETECTION_COUNTERS,
  detects,
  lossesOf,
  precisionAndRecall,
  pretrainingMetrics,
  replacedEntropy,
  rocAuc,
} from './metrics.js';

const scalars = (values: Record<string, number>): Tensors =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      { dtype: 'float32', shape: [], data: Float32Array.of(value) },
    ]),
  );
const losses = lossesOf({ mlm: 1, disc: 50 });
const layout = meterLayout({ losses, counters: DETECTION_COUNTERS });
const spanLosses = lossesOf({ mlm: 1, sbo: 1, nsp: 1 });
const spanLayout = meterLayout({ losses: spanLosses });

describe('area under the ROC curve', () => {
  it('is 1 for a perfect order, 0 for the reverse, ½ when nothing is told apart', () => {
    expect(rocAuc([1, 2, 3, 4], [0, 0, 1, 1])).toBe(1);
    expect(rocAuc([1, 2, 3, 4], [1, 1, 0, 0])).toBe(0);
    expect(rocAuc([7, 7, 7, 7, 7], [1, 0, 0, 1, 0])).toBe(0.5);
  });

  it('counts the pairs that are in order, ties half', () => {
    const scores = [0.1, 0.4, 0.4, 0.8, 0.4, -2, 0.8];
    const labels = [0, 1, 0, 1, 0, 1, 0];
    let sum = 0;
    for (const [i, a] of scores.entries()) {
      for (const [j, b] of scores.entries())
        if (labels[i] === 1 && labels[j] === 0) sum += a > b ? 1 : a === b ? 0.5 : 0;
    }
    expect(rocAuc(scores, labels)).toBeCloseTo(sum / 12, 14);
  });

  it('is unknown when one class is absent', () => {
    expect(rocAuc([1, 2], [1, 1])).toBeUndefined();
    expect(rocAuc([], [])).toBeUndefined();
  });
});

describe('binary entropy', () => {
  it('is .40 nats at r = .138 and .227 at r = .06', () => {
    expect(binaryEntropy(0.138)).toBeCloseTo(0.4013, 4);
    expect(binaryEntropy(0.06)).toBeCloseTo(0.227, 3);
    expect([binaryEntropy(0), binaryEntropy(1)]).toEqual([0, 0]);
  });
});

describe('averages of losses', () => {
  it('weigh by tokens, not by batches', () => {
    const meter = new LossMeter(layout);
    meter.add(scalars({ mlmLossSum: 10, mlmCorrect: 1 }), { mlm: 1 }, 8);
    meter.add(scalars({ mlmLossSum: 2, mlmCorrect: 1 }), { mlm: 5 }, 8);
    expect(pretrainingMetrics(losses, meter)).toEqual({
      mlmLoss: 2,
      mlmAccuracy: 2 / 6,
      mlmBits: 2 / Math.LN2,
      totalLoss: 2,
    });
  });

  it('weigh the two losses as they are minimised', () => {
    const meter = new LossMeter(layout);
    const sums = {
      mlmLossSum: 6,
      mlmCorrect: 1,
      discLossSum: 4,
      discCorrect: 15,
      replaced: 2,
      truePositives: 1,
      predictedPositives: 3,
    };
    meter.add(scalars(sums), { mlm: 2, disc: 20 }, 20);
    expect(pretrainingMetrics(losses, meter)).toMatchObject({
      mlmLoss: 3,
      discLoss: 0.2,
      discAccuracy: 0.75,
      replacedRate: 0.1,
      totalLoss: 13,
    });
    expect(precisionAndRecall(meter)).toEqual({ precision: 1 / 3, recall: 0.5 });
    expect(replacedEntropy(meter)).toBe(binaryEntropy(0.1));
  });

  it('take accuracy over all tokens and entropy over those of the loss when only masked slots are in it', () => {
    const meter = new LossMeter(layout);
    const sums = {
      mlmLossSum: 6,
      discLossSum: 2,
      discCorrect: 18,
      replaced: 2,
      truePositives: 0,
      predictedPositives: 0,
    };
    meter.add(scalars(sums), { mlm: 4, disc: 4 }, 20);
    expect(pretrainingMetrics(losses, meter)).toMatchObject({ discLoss: 0.5, discAccuracy: 0.9, replacedRate: 0.1 });
    expect(replacedEntropy(meter)).toBe(binaryEntropy(0.5));
  });

  it('of masked tokens, span boundaries and next sentences are each over their own count, in nats and bits', () => {
    const meter = new LossMeter(spanLayout);
    const sums = { mlmLossSum: 8, mlmCorrect: 1, sboLossSum: 9, sboCorrect: 2, nspLossSum: 1, nspCorrect: 1 };
    meter.add(scalars(sums), { mlm: 4, sbo: 3, nsp: 2 }, 30);
    expect(pretrainingMetrics(lossesOf({ mlm: 1, sbo: 0.5, nsp: 1 }), meter)).toEqual({
      mlmLoss: 2,
      mlmAccuracy: 0.25,
      mlmBits: 2 / Math.LN2,
      sboLoss: 3,
      sboAccuracy: 2 / 3,
      sboBits: 3 / Math.LN2,
      nspLoss: 0.5,
      nspAccuracy: 0.5,
      totalLoss: 2 + 0.5 * 3 + 0.5,
    });
  });

  it('leave out a loss that nothing was counted for: rows whose spans all touch an edge', () => {
    const meter = new LossMeter(spanLayout);
    meter.add(scalars({ mlmLossSum: 8, mlmCorrect: 1, sboLossSum: 0, sboCorrect: 0 }), { mlm: 4, sbo: 0 }, 30);
    expect(pretrainingMetrics(lossesOf({ mlm: 1, sbo: 1 }), meter)).toEqual({
      mlmLoss: 2,
      mlmAccuracy: 0.25,
      mlmBits: 2 / Math.LN2,
      totalLoss: 2,
    });
  });

  it('notice a sum that is not finite', () => {
    const notFinite: Record<string, number>[] = [{ mlmLossSum: Number.NaN }, { discLossSum: Number.POSITIVE_INFINITY }];
    for (const sums of notFinite) {
      const meter = new LossMeter(layout);
      meter.add(scalars({ mlmLossSum: 1 }), { mlm: 1, disc: 1 }, 1);
      expect(meter.isFinite).toBe(true);
      meter.add(scalars(sums), { mlm: 1, disc: 1 }, 1);
      expect(meter.isFinite).toBe(false);
    }
  });

  it('can be made from totals that were added up elsewhere', () => {
    const parts = [
      { sums: { mlmLossSum: 10, mlmCorrect: 1, sboLossSum: 3 }, counts: { mlm: 1, sbo: 2 }, tokens: 8 },
      { sums: { mlmLossSum: 2, mlmCorrect: 1, sboLossSum: 4 }, counts: { mlm: 5, sbo: 0 }, tokens: 9 },
    ];
    const whole = new LossMeter(spanLayout);
    const totals = parts.map(({ sums, counts, tokens }) => {
      const meter = new LossMeter(spanLayout);
      for (const each of [meter, whole]) each.add(scalars(sums), counts, tokens);
      return meter.totals;
    });
    const sum = LossMeter.of(
      spanLayout,
      totals[0].map((value, i) => value + totals[1][i]),
    );
    expect(pretrainingMetrics(spanLosses, sum)).toEqual(pretrainingMetrics(spanLosses, whole));
    expect(sum.tokens).toBe(17);
    expect(detects(sum)).toBe(false);
  });
});
