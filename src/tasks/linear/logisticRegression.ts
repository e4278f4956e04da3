/**
 * Multinomial logistic regression with L2 regularisation, in float64:
 *
 *   minimise  mean_i −log softmax(W·x_i + b)[y_i] + (λ/2)·‖W‖²,   W [K, D], b [K]
 *
 * The biases are not regularised.
 */
import type { FeatureMatrix } from './features.js';
import { type MinimizeOptions, minimize } from './lbfgs.js';

export interface LogisticModel {
  readonly numClasses: number;
  readonly numColumns: number;
  /** W row by row, then b: float64 [K·D + K]. */
  readonly parameters: Float64Array;
}

/** Scores before the softmax of one row, [K]. */
function logits(
  { numClasses: K, numColumns: D, parameters }: LogisticModel,
  x: FeatureMatrix,
  row: number,
): Float64Array {
  return Float64Array.from({ length: K }, (_, k) => x.dot(row, parameters, k * D) + parameters[K * D + k]);
}

/**
 * @param labels  class of each row, 0 to numClasses − 1
 * @param l2      λ
 * @param start   where to begin, for instance the model of a larger λ; zeros by default
 * @param options when the search ends
 */
export function fitLogisticRegression(
  x: FeatureMatrix,
  labels: ArrayLike<number>,
  { numClasses: K, l2, start, ...options }: { numClasses: number; l2: number; start?: LogisticModel } & MinimizeOptions,
): LogisticModel {
  const D = x.numColumns;
  const loss = (parameters: Float64Array, gradient: Float64Array): number => {
    const model = { numClasses: K, numColumns: D, parameters };
    let sum = 0;
    gradient.fill(0);
    for (let row = 0; row < x.numRows; row++) {
      const p = logits(model, x, row);
      const logTotal = logSumExp(p);
      sum += logTotal - p[labels[row]];
      for (let k = 0; k < K; k++) {
        // d/dz_k of −log softmax(z)[y] = softmax(z)_k − [k = y]
        const slope = (Math.exp(p[k] - logTotal) - (k === labels[row] ? 1 : 0)) / x.numRows;
        x.addScaled(row, slope, gradient, k * D);
        gradient[K * D + k] += slope;
      }
    }
    let squares = 0;
    for (let i = 0; i < K * D; i++) {
      squares += parameters[i] ** 2;
      gradient[i] += l2 * parameters[i];
    }
    return sum / x.numRows + (l2 / 2) * squares;
  };
  const { x: parameters } = minimize(loss, start?.parameters ?? new Float64Array(K * D + K), options);
  return { numClasses: K, numColumns: D, parameters };
}

/** The most probable class of each row, the first of equals. */
export function predictClasses(model: LogisticModel, x: FeatureMatrix): Int32Array {
  return Int32Array.from({ length: x.numRows }, (_, row) => {
    const z = logits(model, x, row);
    return z.indexOf(z.reduce((a, b) => Math.max(a, b)));
  });
}

function logSumExp(z: Float64Array): number {
  const max = z.reduce((a, b) => Math.max(a, b));
  return max + Math.log(z.reduce((sum, value) => sum + Math.exp(value - max), 0));
}
