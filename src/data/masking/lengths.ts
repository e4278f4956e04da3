/** How long a span is, in whole words. */

import type { RandomStream } from '../../random/philox.js';

export interface LengthLaw {
  /** Probability of each length from 1 on. */
  readonly probabilities: Float64Array;
  draw(random: RandomStream): number;
}

/** Every span is one word. */
export const ONE_WORD: LengthLaw = { probabilities: Float64Array.of(1), draw: () => 1 };

/**
 * P(k) ∝ p (1 − p)^(k−1) for k = 1..max. SpanBERT (arXiv 1907.10529 §3.1): p = 0.2, max = 10.
 * `reference` truncates and renormalises, as the released code: mean 3.797, and the paper reports 3.8. `paper` clips, as
 * the paper's text says: what is longer than max counts as max, mean 4.463.
 */
export function geometricLengths(p: number, max: number, style: 'reference' | 'paper' = 'reference'): LengthLaw {
  const mass = Float64Array.from({ length: max }, (_, i) => p * (1 - p) ** i);
  // All that is longer: (1 − p)^max.
  if (style === 'paper') mass[max - 1] += (1 - p) ** max;
  return lengthLaw(mass);
}

/** Lengths 1..max, each as often as the others. */
export function uniformLengths(max: number): LengthLaw {
  return lengthLaw(new Float64Array(max).fill(1));
}

function lengthLaw(mass: Float64Array): LengthLaw {
  const total = mass.reduce((sum, value) => sum + value, 0);
  const probabilities = mass.map((value) => value / total);
  return {
    probabilities,
    draw(random) {
      let u = random.uniform();
      for (let i = 0; i < probabilities.length - 1; i++) {
        u -= probabilities[i];
        if (u < 0) return i + 1;
      }
      return probabilities.length;
    },
  };
}
