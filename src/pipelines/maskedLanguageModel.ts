/** A masked language model as pipelines use it: the distribution over the vocabulary at chosen positions. */
import { DataError } from '../errors/errors.js';
import type { Model, RowOptions } from '../pretrained/model.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';

/** Token ids of a row and the positions in it to predict. */
export interface MaskedRow {
  readonly ids: Int32Array;
  readonly positions: readonly number[];
}

/** Logits at chosen positions alone. */
export const MASKED_LM_OUTPUTS: RowOptions = { outputs: ['logits'], atPositions: true };

/** Of each row, for each of its positions, log-probabilities float32 [V] that sum to 1 as probabilities. */
export async function logProbabilities(model: Model, rows: readonly MaskedRow[]): Promise<Float32Array[][]> {
  const results: Float32Array[][] = rows.map(() => []);
  await model.forEachRow(rows, MASKED_LM_OUTPUTS, (row, { logits }) => {
    results[row] = distributions(logits, rows[row].positions.length);
  });
  return results;
}

/** Logits [N, V] as N log-probabilities. */
export function distributions(logits: Float32Array, count: number): Float32Array[] {
  const vocabSize = logits.length / count;
  return Array.from({ length: count }, (_, i) => logSoftmax(logits.subarray(i * vocabSize, (i + 1) * vocabSize)));
}

/** x − log Σ exp x, in float64. */
export function logSoftmax<T extends Float32Array | Float64Array>(logits: T): T {
  let highest = Number.NEGATIVE_INFINITY;
  for (const logit of logits) highest = Math.max(highest, logit);
  let total = 0;
  for (const logit of logits) total += Math.exp(logit - highest);
  const shift = highest + Math.log(total);
  return logits.map((logit) => logit - shift) as T;
}

/** @throws DataError when the model has no tokenizer */
export function tokenizerOf({ tokenizer, source }: Model): WordPieceTokenizer {
  if (tokenizer) return tokenizer;
  throw new DataError(`${source} has no tokenizer, which a pipeline needs to read texts`, {
    subject: source,
    expected: 'a tokenizer',
    advice: 'Give one beside the model (tokenizer)',
  });
}
