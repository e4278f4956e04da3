/**
 * Linear regression with L2 regularisation, in float64:
 *
 *   minimise  mean_i (w·x_i + b − y_i)²/2 + (λ/2)·‖w‖²,   w [D], b
 *
 * The bias is not regularised.
 */
import type { FeatureMatrix } from './features.js';
import { type MinimizeOptions, minimize } from './lbfgs.js';

/**
 * @param l2       λ
 * @param options  when the search ends
 * @returns w, then b: float64 [D + 1]
 */
export function fitRidgeRegression(
  x: FeatureMatrix,
  numbers: ArrayLike<number>,
  { l2, ...options }: { l2: number } & MinimizeOptions,
): Float64Array {
  const D = x.numColumns;
  const loss = (parameters: Float64Array, gradient: Float64Array): number => {
    let sum = 0;
    gradient.fill(0);
    for (let row = 0; row < x.numRows; row++) {
      const error = x.dot(row, parameters, 0) + parameters[D] - numbers[row];
      sum += error ** 2 / 2;
      x.addScaled(row, error / x.numRows, gradient, 0);
      gradient[D] += error / x.numRows;
    }
    let squares = 0;
    for (let j = 0; j < D; j++) {
      squares += parameters[j] ** 2;
      gradient[j] += l2 * parameters[j];
    }
    return sum / x.numRows + (l2 / 2) * squares;
  };
  return minimize(loss, new Float64Array(D + 1), options).x;
}

/** The number of each row. */
export function predictNumbers(parameters: Float64Array, x: FeatureMatrix): Float64Array {
  return Float64Array.from({ length: x.numRows }, (_, row) => x.dot(row, parameters, 0) + parameters[x.numColumns]);
}
