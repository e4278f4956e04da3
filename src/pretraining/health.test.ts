import { describe, expect, it } from 'vitest';
import { HealthMonitor } from '../training/health.js';
import { pretrainingChecks } from './health.js';
import { binaryEntropy, type HeldOutMetrics } from './metrics.js';

const monitorOf = () => new HealthMonitor(pretrainingChecks(0.05));
const codes = (warnings: { code: string }[]) => warnings.map(({ code }) => code);
/** A discriminator that says "original" of every token, at a replaced rate of 14 %. */
const collapsed: HeldOutMetrics = {
  generatorLoss: 3,
  generatorAccuracy: 0.4,
  unigramCrossEntropy: 6,
  replacedRate: 0.14,
  discriminatorLoss: binaryEntropy(0.14) + 0.001,
  replacedEntropy: binaryEntropy(0.14),
  rtdPrecision: 0,
  rtdRecall: 0,
  totalLoss: 23,
};

describe('the health of a run', () => {
  it('is bad when a discriminator finds nothing late in the run, which is said once', () => {
    const monitor = monitorOf();
    expect(monitor.evaluation(100, 0.1, collapsed)).toEqual([]);
    const [warning] = monitor.evaluation(500, 0.5, collapsed);
    expect(warning).toMatchObject({ code: 'discriminator-collapse', step: 500 });
    expect(warning.advice).toContain('smaller generator');
    expect(monitor.evaluation(600, 0.6, collapsed)).toEqual([]);
  });

  it('is fine when a discriminator finds something, or has a loss below that of guessing', () => {
    const monitor = monitorOf();
    expect(monitor.evaluation(5, 0.5, { ...collapsed, rtdRecall: 0.1, rtdPrecision: 0.6 })).toEqual([]);
    expect(monitor.evaluation(5, 0.5, { ...collapsed, discriminatorLoss: 0.3 })).toEqual([]);
  });

  it('is bad when the generator knows word frequencies and no more', () => {
    const stuck = { ...collapsed, discriminatorLoss: 0.2, generatorLoss: 5.95, generatorAccuracy: 0.05 };
    expect(codes(monitorOf().evaluation(5, 0.5, stuck))).toEqual(['generator-stuck']);
  });

  it('is fine when the generator beats the frequencies of the training text, whatever the entropy of the held-out text', () => {
    // Korean, 3,198 held-out tokens: their own entropy is 6.62, what the training frequencies reach 7.91.
    const learned = { ...collapsed, discriminatorLoss: 0.2, generatorAccuracy: 0.05, generatorLoss: 6.9 };
    const heldOut = { ...learned, unigramCrossEntropy: 7.906, unigramEntropy: 6.62 };
    expect(monitorOf().evaluation(5, 0.5, heldOut)).toEqual([]);
  });

  it('is bad when the span boundary head knows word frequencies and no more', () => {
    const heldOut = {
      mlmLoss: 4,
      mlmAccuracy: 0.3,
      sboLoss: 5.95,
      sboAccuracy: 0.05,
      unigramCrossEntropy: 6,
      totalLoss: 10,
    };
    const [warning, ...more] = monitorOf().evaluation(5, 0.5, heldOut);
    expect(warning).toMatchObject({
      code: 'span-boundary-stuck',
      message: expect.stringContaining('The span boundary head is no better than the word frequencies'),
    });
    expect(more).toEqual([]);
    expect(monitorOf().evaluation(5, 0.5, { ...heldOut, sboLoss: 5, sboAccuracy: 0.1 })).toEqual([]);
  });

  it('is bad when the loss rises well above its lowest average, and fine on a plateau', () => {
    const rates = (loss: (step: number) => number) => {
      const monitor = monitorOf();
      return Array.from({ length: 300 }, (_, step) => monitor.step(step, { totalLoss: loss(step) }, 1, 1e-3)).flat();
    };
    expect(rates((step) => 5 + Math.sin(step))).toEqual([]);
    const [warning, ...more] = rates((step) => (step < 150 ? 5 : 9));
    expect(warning).toMatchObject({
      code: 'learning-rate-too-high',
      message: expect.stringMatching(/^The loss has risen \d+ %/),
    });
    expect(more).toEqual([]);
  });

  it('is bad when the gradient norm explodes', () => {
    const monitor = monitorOf();
    const all = Array.from({ length: 300 }, (_, step) =>
      monitor.step(step, { totalLoss: 5 }, step < 200 ? 1 : 100, 1e-3),
    ).flat();
    expect(all).toHaveLength(1);
    expect(all[0].message).toMatch(/gradient norm is 2\d times/);
  });
});
