import { expect, it } from 'vitest';
import { joinFirst } from './joinFirst.js';

it('says how many more there are than it shows', () => {
  expect(joinFirst([], 2)).toBe('');
  expect(joinFirst(['a', 'b'], 2)).toBe('a, b');
  expect(joinFirst(['a', 'b', 'c', 'd'], 2)).toBe('a, b and 2 more');
  expect(joinFirst(['a is 1', 'b is 2', 'c is 3'], 2, '; ')).toBe('a is 1; b is 2; and 1 more');
});
