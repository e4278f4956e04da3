/** Correlations of numbers, as scipy's pearsonr and spearmanr have them: NaN where one side is constant. */

/**
 * Pearson's correlation, −1 to 1:
 *
 *   r = Σ (x − x̄)(y − ȳ) / (‖x − x̄‖·‖y − ȳ‖)
 *
 * Sums are compensated, so that the result is right to the last digits whatever the order of rows.
 */
export function pearsonCorrelation(x: ArrayLike<number>, y: ArrayLike<number>): number {
  if (x.length < 2 || isConstant(x) || isConstant(y)) return Number.NaN;
  const [a, b] = [centered(x), centered(y)];
  // Each side is scaled to length 1 before the product, so that no square of a large number overflows.
  const [normA, normB] = [norm(a), norm(b)];
  const r = sum(a.length, (i) => (a[i] / normA) * (b[i] / normB));
  return Math.max(-1, Math.min(1, r));
}

/** Spearman's correlation: Pearson's of the ranks, equal values sharing the mean of theirs. */
export function spearmanCorrelation(x: ArrayLike<number>, y: ArrayLike<number>): number {
  return pearsonCorrelation(ranks(x), ranks(y));
}

/** Ranks from 1; equal values have the mean of the ranks that they take up. */
export function ranks(values: ArrayLike<number>): Float64Array {
  const order = Array.from({ length: values.length }, (_, i) => i).sort((a, b) => values[a] - values[b]);
  const found = new Float64Array(values.length);
  for (let first = 0; first < order.length; ) {
    let end = first + 1;
    while (end < order.length && values[order[end]] === values[order[first]]) end++;
    for (let i = first; i < end; i++) found[order[i]] = (first + 1 + end) / 2;
    first = end;
  }
  return found;
}

/** The mean of squared differences. */
export function meanSquaredError(predicted: ArrayLike<number>, expected: ArrayLike<number>): number {
  return sum(expected.length, (i) => (predicted[i] - expected[i]) ** 2) / expected.length;
}

function isConstant(values: ArrayLike<number>): boolean {
  for (let i = 1; i < values.length; i++) if (values[i] !== values[0]) return false;
  return true;
}

/** The mean is rounded, and of values that are nearly constant that is much of their differences: it is taken off twice. */
function centered(values: ArrayLike<number>): Float64Array {
  const mean = meanOf(values);
  const once = Float64Array.from(values, (value) => value - mean);
  const rest = meanOf(once);
  return once.map((value) => value - rest);
}

const meanOf = (values: ArrayLike<number>) => sum(values.length, (i) => values[i]) / values.length;

/** √Σ x², of numbers scaled by the largest. */
function norm(values: Float64Array): number {
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return largest * Math.sqrt(sum(values.length, (i) => (values[i] / largest) ** 2));
}

/** Neumaier's compensated sum: what each addition loses is added up too. */
function sum(count: number, value: (i: number) => number): number {
  let total = 0;
  let lost = 0;
  for (let i = 0; i < count; i++) {
    const next = value(i);
    const larger = total + next;
    lost += Math.abs(total) >= Math.abs(next) ? total - larger + next : next - larger + total;
    total = larger;
  }
  return total + lost;
}
