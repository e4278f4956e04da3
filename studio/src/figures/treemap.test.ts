import { describe, expect, it } from 'vitest';
import { treemap } from './treemap.js';

describe('areas of parts', () => {
  it('are as large as their shares and fill the box', () => {
    const values = [6, 6, 4, 3, 2, 2, 1];
    const placed = treemap(values, 600, 400);
    for (const { index, width, height } of placed)
      expect(width * height).toBeCloseTo((values[index] / 24) * 240_000, 6);
    for (const { x, y, width, height } of placed) {
      expect(x).toBeGreaterThanOrEqual(0);
      expect(y).toBeGreaterThanOrEqual(0);
      expect(x + width).toBeLessThanOrEqual(600 + 1e-9);
      expect(y + height).toBeLessThanOrEqual(400 + 1e-9);
    }
  });

  it('are those of the paper’s example: 6, 6 in a column, then 4 and 3 in a row of the rest', () => {
    // Bruls, Huizing, van Wijk 2000, figure 4: a 6 × 4 box, areas 6 6 4 3 2 2 1.
    const [first, second, third, fourth] = treemap([6, 6, 4, 3, 2, 2, 1], 6, 4);
    expect(first).toMatchObject({ x: 0, y: 0, width: 3, height: 2 });
    expect(second).toMatchObject({ x: 0, y: 2, width: 3, height: 2 });
    expect(third.y).toBe(0);
    expect(third.height).toBeCloseTo(7 / 3, 9);
    expect(fourth.width).toBeCloseTo(9 / 7, 9);
  });

  it('overlap nowhere, whatever the order', () => {
    const placed = treemap([1, 50, 3, 9, 9, 20, 0], 320, 180);
    expect(placed).toHaveLength(6);
    for (const [i, a] of placed.entries()) {
      for (const b of placed.slice(i + 1)) {
        const apart =
          a.x + a.width <= b.x + 1e-9 ||
          b.x + b.width <= a.x + 1e-9 ||
          a.y + a.height <= b.y + 1e-9 ||
          b.y + b.height <= a.y + 1e-9;
        expect(apart).toBe(true);
      }
    }
  });

  it('of nothing are none', () => {
    expect(treemap([], 100, 100)).toEqual([]);
    expect(treemap([0, 0], 100, 100)).toEqual([]);
    expect(treemap([1], 0, 100)).toEqual([]);
  });
});
