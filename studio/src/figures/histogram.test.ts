import { expect, it } from 'vitest';
import { histogram } from './histogram.js';

const SIZE = { width: 100, height: 95, gap: 0.2 };

it('draws shares and law on one scale', () => {
  const [first, second] = histogram([1, 3], [0.5, 0.5], SIZE);
  // 1.9 times the law's highest is the top: a share of 0.25 stands at 25 of 95, one of 0.75 at 75, the law at 50.
  expect(first.height).toBeCloseTo(25, 9);
  expect(second.height).toBeCloseTo(75, 9);
  expect(first.lawY).toBeCloseTo(45, 9);
  expect(second.y + second.height).toBe(95);
});

it('gives each column its room', () => {
  const columns = histogram([0, 0], [0.5, 0.5], SIZE);
  for (const [i, x] of [5, 55].entries()) {
    expect(columns[i].x).toBeCloseTo(x, 9);
    expect(columns[i].width).toBeCloseTo(40, 9);
  }
  expect(columns.map(({ height }) => height)).toEqual([0, 0]);
});

it('cuts what is higher than the figure', () => {
  const [only] = histogram([4, 0], [0.5, 0.5], SIZE);
  expect(only).toMatchObject({ y: 0, height: 95 });
});
