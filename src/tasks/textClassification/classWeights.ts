/** Weights that give rare labels as much of the loss as frequent ones. */
import type { LabelledText } from '../example.js';
import type { ClassifiedRow } from './batches.js';
import { countLabels } from './labels.js';

/**
 * rows / (labels · rows of the label), as scikit-learn's class_weight="balanced"; 1 for a label without rows.
 * @returns a weight a label
 */
export function balancedWeights(texts: readonly LabelledText[], labels: readonly string[]): number[] {
  const counts = countLabels(texts.map(({ label }) => label));
  return labels.map((label) => {
    const count = counts.get(label);
    return count === undefined ? 1 : texts.length / (labels.length * count);
  });
}

/** Rows of one label each, weighed so. */
export function weighedRows(rows: readonly ClassifiedRow[], weights: readonly number[]): ClassifiedRow[] {
  return rows.map((row) => ({ ...row, weight: weights[row.targets[0]] }));
}
