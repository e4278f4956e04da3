/** What several runs of one training reached. */
import { median } from '../training/median.js';

export interface Spread {
  readonly median: number;
  readonly mean: number;
  /** Standard deviation of a sample (n − 1); 0 of one value. */
  readonly std: number;
}

/** @param values  at least one */
export function spreadOf(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { median: median(values), mean, std: Math.sqrt(squares / Math.max(1, values.length - 1)) };
}
