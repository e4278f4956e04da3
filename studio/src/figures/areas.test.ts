import { expect, it } from 'vitest';
import { areaPath, evenly, visibleRuns } from './areas.js';

it('goes from the ground over the values back to the ground', () => {
  const points = [
    { x: 5, value: 0 },
    { x: 15, value: 0.5 },
    { x: 25, value: 0.25 },
  ];
  expect(areaPath(points, { ground: 20, height: 20, most: 0.5 })).toBe('M5 20L5 20L15 0L25 10L25 20Z');
});

it('is empty without points and flat where all values are 0', () => {
  expect(areaPath([], { ground: 1, height: 1, most: 1 })).toBe('');
  expect(areaPath([{ x: 0, value: 0 }], { ground: 9, height: 5, most: 0 })).toBe('M0 9L0 9L0 9Z');
});

it('puts values evenly over a width', () => {
  expect(evenly([1, 2], 10)).toEqual([
    { x: 2.5, value: 1 },
    { x: 7.5, value: 2 },
  ]);
});

it('leaves out what is nearly 0, but for the feet of what is not', () => {
  const points = [0, 0, 5, 0, 0, 0, 7, 8, 0, 0, 0].map((value, x) => ({ x, value }));
  expect(visibleRuns(points, 1).map((run) => run.map(({ x }) => x))).toEqual([
    [1, 2, 3],
    [5, 6, 7, 8],
  ]);
  const close = [9, 0, 9].map((value, x) => ({ x, value }));
  expect(visibleRuns(close, 1)).toEqual([close]);
  expect(visibleRuns(points, 10)).toEqual([]);
});
