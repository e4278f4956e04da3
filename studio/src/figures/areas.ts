/** Geometry of a thin area over points: from the ground up to each value and down again. */

export interface AreaPoint {
  readonly x: number;
  /** 0 to `most`. */
  readonly value: number;
}

export interface AreaSize {
  /** Where the ground lies, and how far above it the highest value. */
  readonly ground: number;
  readonly height: number;
  /** The value that reaches the top. */
  readonly most: number;
}

/** @returns a closed path, empty where there is no point */
export function areaPath(points: readonly AreaPoint[], { ground, height, most }: AreaSize): string {
  if (points.length === 0) return '';
  const y = (value: number) => rounded(ground - (most > 0 ? Math.min(1, value / most) : 0) * height);
  const over = points.map(({ x, value }) => `L${rounded(x)} ${y(value)}`).join('');
  return `M${rounded(points[0].x)} ${rounded(ground)}${over}L${rounded(points[points.length - 1].x)} ${rounded(ground)}Z`;
}

/**
 * The points cut into runs that have something to show, each with the points beside it: over a long text most values are
 * nearly 0, and a line along the ground says nothing.
 * @param least  values above it are shown
 */
export function visibleRuns(points: readonly AreaPoint[], least: number): AreaPoint[][] {
  const runs: AreaPoint[][] = [];
  let shownUntil = -1;
  for (const [i, { value }] of points.entries()) {
    if (value <= least) continue;
    const from = Math.max(0, i - 1);
    const to = Math.min(points.length - 1, i + 1);
    if (from > shownUntil) runs.push(points.slice(from, to + 1));
    else runs[runs.length - 1].push(...points.slice(shownUntil + 1, to + 1));
    shownUntil = to;
  }
  return runs;
}

/** Values evenly over a width, each in the middle of its room. */
export function evenly(values: readonly number[], width: number): AreaPoint[] {
  return values.map((value, i) => ({ x: ((i + 0.5) / values.length) * width, value }));
}

/** Tenths of a pixel are fine enough, and a long text has many points. */
const rounded = (value: number) => Math.round(value * 10) / 10;
