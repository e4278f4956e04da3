import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../random/philox.js';
import { accuracy, matthewsCorrelation } from '../classificationMetrics.js';
import { denseFeatures, selectRows, sparseFeatures, standardizationOf, standardize } from './features.js';
import { minimize } from './lbfgs.js';
import { fitLogisticRegression, predictClasses } from './logisticRegression.js';

describe('minimize', () => {
  it('finds the minimum of an ill-conditioned quadratic', () => {
    const scales = [1, 10, 100, 1000];
    const { x, converged } = minimize(
      (at, gradient) => {
        let value = 0;
        scales.forEach((scale, i) => {
          gradient[i] = scale * (at[i] - i);
          value += (scale * (at[i] - i) ** 2) / 2;
        });
        return value;
      },
      new Float64Array(4),
      { tolerance: 1e-9 },
    );
    expect(converged).toBe(true);
    x.forEach((value, i) => {
      expect(value).toBeCloseTo(i, 8);
    });
  });

  it('says when it ran out of iterations', () => {
    const steep = (x: Float64Array, g: Float64Array) => {
      x.forEach((value, i) => {
        g[i] = (i + 1) * value;
      });
      return x.reduce((sum, value, i) => sum + ((i + 1) * value ** 2) / 2, 0);
    };
    expect(minimize(steep, new Float64Array(5).fill(9), { maxIterations: 1 }).converged).toBe(false);
  });
});

describe('fitLogisticRegression', () => {
  it('without regularisation gives the log-odds of a table', () => {
    // x = 0: 1 of 4 is class 1; x = 1: 3 of 5. So b1−b0 = ln(1/3) and w1−w0 = ln(3/2) − ln(1/3).
    const x = denseFeatures(Float64Array.of(0, 0, 0, 0, 1, 1, 1, 1, 1), 1);
    const labels = [0, 0, 0, 1, 1, 1, 1, 0, 0];
    const { parameters } = fitLogisticRegression(x, labels, { numClasses: 2, l2: 0 });
    const [w0, w1, b0, b1] = parameters;
    expect(b1 - b0).toBeCloseTo(Math.log(1 / 3), 3);
    expect(w1 - w0).toBeCloseTo(Math.log(3 / 2) - Math.log(1 / 3), 3);
  });

  it('with regularisation is where the gradient vanishes: λ·W = mean (onehot(y) − p)·x', () => {
    const random = new RandomStream(3, 'test');
    const [rows, D, K, l2] = [60, 3, 3, 0.05];
    const values = Float64Array.from({ length: rows * D }, () => random.normal());
    const labels = Int32Array.from({ length: rows }, (_, i) =>
      values[i * D] > 0.3 ? 2 : values[i * D + 1] > 0 ? 1 : 0,
    );
    const { parameters } = fitLogisticRegression(denseFeatures(values, D), labels, { numClasses: K, l2 });
    const pull = new Float64Array(K * D);
    for (let i = 0; i < rows; i++) {
      const z = Array.from({ length: K }, (_, k) => {
        let sum = parameters[K * D + k];
        for (let j = 0; j < D; j++) sum += parameters[k * D + j] * values[i * D + j];
        return Math.exp(sum);
      });
      const total = z.reduce((a, b) => a + b);
      for (let k = 0; k < K; k++) {
        for (let j = 0; j < D; j++) {
          pull[k * D + j] += (((labels[i] === k ? 1 : 0) - z[k] / total) * values[i * D + j]) / rows;
        }
      }
    }
    pull.forEach((value, i) => {
      expect(value).toBeCloseTo(l2 * parameters[i], 4);
    });
  });

  it('is the same for sparse features, and separates what is separable', () => {
    const rows = [[0], [0, 2], [1], [1, 2], [1, 3]].map((columns) => ({
      columns: Int32Array.from(columns),
      values: new Float64Array(columns.length).fill(1),
    }));
    const dense = new Float64Array(5 * 4);
    rows.forEach(({ columns }, i) => {
      for (const column of columns) dense[i * 4 + column] = 1;
    });
    const labels = [0, 0, 1, 1, 1];
    const options = { numClasses: 2, l2: 0.01 };
    const sparseModel = fitLogisticRegression(sparseFeatures(rows, 4), labels, options);
    const denseModel = fitLogisticRegression(denseFeatures(dense, 4), labels, options);
    expect(sparseModel.parameters).toEqual(denseModel.parameters);
    expect([...predictClasses(denseModel, denseFeatures(dense, 4))]).toEqual(labels);
    expect([...predictClasses(denseModel, selectRows(denseFeatures(dense, 4), Int32Array.of(4, 0)))]).toEqual([1, 0]);
  });
});

describe('standardize', () => {
  it('gives columns of mean 0 and variance 1, and zeros for one that never changes', () => {
    const values = Float64Array.of(1, 7, 3, 7, 5, 7);
    const result = standardize(values, standardizationOf(values, 2));
    const side = Math.sqrt(3 / 2); // (5 − 3) / √(8/3)
    [-side, 0, 0, 0, side, 0].forEach((expected, i) => {
      expect(result[i]).toBeCloseTo(expected, 12);
    });
  });
});

describe('classification metrics', () => {
  it('Matthews correlation of a worked example: TP 6, TN 3, FP 1, FN 2', () => {
    const expected = [...new Array(8).fill(1), ...new Array(4).fill(0)];
    const predicted = [1, 1, 1, 1, 1, 1, 0, 0, 1, 0, 0, 0];
    expect(matthewsCorrelation(predicted, expected)).toBeCloseTo((6 * 3 - 1 * 2) / Math.sqrt(7 * 8 * 4 * 5), 12);
    expect(accuracy(predicted, expected)).toBe(9 / 12);
  });

  it('is 0 for a constant prediction', () => {
    expect(matthewsCorrelation([1, 1, 1], [1, 0, 1])).toBe(0);
  });
});
