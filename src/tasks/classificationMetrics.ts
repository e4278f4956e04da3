/** Metrics of predicted classes. */

/** Share of equal entries, 0 to 1. */
export function accuracy(predicted: ArrayLike<number>, expected: ArrayLike<number>): number {
  let hits = 0;
  for (let i = 0; i < expected.length; i++) hits += predicted[i] === expected[i] ? 1 : 0;
  return hits / expected.length;
}

/** Rows of a class by what was predicted for them: [expected][predicted]. */
export function confusionMatrix(
  predicted: ArrayLike<number>,
  expected: ArrayLike<number>,
  numClasses: number,
): number[][] {
  const counts = Array.from({ length: numClasses }, () => new Array<number>(numClasses).fill(0));
  for (let i = 0; i < expected.length; i++) counts[expected[i]][predicted[i]]++;
  return counts;
}

/**
 * Matthews correlation, −1 to 1, for two classes or more (Gorodkin 2004), and 0 where one class alone is expected or
 * predicted, as CoLA's scorer and scikit-learn's matthews_corrcoef have it.
 */
export function matthewsCorrelation(predicted: ArrayLike<number>, expected: ArrayLike<number>, numClasses = 2): number {
  const counts = confusionMatrix(predicted, expected, numClasses);
  const n = expected.length;
  const ofExpected = counts.map((row) => row.reduce((a, b) => a + b, 0));
  const ofPredicted = counts.map((_, k) => counts.reduce((sum, row) => sum + row[k], 0));
  const correct = counts.reduce((sum, row, k) => sum + row[k], 0);
  const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, k) => sum + value * b[k], 0);
  const product = (n * n - dot(ofPredicted, ofPredicted)) * (n * n - dot(ofExpected, ofExpected));
  return product === 0 ? 0 : (correct * n - dot(ofPredicted, ofExpected)) / Math.sqrt(product);
}

/** F1 of one class: the harmonic mean of precision and recall; 0 where the class is neither expected nor predicted. */
export function f1Score(predicted: ArrayLike<number>, expected: ArrayLike<number>, positive: number): number {
  let hits = 0;
  let either = 0;
  for (let i = 0; i < expected.length; i++) {
    const [isPredicted, isExpected] = [predicted[i] === positive, expected[i] === positive];
    if (isPredicted && isExpected) hits++;
    either += (isPredicted ? 1 : 0) + (isExpected ? 1 : 0);
  }
  return either === 0 ? 0 : (2 * hits) / either;
}

/** The mean of all classes' F1. */
export function macroF1(predicted: ArrayLike<number>, expected: ArrayLike<number>, numClasses: number): number {
  let sum = 0;
  for (let k = 0; k < numClasses; k++) sum += f1Score(predicted, expected, k);
  return sum / numClasses;
}

/** Metrics of texts that may have several labels each, from tables of 0 and 1. */
export interface SeveralLabelMetrics {
  /** F1 of all decisions together. */
  readonly microF1: number;
  /** The mean of all labels' F1; 0 for a label that is neither expected nor predicted. */
  readonly macroF1: number;
  /** Share of the texts all of whose labels are right. */
  readonly allRight: number;
}

/**
 * @param predicted  1 where a text has a label, [rows, labels]
 * @param expected   the same, of the data
 */
export function severalLabelMetrics(
  predicted: ArrayLike<number>,
  expected: ArrayLike<number>,
  numLabels: number,
): SeveralLabelMetrics {
  const rows = expected.length / numLabels;
  const column = (values: ArrayLike<number>, label: number) =>
    Array.from({ length: rows }, (_, row) => values[row * numLabels + label]);
  let sum = 0;
  for (let k = 0; k < numLabels; k++) sum += f1Score(column(predicted, k), column(expected, k), 1);
  let right = 0;
  for (let row = 0; row < rows; row++) {
    let isRight = true;
    for (let i = row * numLabels; i < (row + 1) * numLabels; i++) isRight &&= predicted[i] === expected[i];
    right += isRight ? 1 : 0;
  }
  return { microF1: f1Score(predicted, expected, 1), macroF1: sum / numLabels, allRight: right / rows };
}
