import { describe, expect, it } from 'vitest';
import { xoshiro128 } from './xoshiro.js';

/** The published step, in integers without end: what 32-bit arithmetic must come to. */
function* published(seed: readonly number[]): Generator<number> {
  const MASK = 0xffffffffn;
  const rotate = (x: bigint, by: bigint) => ((x << by) | (x >> (32n - by))) & MASK;
  let [a, b, c, d] = seed.map(BigInt);
  for (;;) {
    yield Number((rotate((a + d) & MASK, 7n) + a) & MASK);
    const shifted = (b << 9n) & MASK;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11n);
  }
}

const wordsOf = (state: readonly number[], count: number) => {
  const words = new Uint32Array(count);
  xoshiro128(state, words);
  return [...words];
};

describe('xoshiro128++', () => {
  it('gives the words that its authors state for 1, 2, 3, 4', () => {
    expect(wordsOf([1, 2, 3, 4], 6)).toEqual([641, 1573767, 3222811527, 3517856514, 836907274, 4247214768]);
  });

  it('agrees with the published step for any state', () => {
    for (const state of [
      [0xffffffff, 0x80000000, 0x7fffffff, 1],
      [0, 0, 0, 0xdeadbeef],
    ]) {
      const expected = published(state);
      expect(wordsOf(state, 1000)).toEqual(Array.from({ length: 1000 }, () => expected.next().value));
    }
  });

  it('does not stand still where the state is all 0, and leaves the state as it is', () => {
    expect(new Set(wordsOf([0, 0, 0, 0], 100)).size).toBeGreaterThan(95);
    const state = Uint32Array.of(1, 2, 3, 4);
    xoshiro128(state, new Uint32Array(8));
    expect([...state]).toEqual([1, 2, 3, 4]);
  });
});
