import { describe, expect, it } from 'vitest';
import { learningRateAt, type Schedule, warmupStepsOf } from './schedule.js';

const linear: Schedule = { schedule: 'linear', power: 1, style: 'corrected', peak: 1, warmupSteps: 4, totalSteps: 12 };
const rates = (schedule: Schedule) =>
  Array.from({ length: schedule.totalSteps }, (_, step) => learningRateAt(step, schedule));

describe('learning rate', () => {
  it('warms up to the peak in warmupSteps steps, then falls in a line, and is above 0 in the last step', () => {
    expect(rates(linear)).toEqual([0.25, 0.5, 0.75, 1, 1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125]);
  });

  it('falls as a half cosine', () => {
    const cosine = rates({ ...linear, schedule: 'cosine', warmupSteps: 0, totalSteps: 4 });
    const expected = [1, (1 + Math.SQRT1_2) / 2, 0.5, (1 - Math.SQRT1_2) / 2];
    expected.forEach((value, step) => expect(cosine[step]).toBeCloseTo(value, 14));
  });

  it('falls as a power', () => {
    expect(rates({ ...linear, schedule: 'polynomial', power: 2, warmupSteps: 0, totalSteps: 4 })).toEqual([
      1, 0.5625, 0.25, 0.0625,
    ]);
  });

  it('stays at the peak when constant', () => {
    expect(rates({ ...linear, schedule: 'constant', warmupSteps: 2, totalSteps: 5 })).toEqual([0.5, 1, 1, 1, 1]);
  });

  it('warms up and decays at once in the reference style, from 0', () => {
    // (1 − t/12) · min(1, t/4)
    const reference = rates({ ...linear, style: 'reference' });
    [0, (11 / 12) * 0.25, (10 / 12) * 0.5, (9 / 12) * 0.75, 8 / 12, 7 / 12].forEach((value, step) => {
      expect(reference[step]).toBeCloseTo(value, 14);
    });
  });

  it('is 0 beyond the end and never negative', () => {
    expect(learningRateAt(20, linear)).toBe(0);
  });
});

describe('warm-up', () => {
  it('is as given, or a fraction of all steps and at most 10 000', () => {
    expect(warmupStepsOf(1000, { warmupSteps: 7, warmupFraction: 0.1 })).toBe(7);
    expect(warmupStepsOf(1000, { warmupFraction: 0.1 })).toBe(100);
    expect(warmupStepsOf(1_000_000, { warmupFraction: 0.1 })).toBe(10_000);
  });
});
