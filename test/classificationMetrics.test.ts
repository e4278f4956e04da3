/** Metrics of classes, of several labels and of numbers against scikit-learn and scipy: test/golden/make_classification_metrics.py. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  accuracy,
  f1Score,
  macroF1,
  matthewsCorrelation,
  severalLabelMetrics,
} from '../src/tasks/classificationMetrics.js';
import { meanSquaredError, pearsonCorrelation, spearmanCorrelation } from '../src/tasks/correlation.js';

interface ClassesCase {
  readonly kind: 'classes';
  readonly numClasses: number;
  readonly predicted: string;
  readonly expected: string;
  readonly accuracy: number;
  readonly macroF1: number;
  readonly matthews: number;
  readonly f1?: number;
}
interface LabelsCase {
  readonly kind: 'labels';
  readonly predicted: readonly string[];
  readonly expected: readonly string[];
  readonly microF1: number;
  readonly macroF1: number;
  readonly allRight: number;
}
interface NumbersCase {
  readonly kind: 'numbers';
  readonly predicted: readonly number[];
  readonly expected: readonly number[];
  readonly pearson: number | null;
  readonly spearman: number | null;
  readonly error: number;
}
type Case = ClassesCase | LabelsCase | NumbersCase;

const path = new URL('./golden/classification-metrics.json', import.meta.url);
const golden: Record<'real' | 'odd', Case[]> = JSON.parse(readFileSync(path, 'utf8'));
const numRows = (cases: Case[]) => cases.reduce((sum, { expected }) => sum + expected.length, 0);
const orNull = (value: number) => (Number.isNaN(value) ? null : value);
const digits = (text: string) => Array.from(text, (digit) => Number.parseInt(digit, 36));
const bits = (rows: readonly string[]) => rows.flatMap((row) => Array.from(row, Number));

function ours(found: Case): Record<string, number | null> {
  if (found.kind === 'numbers') {
    const { predicted, expected } = found;
    return {
      pearson: orNull(pearsonCorrelation(predicted, expected)),
      spearman: orNull(spearmanCorrelation(predicted, expected)),
      error: meanSquaredError(predicted, expected),
    };
  }
  if (found.kind === 'labels') {
    const metrics = severalLabelMetrics(bits(found.predicted), bits(found.expected), found.expected[0].length);
    return { ...metrics };
  }
  const [predicted, expected] = [digits(found.predicted), digits(found.expected)];
  return {
    accuracy: accuracy(predicted, expected),
    macroF1: macroF1(predicted, expected, found.numClasses),
    matthews: matthewsCorrelation(predicted, expected, found.numClasses),
    ...(found.numClasses === 2 && { f1: f1Score(predicted, expected, 1) }),
  };
}

describe('metrics equal those of scikit-learn and scipy', () => {
  it('on predictions enough', () => {
    expect(numRows(golden.real)).toBeGreaterThanOrEqual(3000);
    expect(golden.odd.length).toBeGreaterThanOrEqual(500);
  });

  it.each(['real', 'odd'] as const)('to the last digit, on %s predictions', (name) => {
    for (const [index, one] of golden[name].entries()) {
      for (const [metric, value] of Object.entries(ours(one))) {
        const wanted = (one as unknown as Record<string, number | null>)[metric];
        const where = `${name} ${index}: ${metric} is ${value}, expected ${wanted}`;
        if (value === null || wanted === null) expect(value, where).toBe(wanted);
        // Of counts both take the same few steps; the mean of more than eight classes numpy adds up in another order.
        else if (one.kind !== 'numbers' && metric !== 'macroF1') expect(value, where).toBe(wanted);
        // Ours are compensated sums, scipy's are BLAS's, which are off by some units of the 16th digit themselves.
        else expect(Math.abs(value - wanted), where).toBeLessThanOrEqual(1e-15 * Math.max(1, Math.abs(wanted)));
      }
    }
  });
});
