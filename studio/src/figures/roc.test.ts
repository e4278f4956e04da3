import { describe, expect, it } from 'vitest';
import { atThreshold, rocCurve } from './roc.js';

describe('rocCurve', () => {
  it('counts pairs in the right order, ties as half: 7.5 of 9', () => {
    const doubts = [0.9, 0.8, 0.8, 0.6, 0.3, 0.2];
    const labels = [1, 1, 0, 1, 0, 0];
    const roc = rocCurve(doubts, labels);
    let pairs = 0;
    for (const [i, a] of labels.entries()) {
      for (const [j, b] of labels.entries()) {
        if (a === 1 && b === 0) pairs += doubts[i] > doubts[j] ? 1 : doubts[i] === doubts[j] ? 0.5 : 0;
      }
    }
    expect(pairs).toBe(7.5);
    expect(roc?.area).toBeCloseTo(pairs / 9, 12);
    expect(roc?.points[0]).toMatchObject({ falseAlarms: 0, found: 0 });
    expect(roc?.points.at(-1)).toMatchObject({ falseAlarms: 1, found: 1 });
  });

  it('is a half where all doubts are equal, one where all are in order', () => {
    expect(rocCurve([0.5, 0.5, 0.5], [1, 0, 0])?.area).toBe(0.5);
    expect(rocCurve([0.9, 0.2, 0.1], [1, 0, 0])?.area).toBe(1);
  });

  it('does not exist for labels of one kind', () => {
    expect(rocCurve([0.1, 0.2], [0, 0])).toBeUndefined();
    expect(rocCurve([], [])).toBeUndefined();
  });

  it('says what a threshold finds', () => {
    const roc = rocCurve([0.9, 0.7, 0.4, 0.1], [1, 0, 1, 0])!;
    expect(atThreshold(roc, 0.95)).toMatchObject({ falseAlarms: 0, found: 0 });
    expect(atThreshold(roc, 0.8)).toMatchObject({ falseAlarms: 0, found: 0.5 });
    expect(atThreshold(roc, 0.4)).toMatchObject({ falseAlarms: 0.5, found: 1 });
    expect(atThreshold(roc, 0)).toMatchObject({ falseAlarms: 1, found: 1 });
  });
});
