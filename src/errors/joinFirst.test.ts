import { expect, it } from 'vitest';
import { fewOf } from './joinFirst.js';

it('says how many more there are than it shows', () => {
  expect(fewOf([], 2)).toBe('');
  expect(fewOf(['a', 'b'], 2)).toBe('a, b');
  expect(fewOf(['a', 'b', 'c', 'd'], 2)).toBe('a, b and 2 more');
  expect(fewOf(['a is 1', 'b is 2', 'c is 3'], 2, '; ')).toBe('a is 1; b is 2; and 1 more');
});
