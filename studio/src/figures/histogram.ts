/** Geometry of a histogram of counts beside a law: bars from the ground up, and the height that the law gives each. */

export interface HistogramColumn {
  readonly x: number;
  readonly width: number;
  /** Top and height of the bar. */
  readonly y: number;
  readonly height: number;
  /** Where the law's line over the column lies. */
  readonly lawY: number;
}

export interface HistogramSize {
  readonly width: number;
  readonly height: number;
  /** Part of a column's room that is left empty, 0 to 1. */
  readonly gap?: number;
}

/**
 * @param counts         of each value
 * @param probabilities  of each value by the law, as many
 * @returns              columns; both are shares, on one scale that leaves the law readable when a few throws make high shares
 */
export function histogram(
  counts: readonly number[],
  probabilities: readonly number[],
  { width, height, gap = 0.3 }: HistogramSize,
): HistogramColumn[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const most = Math.max(...probabilities) * 1.9;
  const room = width / counts.length;
  const top = (share: number) => height - (Math.min(share, most) / most) * height;
  return counts.map((count, i) => {
    const y = top(total === 0 ? 0 : count / total);
    return { x: (i + gap / 2) * room, width: (1 - gap) * room, y, height: height - y, lawY: top(probabilities[i]) };
  });
}
