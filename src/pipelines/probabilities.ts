/** From logits to probabilities. */

/** x − log Σ exp x, in float64. */
export function logSoftmax<T extends Float32Array | Float64Array>(logits: T): T {
  let highest = Number.NEGATIVE_INFINITY;
  for (const logit of logits) highest = Math.max(highest, logit);
  let total = 0;
  for (const logit of logits) total += Math.exp(logit - highest);
  const shift = highest + Math.log(total);
  return logits.map((logit) => logit - shift) as T;
}

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
