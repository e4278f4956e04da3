import { describe, expect, it } from 'vitest';
import { Permutation, philox4x32, RandomStream } from './philox.js';

const hex = (words: Uint32Array) => [...words].map((word) => word.toString(16).padStart(8, '0')).join(' ');

describe('Philox 4×32-10', () => {
  // Known answers of the authors' Random123 distribution (kat_vectors, philox4x32 10).
  it.each([
    [[0, 0, 0, 0], [0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [[0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff], '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    [[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0], 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ])('counter %j key %j', (c, k, expected) => {
    const out = new Uint32Array(4);
    philox4x32(c[0], c[1], c[2], c[3], k[0], k[1], out);
    expect(hex(out)).toBe(expected);
  });
});

describe('RandomStream', () => {
  it('repeats itself from its key, and differs with any part of it', () => {
    const first = (...key: ConstructorParameters<typeof RandomStream>) => new RandomStream(...key).uint32();
    expect(first(7, 'masking', 1, 2)).toBe(first(7, 'masking', 1, 2));
    const others = [
      first(8, 'masking', 1, 2),
      first(7, 'dropout', 1, 2),
      first(7, 'masking', 2, 2),
      first(7, 'masking', 1, 3),
      first(7 + 2 ** 32, 'masking', 1, 2),
    ];
    expect(new Set([first(7, 'masking', 1, 2), ...others]).size).toBe(6);
  });
  it('draws uniforms that float32 holds exactly, never 0 and never 1', () => {
    const stream = new RandomStream(1, 'test');
    let sum = 0;
    for (let i = 0; i < 10_000; i++) {
      const u = stream.uniform();
      expect(u > 0 && u < 1 && Math.fround(u) === u).toBe(true);
      sum += u;
    }
    expect(Math.abs(sum / 10_000 - 0.5)).toBeLessThan(4 / Math.sqrt(12 * 10_000));
  });
  it('draws integers below a bound, each as often', () => {
    const stream = new RandomStream(2, 'test');
    const counts = new Array(7).fill(0);
    for (let i = 0; i < 14_000; i++) counts[stream.integer(7)]++;
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(4 * Math.sqrt(2000));
  });
  it('refuses a seed that is no whole number, naming it', () => {
    expect(() => new RandomStream(1.5, 'test')).toThrow('seed is 1.5; expected an integer from 0 to 2^53-1');
  });
});

describe('Permutation', () => {
  it.each([1, 2, 3, 10, 1000, 4097])('of %i takes every place once', (length) => {
    const permutation = new Permutation(length, new RandomStream(1, 'shuffle'));
    const seen = new Set(Array.from({ length }, (_, i) => permutation.at(i)));
    expect(seen.size).toBe(length);
    expect(Math.max(...seen)).toBe(length - 1);
  });
  it('moves neighbours apart', () => {
    const permutation = new Permutation(10_000, new RandomStream(1, 'shuffle'));
    let near = 0;
    for (let i = 1; i < 10_000; i++) if (Math.abs(permutation.at(i) - permutation.at(i - 1)) < 100) near++;
    expect(near / 10_000).toBeLessThan(0.04);
  });
});
