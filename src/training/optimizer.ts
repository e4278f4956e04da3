/**
 * AdamW (Loshchilov & Hutter, arXiv 1711.05101, algorithm 2) as graphs over flat arenas. An engine runs them over pieces
 * of the arenas; the state nodes are named after the arenas and all have the one size "chunk".
 */
import type { ArenaRange, Tensor } from '../engine/engine.js';
import { type Graph, GraphBuilder } from '../graph/graph.js';
import { AVERAGE, type ParameterRange } from './parameterLayout.js';

export interface AdamSettings {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /**
   * `corrected` divides the moments by 1 − βᵗ (Kingma & Ba, arXiv 1412.6980, §3); `reference` does not, as the released
   * ELECTRA code: its first steps are then up to (1 − β1)/√(1 − β2) ≈ 3.2 times as long.
   */
  readonly biasCorrection: 'corrected' | 'reference';
  /** Decay of the average of the weights, 0 to below 1; 0 or nothing for none. */
  readonly averageDecay?: number;
}

/**
 * Elements of each arena that one run of the update sees: four pieces of 512 KiB, which a second-level cache holds from
 * one pass to the next. Measured with 17.5 million parameters on 2 threads, norm + update: pieces of 2¹⁴
 * elements take 187 ms, 2¹⁷ 65 ms, 2²² 188 ms.
 */
export const UPDATE_CHUNK = 1 << 17;

const CHUNK = ['chunk'] as const;

/** Output `sumOfSquares`: Σ g² over a piece of the gradients. */
export function normGraph(): Graph {
  const b = new GraphBuilder();
  const gradients = b.state('gradients', CHUNK);
  b.output('sumOfSquares', b.reduceSum(b.mul(gradients, gradients)));
  return b.build();
}

/**
 * One AdamW step over a piece of the arenas.
 *
 *     g ← gradientScale · g
 *     m ← β1·m + (1−β1)·g
 *     v ← β2·v + (1−β2)·g²
 *     p ← p − (decay · p + stepSize · m / (√v + epsilon))
 *
 * and, where weights are averaged, a ← a + averageRate · (p − a).
 *
 * Inputs, all scalars: `gradientScale`, `decay`, `stepSize`, `epsilon`, `averageRate`; `updateFeeds` says what they are.
 */
export function updateGraph({
  beta1,
  beta2,
  averageDecay,
}: Pick<AdamSettings, 'beta1' | 'beta2' | 'averageDecay'>): Graph {
  const b = new GraphBuilder();
  const scalar = (name: string) => b.input(name, 'float32', []);
  const parameters = b.state('parameters', CHUNK);
  const gradient = b.mul(b.state('gradients', CHUNK), scalar('gradientScale'));
  const average = (moment: typeof gradient, beta: number, value: typeof gradient) =>
    b.add(b.mul(moment, b.scalar(beta)), b.mul(value, b.scalar(1 - beta)));
  const first = average(b.state('firstMoment', CHUNK), beta1, gradient);
  const second = average(b.state('secondMoment', CHUNK), beta2, b.mul(gradient, gradient));
  const direction = b.div(first, b.add(b.sqrt(second), scalar('epsilon')));
  const change = b.add(b.mul(parameters, scalar('decay')), b.mul(direction, scalar('stepSize')));
  b.update('firstMoment', first);
  b.update('secondMoment', second);
  const changed = b.sub(parameters, change);
  b.update('parameters', changed);
  if (averageDecay) {
    const average = b.state(AVERAGE, CHUNK);
    b.update(AVERAGE, b.add(average, b.mul(b.sub(changed, average), scalar('averageRate'))));
  }
  return b.build();
}

/**
 * The scalars of a step, computed in float64. With c1 = 1 − β1ᵗ and c2 = 1 − β2ᵗ,
 * (m/c1) / (√(v/c2) + ε) = (√c2/c1) · m / (√v + ε·√c2), so the correction costs no pass over the moments.
 * @param updates        t, counted from 1
 * @param gradientScale  what clipping multiplies the gradient by
 */
export function updateFeeds(
  { beta1, beta2, epsilon, weightDecay, biasCorrection, averageDecay }: AdamSettings,
  { updates, learningRate, gradientScale }: { updates: number; learningRate: number; gradientScale: number },
  decayed: boolean,
): Record<string, Tensor> {
  const corrects = biasCorrection === 'corrected';
  const first = corrects ? 1 - beta1 ** updates : 1;
  const second = corrects ? Math.sqrt(1 - beta2 ** updates) : 1;
  return {
    gradientScale: scalarTensor(gradientScale),
    decay: scalarTensor(decayed ? learningRate * weightDecay : 0),
    stepSize: scalarTensor((learningRate * second) / first),
    epsilon: scalarTensor(epsilon * second),
    ...(averageDecay && { averageRate: scalarTensor(averageRate(averageDecay, updates)) }),
  };
}

/**
 * How much of an average is new: 1 − decay, and more in the first steps, so that what the weights began with is soon forgotten:
 * min(decay, (1 + t)/(10 + t)), as TensorFlow's ExponentialMovingAverage with `num_updates`.
 */
export function averageRate(decay: number, updates: number): number {
  return 1 - Math.min(decay, (1 + updates) / (10 + updates));
}

/** The ranges of an update, each with the scalars of its group. */
export function updateRanges(
  ranges: readonly ParameterRange[],
  adam: AdamSettings,
  step: { updates: number; learningRate: number; gradientScale: number },
): ArenaRange[] {
  return ranges.map(({ start, end, decayed, rateScale }) => {
    const learningRate = rateScale * step.learningRate;
    return { start, end, feeds: updateFeeds(adam, { ...step, learningRate }, decayed) };
  });
}

/** What clipping multiplies all gradients by, so that their joint norm is at most `clipNorm`; 0 switches clipping off. */
export function clipScale(norm: number, clipNorm: number): number {
  return clipNorm > 0 && norm > clipNorm ? clipNorm / norm : 1;
}

function scalarTensor(value: number): Tensor {
  return { dtype: 'float32', shape: [], data: Float32Array.of(value) };
}
