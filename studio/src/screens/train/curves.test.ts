import { describe, expect, it } from 'vitest';
import type { TrainingEvent } from '../../../../src/training/events.js';
import { bandsOf, NO_CURVES, remainingMs, withEvents } from './curves.js';

const split = { engineMs: 1, optimizerMs: 1, dataMs: 0 };
const step = (number: number, mlmLoss: number): TrainingEvent => ({
  type: 'step',
  step: number,
  totalSteps: 40,
  losses: { mlmLoss, discLoss: 0.4, totalLoss: mlmLoss + 20 },
  learningRate: 1e-3,
  gradientNorm: 1,
  tokensSeen: 10 * number,
  tokensPerSecond: 100,
  elapsedMs: 100 * number,
  split,
});
const evaluation = (number: number): TrainingEvent => ({
  type: 'evaluation',
  step: number,
  elapsedMs: 0,
  metrics: { generatorLoss: 5, discriminatorLoss: 0.3, rtdAuc: 0.7, unigramCrossEntropy: 6, replacedEntropy: 0.36 },
  score: 1,
  better: 'lower',
});
const started = (at: number): TrainingEvent => ({
  type: 'started',
  step: at,
  objective: 'electra',
  engine: 'an engine',
  numParameters: 7,
});

describe('the curves of a run', () => {
  it('have a point a step and one an evaluation, with the baselines of that evaluation', () => {
    const curves = withEvents(NO_CURVES, [started(0), step(1, 8), step(2, 7), evaluation(2)]);
    expect(curves.steps).toEqual([
      { step: 1, generatorLoss: 8, discriminatorLoss: 0.4 },
      { step: 2, generatorLoss: 7, discriminatorLoss: 0.4 },
    ]);
    expect(curves.evaluations).toEqual([
      { step: 2, generatorLoss: 5, discriminatorLoss: 0.3, auc: 0.7, frequencies: 6, entropy: 0.36 },
    ]);
    expect(curves).toMatchObject({ step: 2, totalSteps: 40, engine: 'an engine', parameters: 7, elapsedMs: 200 });
  });

  it('forget what came after the checkpoint that the run goes on from', () => {
    const before = withEvents(NO_CURVES, [started(0), step(1, 8), step(2, 7), evaluation(2), step(3, 6)]);
    const resumed = withEvents(before, [started(1), step(2, 7.5)]);
    expect(resumed.steps.map(({ generatorLoss }) => generatorLoss)).toEqual([8, 7.5]);
    expect(resumed.evaluations).toEqual([]);
  });

  it('stay the same object when nothing is new', () => {
    const curves = withEvents(NO_CURVES, [step(1, 8)]);
    expect(withEvents(curves, [])).toBe(curves);
  });

  it('say how long it takes still, by the pace so far', () => {
    const curves = withEvents(NO_CURVES, [step(10, 8)]);
    expect(remainingMs(curves)).toBe(3000); // 30 steps of 100 ms
    expect(remainingMs(withEvents(NO_CURVES, [step(2, 8)]))).toBeUndefined();
  });
});

describe('a band', () => {
  it('keeps mean, least and most of each column of a logarithmic axis', () => {
    const points = [1, 2, 4, 8, 16].map((x) => ({ x, y: x }));
    // ln 1 … ln 16 in two columns: 1 and 2 in the first, 4 (the middle), 8 and 16 in the second.
    expect(bandsOf(points, 2)).toEqual([
      { x: 2, mean: 1.5, min: 1, max: 2 },
      { x: 16, mean: 28 / 3, min: 4, max: 16 },
    ]);
  });

  it('of one point is that point, and of none nothing', () => {
    expect(bandsOf([{ x: 5, y: 3 }], 10)).toEqual([{ x: 5, mean: 3, min: 3, max: 3 }]);
    expect(bandsOf([], 10)).toEqual([]);
  });
});
