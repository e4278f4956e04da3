import { expect, it } from 'vitest';
import { SPAN_LENGTH_LAW, throwCounts, throwSpan } from './spanThrows.js';

it('draws lengths by 0.2 · 0.8^(k−1), cut off at 10 words', () => {
  const mass = Array.from({ length: 10 }, (_, i) => 0.2 * 0.8 ** i);
  const total = mass.reduce((sum, each) => sum + each);
  for (const [i, p] of SPAN_LENGTH_LAW.entries()) expect(p).toBeCloseTo(mass[i] / total, 12);
  const throws = 4000;
  const counts = throwCounts(10, 1, throws);
  expect(counts.reduce((sum, each) => sum + each)).toBe(throws);
  // Pearson's chi-squared with 9 degrees of freedom: 27.9 is passed by one seed of a thousand.
  const chi = counts.reduce(
    (sum, n, i) => sum + (n - throws * SPAN_LENGTH_LAW[i]) ** 2 / (throws * SPAN_LENGTH_LAW[i]),
    0,
  );
  expect(chi).toBeLessThan(27.9);
});

it('begins anywhere and ends with the text', () => {
  const thrown = Array.from({ length: 300 }, (_, index) => throwSpan(6, 7, index));
  for (const { first, last, length } of thrown) expect(last).toBe(Math.min(5, first + length - 1));
  expect(new Set(thrown.map(({ first }) => first))).toEqual(new Set([0, 1, 2, 3, 4, 5]));
});

it('makes the same throw again', () => {
  expect(throwSpan(9, 3, 12)).toEqual(throwSpan(9, 3, 12));
});
