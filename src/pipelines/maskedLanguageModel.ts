/** A masked language model as pipelines use it: the distribution over the vocabulary at chosen positions. */
import type { Model, RowOptions } from '../pretrained/model.js';
import { logSoftmax } from './probabilities.js';

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
