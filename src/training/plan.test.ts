import { describe, expect, it } from 'vitest';
import { resolvePretrainingSettings } from '../pretraining/settings.js';
import { intervalOf, phaseOf, phaseSpans, plannedLearningRate, TimeBudget } from './plan.js';

const settings = (change: object) =>
  resolvePretrainingSettings({ data: 'd', out: 'o', steps: 100, learningRate: 1, ...change });

describe('phases', () => {
  const halves = [{ share: 0.5 }, { share: 0.5 }];

  it('share the steps, and the last takes what rounding leaves', () => {
    expect(phaseSpans(halves, 5)).toEqual([
      { index: 0, start: 0, end: 3 },
      { index: 1, start: 3, end: 5 },
    ]);
    expect(phaseSpans([{ share: 1 / 3 }, { share: 1 / 3 }, { share: 1 / 3 }], 10).map(({ end }) => end)).toEqual([
      3, 7, 10,
    ]);
  });

  it('own their steps, and the last owns all beyond', () => {
    expect([0, 2, 3, 4, 99].map((step) => phaseOf(step, phaseSpans(halves, 5)).index)).toEqual([0, 0, 1, 1, 1]);
  });

  it('have a warm-up and a decay each', () => {
    const rate = (step: number) => plannedLearningRate(step, 20, settings({ warmupSteps: 2 }), halves);
    expect([0, 1, 2, 9].map(rate)).toEqual([0.5, 1, 1, 0.125]);
    expect([10, 11, 12, 19].map(rate)).toEqual([0.5, 1, 1, 0.125]);
  });
});

describe('intervals', () => {
  it('are as set, or a tenth of the run and at most 1000 steps', () => {
    expect([
      intervalOf(7, 100),
      intervalOf(undefined, 95),
      intervalOf(undefined, 1_000_000),
      intervalOf(undefined, 3),
    ]).toEqual([7, 10, 1000, 1]);
  });

  it('never end while the length of the run is unknown', () => {
    expect(5 % intervalOf(undefined, undefined)).toBe(5);
  });
});

describe('a time budget', () => {
  const timed = (change: object, steps: number, stepMs: number, batches = 0) => {
    const resolved = resolvePretrainingSettings({ data: 'd', out: 'o', accumulation: 1, ...change });
    const budget = new TimeBudget(resolved, resolved.timeMs);
    for (let step = 0; step < steps; step++) budget.add(step < 2 ? 10 * stepMs : stepMs); // the first ones warm up
    return budget.plan(steps, steps * stepMs, batches);
  };

  it('waits for twenty steps and a twentieth of the time, or for a tenth when steps are slow', () => {
    expect(timed({ time: '10s' }, 19, 50)).toBeUndefined();
    expect(timed({ time: '60s' }, 29, 100)).toBeUndefined();
    expect(timed({ time: '60s' }, 30, 100)).toBeDefined();
    expect(timed({ time: '10s' }, 3, 500)).toBeDefined();
  });

  it('is divided by the median of the later half of these steps', () => {
    expect(timed({ time: '60s' }, 30, 100)).toEqual({ totalSteps: 600, millisecondsPerStep: 100 });
  });

  it('leaves time for ten evaluations and the last one, or as many as are asked for', () => {
    // An evaluation of 5 batches takes 5 · 0.4 · 100 ms = 200 ms: 57 000 − 200 − 10 · 200 ms are left for training.
    expect(timed({ time: '60s' }, 30, 100, 5)!.totalSteps).toBe(30 + 548);
    // Every 10 steps: 56 800 / (100 + 20).
    expect(timed({ time: '60s', evaluateEvery: 10 }, 30, 100, 5)!.totalSteps).toBe(30 + 473);
  });
});
