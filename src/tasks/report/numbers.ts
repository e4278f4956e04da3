/** Predicted numbers beside those that were wanted. */
import type { HistogramSection, ScatterSection } from './report.js';
import { roundTicks } from './roundTicks.js';

/** Points of a scatter plot: more cannot be told apart. */
const POINTS = 2000;

/** @param pairs  [wanted, predicted] */
export function scatterOf(pairs: readonly (readonly [number, number])[]): ScatterSection {
  const every = Math.ceil(pairs.length / POINTS);
  return { kind: 'scatter', numRows: pairs.length, points: pairs.filter((_, i) => i % every === 0) };
}

/** About twenty bins with round bounds; a number on a bound counts in the bin above, the last of all in the last. */
export function histogramOf(of: HistogramSection['of'], numbers: readonly number[]): HistogramSection {
  const bounds = roundTicks(numbers, 20);
  const bins = bounds.slice(1).map((to, i) => ({ from: bounds[i], to, count: 0 }));
  for (const number of numbers) {
    const at = bins.findIndex(({ to }) => number < to);
    bins[at < 0 ? bins.length - 1 : at].count++;
  }
  return { kind: 'histogram', of, bins };
}
