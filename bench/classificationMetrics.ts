/** Metrics of GLUE's single-sentence tasks. */

/** Share of equal entries, 0 to 1. */
export function accuracy(predicted: ArrayLike<number>, expected: ArrayLike<number>): number {
  let hits = 0;
  for (let i = 0; i < expected.length; i++) hits += predicted[i] === expected[i] ? 1 : 0;
  return hits / expected.length;
}

/**
 * Matthews correlation of two classes, −1 to 1, and 0 where one of the four sums is 0, as CoLA's scorer has it:
 * (TP·TN − FP·FN) / √((TP+FP)(TP+FN)(TN+FP)(TN+FN)).
 */
export function matthewsCorrelation(predicted: ArrayLike<number>, expected: ArrayLike<number>): number {
  const counts = [0, 0, 0, 0]; // TN, FP, FN, TP
  for (let i = 0; i < expected.length; i++) counts[2 * expected[i] + predicted[i]]++;
  const [tn, fp, fn, tp] = counts;
  const product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn);
  return product === 0 ? 0 : (tp * tn - fp * fn) / Math.sqrt(product);
}
