/** Points on two logarithmic axes of probability, and which of them can bear their names. */

export interface LogScale {
  /** Powers of ten at the ends: the axis goes from 10^low to 10^high. */
  readonly low: number;
  readonly high: number;
}

/** Whole powers of ten around all values, at least `decades` apart. */
export function logScale(logProbabilities: readonly number[], decades = 2): LogScale {
  const powers = logProbabilities.map((value) => value / Math.LN10);
  const high = Math.min(0, Math.ceil(Math.max(...powers))) + 0; // no negative zero
  const low = Math.floor(Math.min(...powers));
  return { low: Math.min(low, high - decades), high };
}

/** Place on the axis, 0 to 1. */
export function onScale(logProbability: number, { low, high }: LogScale): number {
  return Math.min(1, Math.max(0, (logProbability / Math.LN10 - low) / (high - low)));
}

export interface PlacedLabel {
  readonly index: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

export interface LabelledPoint {
  readonly x: number;
  readonly y: number;
  readonly text: string;
}

const LINE = 16;

/**
 * Names beside points, none over another; the first points come first.
 * @param order   indices of points, the most important first
 * @param right   where the drawing ends: names that would run out of it stand on the left of their point
 */
export function placeLabels(
  points: readonly LabelledPoint[],
  order: readonly number[],
  { right, most, widthOf }: { right: number; most: number; widthOf(text: string): number },
): PlacedLabel[] {
  const placed: PlacedLabel[] = [];
  for (const index of order) {
    if (placed.length >= most) break;
    const { x, y, text } = points[index];
    const width = widthOf(text);
    const left = x + 8 + width > right ? x - 8 - width : x + 8;
    const overlaps = placed.some(
      (other) => left < other.x + other.width + 4 && other.x < left + width + 4 && Math.abs(other.y - y) < LINE,
    );
    if (!overlaps) placed.push({ index, x: left, y, width });
  }
  return placed;
}
