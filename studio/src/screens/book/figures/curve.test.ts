import { expect, test } from 'vitest';
import { curvePath, type Frame, toX, toY } from './curve.js';

const FRAME: Frame = { width: 100, height: 50, x: [-1, 1], y: [0, 10] };

test('the corners of a frame are its smallest and largest values, upwards', () => {
  expect([toX(FRAME, -1), toX(FRAME, 1), toY(FRAME, 0), toY(FRAME, 10)]).toEqual([0, 100, 50, 0]);
});

test('a curve goes through the values of its function', () => {
  expect(curvePath((x) => 5 * (x + 1), FRAME, 2)).toBe('M0.0 50.0L50.0 25.0L100.0 0.0');
});
