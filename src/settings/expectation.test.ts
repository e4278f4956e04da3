import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { expectation, shownValue } from './expectation.js';

describe('what a schema takes', () => {
  it.each([
    [z.number(), 'a number'],
    [z.number().min(0), 'a number from 0'],
    [z.number().max(3), 'a number at most 3'],
    [z.number().gt(0).lt(1), 'a number above 0 and below 1'],
    [z.number().min(0).lt(1).optional(), 'a number from 0 to below 1'],
    [z.number().gt(0).max(1).default(1).describe('…'), 'a number above 0 and at most 1'],
    [z.number().int(), 'a whole number'],
    [z.number().int().min(1).max(8), 'a whole number from 1 to 8'],
    [z.enum(['a', 'b', 'c']), 'one of a, b or c'],
    [z.enum(['a']), 'one of a'],
    [z.preprocess((value) => value, z.array(z.enum(['a', 'b']))), 'one or more of a or b'],
    [z.boolean().default(false), 'true or false'],
    [z.string().min(1), 'text'],
    [z.strictObject({ a: z.number() }).partial().default({}), 'names and values'],
  ] as [z.ZodType, string][])('is said in plain words (%#)', (schema, words) => {
    expect(expectation(schema)).toBe(words);
  });
});

describe('a value in a message', () => {
  it('is shown as it was given, and cut when it is long', () => {
    expect([1.5, Number.NaN, 3n, null, 'x', [1], { a: 1 }].map(shownValue)).toEqual([
      '1.5',
      'NaN',
      '3',
      'null',
      '"x"',
      '[1]',
      '{"a":1}',
    ]);
    expect(shownValue(() => 1)).toBe('function');
    expect(shownValue('x'.repeat(1000))).toHaveLength(61);
  });
});
