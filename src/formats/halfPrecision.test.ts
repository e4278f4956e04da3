import { describe, expect, it } from 'vitest';
import { RandomStream } from '../random/philox.js';
import { bfloat16ToFloat32, float32ToHalf, halfToFloat32 } from './halfPrecision.js';

const ALL = Uint16Array.from({ length: 65536 }, (_, bits) => bits);

function widen(...halves: number[]): number[] {
  const target = new Float32Array(halves.length);
  halfToFloat32(Uint16Array.from(halves), target);
  return [...target];
}

const narrow = (...values: number[]) => float32ToHalf(Float32Array.from(values));
const hex = (values: Iterable<number>) => [...values].map((value) => value.toString(16).padStart(4, '0'));

/** (−1)^s · 2^(e−15) · 1.f, from the definition in IEEE 754 §3.4. */
function valueOfHalf(bits: number): number {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

describe('F16', () => {
  it('becomes F32 by its definition, for all 65,536 halves', () => {
    const target = new Float32Array(65536);
    halfToFloat32(ALL, target);
    for (const bits of ALL) expect(target[bits], bits.toString(16)).toBe(valueOfHalf(bits));
  });

  it('comes back from F32 with the same bits, for all 65,536 halves, NaN payloads included', () => {
    const target = new Float32Array(65536);
    halfToFloat32(ALL, target);
    const { data, ...counts } = float32ToHalf(target);
    expect(data).toEqual(ALL);
    expect(counts).toEqual({ rounded: 0, overflowed: 0, underflowed: 0 });
  });

  it('has the values of the examples of IEEE 754 tables', () => {
    expect(widen(0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x3555)).toEqual([
      1,
      -2,
      65504,
      2 ** -14,
      2 ** -24,
      0.333251953125,
    ]);
  });

  it('rounds to the nearest half, and a tie to the even one', () => {
    // Between 1 (3c00) and 1 + 2^-10 (3c01) lies 1 + 2^-11; between 3c01 and 3c02 lies 1 + 3·2^-11.
    const { data, rounded } = narrow(1 + 2 ** -11, 1 + 3 * 2 ** -11, 1 + 2 ** -11 + 2 ** -20, 1 + 2 ** -11 - 2 ** -20);
    expect(hex(data)).toEqual(['3c00', '3c02', '3c01', '3c00']);
    expect(rounded).toBe(4);
  });

  it('reports what overflows: from 65,520, the middle between the largest half and the next step', () => {
    const { data, ...counts } = narrow(65504, 65519.996, 65520, -65536, 131072, 3e38, Number.POSITIVE_INFINITY);
    expect(hex(data)).toEqual(['7bff', '7bff', '7c00', 'fc00', '7c00', '7c00', '7c00']);
    expect(counts).toEqual({ rounded: 5, overflowed: 4, underflowed: 0 });
  });

  it('reports what becomes 0: up to 2^-25, half of the smallest subnormal', () => {
    const { data, ...counts } = narrow(2 ** -24, 2 ** -25, 1.0001 * 2 ** -25, -(2 ** -30), 2 ** -149, 0, -0);
    expect(hex(data)).toEqual(['0001', '0000', '0001', '8000', '0000', '0000', '8000']);
    expect(counts).toEqual({ rounded: 4, overflowed: 0, underflowed: 3 });
  });

  it('is never farther from the value than its neighbours, for random values of all sizes', () => {
    const random = new RandomStream(16, 'test');
    const values = Float32Array.from({ length: 20000 }, () => random.normal() * 2 ** (random.integer(42) - 26));
    const { data } = float32ToHalf(values);
    values.forEach((value, index) => {
      const bits = data[index];
      if ((bits & 0x7fff) >= 0x7bff) return;
      const distance = Math.abs(valueOfHalf(bits) - value);
      for (const neighbour of [bits + 1, (bits & 0x7fff) > 0 ? bits - 1 : bits ^ 0x8000]) {
        expect(distance, `${value}`).toBeLessThanOrEqual(Math.abs(valueOfHalf(neighbour) - value));
      }
    });
  });
});

describe('BF16', () => {
  it('is the upper half of a float32', () => {
    const target = new Float32Array(65536);
    bfloat16ToFloat32(ALL, target);
    const bits = new Uint32Array(target.buffer);
    for (const half of ALL) expect(bits[half]).toBe(half * 65536);
    expect(target[0x3fc0]).toBe(1.5);
  });
});
