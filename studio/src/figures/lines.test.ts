import { expect, test } from 'vitest';
import { brokenLines, textWidth } from './lines.js';
import { stackedSegments } from './stack.js';

test('breaks columns into lines that fit', () => {
  expect(brokenLines([30, 30, 30, 30], 70, 5)).toEqual([
    [0, 1],
    [2, 3],
  ]);
  expect(brokenLines([200, 10], 70, 5)).toEqual([[0], [1]]);
  expect(brokenLines([30, 35], 70, 5)).toEqual([[0, 1]]);
  expect(brokenLines([], 70, 5)).toEqual([]);
});

test('takes Hangul for wider than Latin letters', () => {
  expect(textWidth('요리사', 10)).toBeGreaterThan(textWidth('abcd', 10));
});

test('puts the parts of a sum one after another', () => {
  const segments = stackedSegments([{ value: 2 }, { value: 0 }, { value: 3 }], 10, 5);
  expect(segments.map(({ x, width }) => [x, width])).toEqual([
    [5, 20],
    [25, 0],
    [25, 30],
  ]);
});
