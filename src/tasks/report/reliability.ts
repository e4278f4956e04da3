/** Whether probabilities can be believed: how often predictions are right, beside how sure the model was of them. */
import type { ReliabilityBin, ReliabilitySection } from './report.js';

const BINS = 10;

/** How sure a model was of what it said, from 0 to 1, and whether it was right. */
export interface Judged {
  readonly confidence: number;
  readonly isRight: boolean;
}

/**
 * Bins of equal width, and the expected calibration error: Σ |bin| / n · |accuracy − confidence| (Naeini et al. 2015; Guo et
 * al. 2017, arXiv 1706.04599, §2, whose bins are open below and closed above).
 */
export function reliabilityOf(of: ReliabilitySection['of'], judged: readonly Judged[]): ReliabilitySection {
  const sums = Array.from({ length: BINS }, () => ({ count: 0, confidence: 0, right: 0 }));
  for (const { confidence, isRight } of judged) {
    // Compared with the very bounds: 0.7 · 10 is more than 7.
    const bin = sums[sums.findIndex((_, i) => confidence <= (i + 1) / BINS)] ?? sums[BINS - 1];
    bin.count++;
    bin.confidence += confidence;
    bin.right += isRight ? 1 : 0;
  }
  const bins = sums.map(({ count, confidence, right }, i): ReliabilityBin => {
    const bounds = { from: i / BINS, to: (i + 1) / BINS, count };
    return count === 0 ? bounds : { ...bounds, confidence: confidence / count, accuracy: right / count };
  });
  const apart = sums.reduce((sum, { confidence, right }) => sum + Math.abs(right - confidence), 0);
  return {
    kind: 'reliability',
    of,
    bins,
    expectedCalibrationError: judged.length === 0 ? 0 : apart / judged.length,
  };
}

/** The largest of softmax(logits). */
export function largestProbability(logits: ArrayLike<number>): number {
  const all = Array.from(logits);
  const max = all.reduce((a, b) => Math.max(a, b));
  return 1 / all.reduce((sum, z) => sum + Math.exp(z - max), 0);
}
