/** One vector of a text from those of its tokens, as sentence-transformers pools them (its Pooling and Normalize modules). */
import type { Model, RowOptions } from '../pretrained/model.js';
import { requireTokenizer } from '../pretrained/requireTokenizer.js';
import type { RowWatch } from './definition.js';
import { rowOfText, type TextPair } from './textInput.js';

/** Over all tokens of the text, [CLS] and [SEP] included. `none`: each token keeps its own. */
export const POOLINGS = ['none', 'cls', 'mean', 'max'] as const;
export type Pooling = (typeof POOLINGS)[number];

/** Models that give hidden states: any, without its head. */
export const ENCODERS = {
  architectures: ['ElectraModel', 'BertModel'],
  roles: ['discriminator', 'model', 'generator'],
  task: 'encoder',
} as const;

export const HIDDEN_STATES: RowOptions = { outputs: ['lastHiddenState'] };

/** Float32 vectors of each input: one, or without a pooling one for each token. What does not fit a row is cut off. */
export async function vectorsOf(
  model: Model,
  inputs: readonly (string | TextPair)[],
  { pooling, normalize }: { readonly pooling: Pooling; readonly normalize: boolean },
  watch?: RowWatch,
): Promise<Float32Array[][]> {
  const tokenizer = requireTokenizer(model);
  const { hiddenSize } = model.description.config;
  const rows = inputs.map((input) => rowOfText(tokenizer, input, model.maxLength));
  const results: Float32Array[][] = inputs.map(() => []);
  await model.forEachRow(rows, { ...HIDDEN_STATES, ...watch }, (row, { lastHiddenState }) => {
    const vectors = pooled(lastHiddenState, hiddenSize, pooling);
    results[row] = normalize ? vectors.map(unitVector) : vectors;
  });
  return results;
}

/** [S·H] → one vector [H], or S of them. */
function pooled(hidden: Float32Array, hiddenSize: number, pooling: Pooling): Float32Array[] {
  const token = (i: number) => hidden.slice(i * hiddenSize, (i + 1) * hiddenSize);
  if (pooling === 'none') return Array.from({ length: hidden.length / hiddenSize }, (_, i) => token(i));
  if (pooling === 'cls') return [token(0)];
  return [pooling === 'mean' ? mean(hidden, hiddenSize) : max(hidden, hiddenSize)];
}

/** In float64. */
function mean(hidden: Float32Array, hiddenSize: number): Float32Array {
  const sums = new Float64Array(hiddenSize);
  for (let row = 0; row < hidden.length; row += hiddenSize) {
    for (let unit = 0; unit < hiddenSize; unit++) sums[unit] += hidden[row + unit];
  }
  return divided(sums, hidden.length / hiddenSize);
}

function max(hidden: Float32Array, hiddenSize: number): Float32Array {
  const largest = hidden.slice(0, hiddenSize);
  for (let row = hiddenSize; row < hidden.length; row += hiddenSize) {
    for (let unit = 0; unit < hiddenSize; unit++) {
      if (hidden[row + unit] > largest[unit]) largest[unit] = hidden[row + unit];
    }
  }
  return largest;
}

/** x / ‖x‖₂; a vector of zeros stays one. */
export function unitVector(values: Float32Array): Float32Array {
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += values[i] * values[i];
  return squares === 0 ? values : divided(values, Math.sqrt(squares));
}

function divided(values: Float32Array | Float64Array, divisor: number): Float32Array {
  const quotients = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) quotients[i] = values[i] / divisor;
  return quotients;
}

/** a·b / (‖a‖ ‖b‖), -1 to 1; 0 where one of them is zeros. In float64. */
export function cosine(a: Float32Array, b: Float32Array): number {
  let [product, squaresOfA, squaresOfB] = [0, 0, 0];
  for (const [i, value] of a.entries()) {
    product += value * b[i];
    squaresOfA += value * value;
    squaresOfB += b[i] * b[i];
  }
  const norms = Math.sqrt(squaresOfA * squaresOfB);
  return norms === 0 ? 0 : product / norms;
}
