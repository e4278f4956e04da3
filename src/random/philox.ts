/**
 * Philox 4×32-10, where all randomness comes from. A counter-based generator is a pure function of (key, counter), so
 * every draw can be made again from its position alone: resuming a run needs no random state.
 * Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011, §3.3 and table 2 (constants).
 */

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/** High 32 bits of a 32×32 product, in four 16-bit partial products (all below 2^53). */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const middleLow = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(middleLow / 65536)) >>> 0;
}

/** One Philox block: four 32-bit words for a 128-bit counter and a 64-bit key, written to `out`. */
export function philox4x32(
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  k0: number,
  k1: number,
  out: Uint32Array,
): void {
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(M0, c0 >>> 0);
    const low0 = Math.imul(M0, c0) >>> 0;
    const high1 = mulHigh(M1, c2 >>> 0);
    const low1 = Math.imul(M1, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + W0) >>> 0;
    k1 = (k1 + W1) >>> 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** What a stream of draws is for; each purpose has streams of its own, so adding a draw in one changes no other. */
export const PURPOSES = {
  initialization: 1,
  shuffle: 2,
  masking: 3,
  proposals: 4,
  dropout: 5,
  segments: 6,
  evaluation: 7,
  unigram: 8,
  trainingRows: 9,
  test: 99,
} as const;
export type Purpose = keyof typeof PURPOSES;

/**
 * A sequence of draws keyed by (seed, purpose, step, index); two streams with different keys are independent.
 * @param seed   integer in 0..2^53-1
 * @param step   for instance the training step or epoch, 0..2^32-1
 * @param index  for instance the block or example, 0..2^32-1
 */
export class RandomStream {
  readonly #key0: number;
  readonly #key1: number;
  readonly #purpose: number;
  readonly #step: number;
  readonly #index: number;
  readonly #block = new Uint32Array(4);
  #counter = 0;
  #used = 4;

  constructor(seed: number, purpose: Purpose, step = 0, index = 0) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new RangeError(`seed is ${seed}; expected an integer from 0 to 2^53-1`);
    }
    this.#key0 = seed >>> 0;
    this.#key1 = Math.floor(seed / 2 ** 32) >>> 0;
    this.#purpose = PURPOSES[purpose];
    this.#step = step >>> 0;
    this.#index = index >>> 0;
  }

  /** The next 32 random bits. */
  uint32(): number {
    if (this.#used === 4) {
      this.block();
      this.#used = 0;
    }
    return this.#block[this.#used++];
  }

  /** The next four words, whatever is left of an earlier block. The array is this stream's own. */
  block(): Uint32Array {
    philox4x32(this.#counter++, this.#purpose, this.#step, this.#index, this.#key0, this.#key1, this.#block);
    this.#used = 4;
    return this.#block;
  }

  /** Uniform in the open interval (0, 1), k·2^-23 + 2^-24: exact in float32, never 0 and never 1. */
  uniform(): number {
    return ((this.uint32() >>> 9) + 0.5) / 8388608;
  }

  /** Uniform integer in 0..bound-1, without modulo bias (Lemire's multiply-and-reject). */
  integer(bound: number): number {
    const threshold = (4294967296 - bound) % bound;
    for (;;) {
      const word = this.uint32();
      const low = Math.imul(word, bound) >>> 0;
      if (low >= threshold) return mulHigh(word, bound >>> 0);
    }
  }

  /** Standard normal, by Box and Muller. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }
}

/**
 * A bijection of 0..length-1 that needs no memory: a four-round Feistel network over the next even power of two, walked
 * until it lands inside (cycle walking; Black and Rogaway 2002). Used to shuffle all blocks of a corpus at once.
 */
export class Permutation {
  readonly #length: number;
  readonly #halfBits: number;
  readonly #keys: Uint32Array;

  constructor(length: number, stream: RandomStream) {
    this.#length = length;
    this.#halfBits = Math.max(1, Math.ceil(Math.log2(Math.max(2, length)) / 2));
    this.#keys = Uint32Array.from({ length: 4 }, () => stream.uint32());
  }

  /** Where position `index` of the shuffled order comes from. */
  at(index: number): number {
    const mask = 2 ** this.#halfBits - 1;
    let value = index;
    do {
      let left = Math.floor(value / (mask + 1));
      let right = value & mask;
      for (const key of this.#keys) {
        let mixed = Math.imul(right ^ key, 0x9e3779b1);
        mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca77);
        mixed ^= mixed >>> 13;
        [left, right] = [right, (left ^ mixed) & mask];
      }
      value = left * (mask + 1) + right;
    } while (value >= this.#length);
    return value;
  }
}
