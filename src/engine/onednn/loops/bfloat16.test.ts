import { expect, test } from 'vitest';
import { fromBfloat16, roundToBfloat16, toBfloat16 } from './bfloat16.js';

const rounded = (value: number) => fromBfloat16(toBfloat16(value));

test('bf16 keeps eight significant bits, rounded to nearest, ties to even', () => {
  expect(rounded(1)).toBe(1);
  expect(rounded(-0.15625)).toBe(-0.15625);
  // Between 1 and 1 + 2⁻⁷: the tie goes to the even 1, what is above it up.
  expect(rounded(1 + 2 ** -8)).toBe(1);
  expect(rounded(1 + 2 ** -8 + 2 ** -20)).toBe(1 + 2 ** -7);
  expect(rounded(1 + 3 * 2 ** -8)).toBe(1 + 2 ** -6);
});

test('what is no number stays none, and what is too large becomes infinite', () => {
  expect(rounded(Number.NaN)).toBeNaN();
  expect(rounded(Infinity)).toBe(Infinity);
  expect(rounded(-3.4e38)).toBe(-Infinity);
  expect(Object.is(rounded(-0), -0)).toBe(true);
});

test('an array is rounded element by element', () => {
  const halves = new Uint16Array(3);
  // 1 + 2⁻⁸ lies half-way between 1 and 1 + 2⁻⁷: to the even one.
  roundToBfloat16(Float32Array.of(1, 1 + 2 ** -8, -2), halves);
  expect([...halves]).toEqual([0x3f80, 0x3f80, 0xc000]);
});
