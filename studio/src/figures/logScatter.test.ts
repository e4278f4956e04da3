import { describe, expect, it } from 'vitest';
import { logScale, onScale, placeLabels } from './logScatter.js';

describe('logScale', () => {
  it('goes from a whole power of ten to another', () => {
    const scale = logScale([Math.log(0.2), Math.log(0.003), Math.log(0.00045)]);
    expect(scale).toEqual({ low: -4, high: 0 });
    expect(onScale(Math.log(0.01), scale)).toBeCloseTo(0.5, 12);
    expect(onScale(Math.log(1e-9), scale)).toBe(0);
  });

  it('spans two decades at least, and ends at 1', () => {
    expect(logScale([Math.log(0.5)])).toEqual({ low: -2, high: 0 });
    expect(logScale([0])).toEqual({ low: -2, high: 0 });
  });
});

describe('placeLabels', () => {
  const widthOf = (text: string) => 10 * text.length;

  it('leaves out a name that would stand on another, the later one', () => {
    const points = [
      { x: 0, y: 0, text: 'abc' },
      { x: 10, y: 5, text: 'abc' },
      { x: 0, y: 40, text: 'abc' },
    ];
    const placed = placeLabels(points, [1, 0, 2], { right: 200, most: 9, widthOf });
    expect(placed.map(({ index }) => index)).toEqual([1, 2]);
    expect(placeLabels(points, [0, 1, 2], { right: 200, most: 1, widthOf }).map(({ index }) => index)).toEqual([0]);
  });

  it('turns a name to the left at the right edge', () => {
    const [label] = placeLabels([{ x: 95, y: 0, text: 'abc' }], [0], { right: 100, most: 9, widthOf });
    expect(label.x).toBe(95 - 8 - 30);
  });
});
