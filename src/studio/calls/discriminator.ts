/** A discriminator on rows of ids: its doubt at every token. */
import { sigmoid } from '../../pipelines/probabilities.js';
import type { Model, RowOptions } from '../../pretrained/model.js';

const LOGITS: RowOptions = { outputs: ['logits'] };

/**
 * @param rows  ids with [CLS] and [SEP]
 * @returns     of each row the logits of "replaced" of its text's tokens: without those of [CLS] and [SEP]
 */
export async function replacedLogits(
  model: Model,
  rows: readonly Int32Array[],
  signal?: AbortSignal,
): Promise<Float32Array[]> {
  const found: Float32Array[] = rows.map(() => new Float32Array());
  await model.forEachRow(
    rows.map((ids) => ({ ids })),
    { ...LOGITS, signal },
    (row, { logits }) => {
      found[row] = logits.slice(1, -1);
    },
  );
  return found;
}

/** Probability that a token was replaced. */
export const doubtOf = (logit: number): number => sigmoid(logit);

/** Binary cross entropy of one token: softplus(z) − z·label, arXiv 2003.10555 §2 (L_Disc). */
export function detectionLoss(logit: number, isReplaced: boolean): number {
  const softplus = Math.max(logit, 0) + Math.log1p(Math.exp(-Math.abs(logit)));
  return softplus - (isReplaced ? logit : 0);
}
