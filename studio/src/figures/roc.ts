/** A ROC curve: how many of the replaced are found for how many false alarms, as the threshold falls. */

export interface RocPoint {
  /** Tokens with a doubt of at least this are called replaced. */
  readonly threshold: number;
  /** Of the originals, called replaced; 0 to 1. */
  readonly falseAlarms: number;
  /** Of the replaced, called replaced; 0 to 1. */
  readonly found: number;
}

export interface Roc {
  /** From (0, 0) to (1, 1); one point for each doubt that occurs. */
  readonly points: readonly RocPoint[];
  /** Area under the curve: the probability that a replaced token is doubted more than an original one. */
  readonly area: number;
}

/** @returns undefined where all labels are equal: there is then no curve */
export function rocCurve(doubts: readonly number[], labels: readonly number[]): Roc | undefined {
  const positives = labels.filter((label) => label === 1).length;
  const negatives = labels.length - positives;
  if (positives === 0 || negatives === 0) return undefined;
  const order = [...doubts.keys()].sort((a, b) => doubts[b] - doubts[a]);
  const points: RocPoint[] = [{ threshold: Number.POSITIVE_INFINITY, falseAlarms: 0, found: 0 }];
  let [hits, alarms, area] = [0, 0, 0];
  for (let i = 0; i < order.length; ) {
    const threshold = doubts[order[i]];
    const before = points[points.length - 1];
    for (; i < order.length && doubts[order[i]] === threshold; i++) {
      if (labels[order[i]] === 1) hits++;
      else alarms++;
    }
    const point = { threshold, falseAlarms: alarms / negatives, found: hits / positives };
    area += ((point.falseAlarms - before.falseAlarms) * (point.found + before.found)) / 2;
    points.push(point);
  }
  return { points, area };
}

/** What a threshold does: the last point of the curve that it reaches. */
export function atThreshold({ points }: Roc, threshold: number): RocPoint {
  return points.findLast((point) => point.threshold >= threshold) ?? points[0];
}
