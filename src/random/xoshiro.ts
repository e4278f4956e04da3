/**
 * xoshiro128++, for the many bits of dropout masks: four times as fast here as a Philox block for every four words.
 * Blackman & Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 47 (2021), §5.3; period 2^128 − 1.
 * Its state is one Philox block, so that its words, too, are a function of the key alone.
 */

/**
 * Fills `words` with the words that follow a state.
 * @param state  four 32-bit words, not all 0; left as it is
 */
export function xoshiro128(state: ArrayLike<number>, words: Uint32Array): void {
  let [a, b, c, d] = [state[0] | 0, state[1] | 0, state[2] | 0, state[3] | 0];
  // The one state that would stay as it is.
  if ((a | b | c | d) === 0) a = 1;
  for (let i = 0; i < words.length; i++) {
    const sum = (a + d) | 0;
    words[i] = (((sum << 7) | (sum >>> 25)) + a) | 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
  }
}
