import { describe, expect, it } from 'vitest';
import type { HeldOutMetrics } from '../pretraining/metrics.js';
import { heldOutSummary } from './trainingView.js';

const heldOut: HeldOutMetrics = {
  generatorLoss: 6.5,
  mlmLoss: 5.5,
  mlmBits: 7.9,
  unigramCrossEntropy: 7.906,
  unigramEntropy: 6.62,
  totalLoss: 12,
};
const line = (metrics: HeldOutMetrics, name: string) => heldOutSummary(metrics).find((text) => text.includes(name));

describe('the summary of held-out figures', () => {
  it('puts losses of predicted pieces beside what the training frequencies reach, never beside the own entropy', () => {
    expect(line(heldOut, 'generator loss')).toMatch(/6\.5000 +baseline 7\.9060 \(unigram cross-entropy\)$/);
    expect(line(heldOut, 'masked LM loss')).toMatch(/7\.9000 bits +baseline 7\.9060 \(unigram cross-entropy\)$/);
    expect(heldOutSummary(heldOut).join()).not.toContain('6.62');
  });

  it('has no baseline for a loss that is taken over all tokens, and keeps that of its generator', () => {
    const allTokens = { ...heldOut, mlmShare: 1 };
    expect(line(allTokens, 'masked LM loss')).toMatch(/7\.9000 bits$/);
    expect(line(allTokens, 'generator loss')).toContain('baseline 7.9060');
    expect(line({ ...heldOut, mlmShare: 0.15 }, 'masked LM loss')).toContain('baseline 7.9060');
  });

  it('has no baseline where it was not measured', () => {
    const { unigramCrossEntropy: _, ...older } = heldOut;
    expect(heldOutSummary(older).join()).not.toContain('baseline');
  });
});
