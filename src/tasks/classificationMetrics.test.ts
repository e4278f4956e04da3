import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accuracy, confusionMatrix, f1Score, macroF1, matthewsCorrelation } from './classificationMetrics.js';

const expected = [0, 1, 2, 2, 1, 0, 2, 1, 0, 2];
const predicted = [0, 2, 2, 2, 1, 1, 2, 1, 0, 0];

describe('metrics of classes', () => {
  it('count what was predicted for each class', () => {
    expect(confusionMatrix(predicted, expected, 3)).toEqual([
      [2, 1, 0],
      [0, 2, 1],
      [1, 0, 3],
    ]);
  });

  it('have the values of their definitions', () => {
    expect(accuracy(predicted, expected)).toBe(0.7);
    // Class 0: precision 2/3, recall 2/3; class 1: 2/3, 2/3; class 2: 3/4, 3/4.
    expect([0, 1, 2].map((k) => f1Score(predicted, expected, k))).toEqual([2 / 3, 2 / 3, 3 / 4]);
    expect(macroF1(predicted, expected, 3)).toBeCloseTo((2 / 3 + 2 / 3 + 3 / 4) / 3, 15);
    // (c·s − Σ p·t) / √((s² − Σ p²)(s² − Σ t²)) with c 7, s 10, p = t = (3, 3, 4): (70 − 34) / (100 − 34).
    expect(matthewsCorrelation(predicted, expected, 3)).toBeCloseTo(36 / 66, 15);
  });

  it('of two classes agree with the formula of four counts', () => {
    const pairs = fc.array(fc.tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 1 })), { minLength: 1 });
    fc.assert(
      fc.property(pairs, (rows) => {
        const count = (p: number, e: number) => rows.filter(([a, b]) => a === p && b === e).length;
        const [tn, fp, fn, tp] = [count(0, 0), count(1, 0), count(0, 1), count(1, 1)];
        const product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn);
        const wanted = product === 0 ? 0 : (tp * tn - fp * fn) / Math.sqrt(product);
        const found = matthewsCorrelation(
          rows.map(([p]) => p),
          rows.map(([, e]) => e),
        );
        expect(found).toBeCloseTo(wanted, 12);
      }),
    );
  });

  it('are 0 where one class alone is predicted', () => {
    expect(matthewsCorrelation([1, 1, 1], [0, 1, 1])).toBe(0);
    expect(f1Score([0, 0], [0, 0], 1)).toBe(0);
  });
});
