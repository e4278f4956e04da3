/** A draw from a generator's distribution at one place. */

export interface DrawOptions {
  /** Divides the logits before the softmax, above 0. */
  readonly temperature: number;
  /** Which ids may be drawn. At least one must. */
  allows(id: number): boolean;
}

/**
 * Inverse-CDF draw among the ids that `allows` lets through.
 * @param logProbabilities  or logits, float32 [V]
 * @param uniform           in [0, 1)
 */
export function drawToken(
  logProbabilities: Float32Array,
  uniform: number,
  { temperature, allows }: DrawOptions,
): number {
  // Divided before the exponential and shifted by the largest: at a low temperature all would be 0 otherwise.
  let largest = Number.NEGATIVE_INFINITY;
  logProbabilities.forEach((value, id) => {
    if (value > largest && allows(id)) largest = value;
  });
  const weights = Float64Array.from(logProbabilities, (value, id) =>
    allows(id) ? Math.exp((value - largest) / temperature) : 0,
  );
  let left = uniform * weights.reduce((sum, weight) => sum + weight, 0);
  let last = 0;
  for (let id = 0; id < weights.length; id++) {
    if (weights[id] === 0) continue;
    last = id;
    left -= weights[id];
    if (left < 0) break;
  }
  return last;
}
