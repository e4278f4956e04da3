/**
 * An initialisation in which every attention head begins by looking at one neighbour.
 *
 * A masked token learns nothing from itself, so a post-LN encoder that starts from small noise first sits on a plateau
 * at the unigram entropy, for tens of millions of tokens, until its heads have found the neighbouring positions. Here
 * positions start as sinusoids p(t) and each head's query and key so that q(t)·k(s) is largest at s = t + offset:
 *
 *   p(t) = (cos wᵢt, sin wᵢt)ᵢ,  wᵢ = π(i + ½)/(E/2)      equally spaced, so that Σᵢ cos wᵢ(s − t − offset) has one peak
 *   K picks pairs of p, Q picks the same pairs and turns each by wᵢ·offset:  Q p(t) = K p(t + offset)
 *
 * All of it is trained on like any other start; shapes and published names are unchanged. In the spirit of Trockman &
 * Kolter 2023 (arXiv 2305.09828), who start Q and K correlated. What it gains is measured in docs/results.md.
 */
import type { FixedStart } from './parameters.js';

/** The logit of a head's neighbour at the start; e^6.5 ≈ 665, against a row of a hundred others at about e^0. */
const PEAK_LOGIT = 6.5;

/** Angular frequency of the i-th of `pairs` pairs, in radians a position. */
function frequency(pair: number, pairs: number): number {
  return (Math.PI * (pair + 0.5)) / pairs;
}

/**
 * Start of the position table [P, E]: cosine and sine of each frequency side by side.
 * @param rms  root mean square of the values, that of the word embeddings
 */
export function sinusoidalPositions(rms: number): FixedStart {
  return ([positions, size]) => {
    const values = new Float32Array(positions * size);
    const pairs = Math.floor(size / 2);
    for (let t = 0; t < positions; t++) {
      for (let pair = 0; pair < pairs; pair++) {
        const angle = t * frequency(pair, pairs);
        values[t * size + 2 * pair] = rms * Math.SQRT2 * Math.cos(angle);
        values[t * size + 2 * pair + 1] = rms * Math.SQRT2 * Math.sin(angle);
      }
    }
    return values;
  };
}

/** Start of the embedding projection [H, E]: as much of the embedding as fits, unchanged. */
export const identityStart: FixedStart = ([rows, columns]) => {
  const values = new Float32Array(rows * columns);
  for (let i = 0; i < Math.min(rows, columns); i++) values[i * columns + i] = 1;
  return values;
};

/** Which neighbour a head begins with: −1, +1, −2, +2, … over the heads of one layer and on through the next. */
export function neighbourOffset(layer: number, head: number, numHeads: number): number {
  const different = Math.max(4, Math.min(16, 2 * Math.ceil(numHeads / 2)));
  const index = (layer * numHeads + head) % different;
  const distance = Math.floor(index / 2) + 1;
  return index % 2 === 0 ? -distance : distance;
}

export interface LocalHeads {
  readonly layer: number;
  readonly numHeads: number;
  /** Width of the position table, whose pairs the heads pick from. */
  readonly embeddingSize: number;
}

/** Start of a query weight [H, H], rows by head. */
export function localQuery(heads: LocalHeads): FixedStart {
  return (shape) => pickPairs(shape, heads, (head) => neighbourOffset(heads.layer, head, heads.numHeads));
}

/** Start of a key weight [H, H], rows by head. */
export function localKey(heads: LocalHeads): FixedStart {
  return (shape) => pickPairs(shape, heads, () => 0);
}

/** Rows that pick pairs of the input spread over all frequencies, each turned by its frequency times the head's offset. */
function pickPairs(
  [hidden]: readonly number[],
  { numHeads, embeddingSize }: LocalHeads,
  offsetOf: (head: number) => number,
): Float32Array {
  const values = new Float32Array(hidden * hidden);
  const headSize = hidden / numHeads;
  const rowPairs = Math.floor(headSize / 2);
  const available = Math.floor(Math.min(embeddingSize, hidden) / 2);
  const allPairs = Math.floor(embeddingSize / 2);
  // After layer norm positions have variance ½ a component: q·k/√D peaks at scale²·√D/2.
  const scale = Math.sqrt((2 * PEAK_LOGIT) / Math.sqrt(headSize));
  for (let head = 0; head < numHeads; head++) {
    for (let row = 0; row < rowPairs; row++) {
      const pair = Math.floor(((row + 0.5) * available) / rowPairs);
      const angle = frequency(pair, allPairs) * offsetOf(head);
      const first = (head * headSize + 2 * row) * hidden + 2 * pair;
      const second = first + hidden;
      values[first] = scale * Math.cos(angle);
      values[first + 1] = -scale * Math.sin(angle);
      values[second] = scale * Math.sin(angle);
      values[second + 1] = scale * Math.cos(angle);
    }
  }
  return values;
}
