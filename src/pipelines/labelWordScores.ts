/** How well a word fits where it stands, by a discriminator and by a masked language model: zeroShotClassification.ts defines both. */
import type { Model, RowOptions } from '../pretrained/model.js';
import { requireTokenizer } from '../pretrained/requireTokenizer.js';
import type { RowWatch } from './definition.js';
import type { LabelRow } from './labelTemplate.js';
import { distributions, MASKED_LM_OUTPUTS } from './maskedLanguageModel.js';

const DETECTION: RowOptions = { outputs: ['logits'] };

export function isMaskedLanguageModel({ description: { architecture } }: Model): boolean {
  return architecture !== 'ElectraForPreTraining';
}

/** @throws CheckpointError when weights do not fit */
export async function prepareWordScores(model: Model): Promise<void> {
  await model.prepare(isMaskedLanguageModel(model) ? MASKED_LM_OUTPUTS : DETECTION);
}

/** Of each row, the mean over the word's pieces of ln P(original) − ln P(replaced). */
export async function discriminatorScores(
  model: Model,
  rows: readonly LabelRow[],
  watch?: RowWatch,
): Promise<number[]> {
  const scores = rows.map(() => 0);
  await model.forEachRow(rows.map(withoutPositions), { ...DETECTION, ...watch }, (row, { logits }) => {
    const { positions } = rows[row];
    scores[row] = positions.reduce((sum, at) => sum - logits[at], 0) / positions.length;
  });
  return scores;
}

const withoutPositions = ({ ids }: LabelRow) => ({ ids });

/** Of each row, the mean over the word's pieces of their log-probability, all of them masked. */
export async function maskedScores(model: Model, rows: readonly LabelRow[], watch?: RowWatch): Promise<number[]> {
  const { maskId } = requireTokenizer(model);
  // Words of as many pieces are asked about in one row.
  const byIds = new Map<string, { ids: Int32Array; positions: readonly number[]; asking: number[] }>();
  for (const [i, { ids, positions }] of rows.entries()) {
    const masked = ids.slice();
    for (const at of positions) masked[at] = maskId;
    const key = masked.join();
    const known = byIds.get(key);
    if (known) known.asking.push(i);
    else byIds.set(key, { ids: masked, positions, asking: [i] });
  }
  const scores = rows.map(() => 0);
  const distinct = [...byIds.values()];
  await model.forEachRow(distinct, { ...MASKED_LM_OUTPUTS, ...watch }, (row, { logits }) => {
    const { positions, asking } = distinct[row];
    const byPiece = distributions(logits, positions.length);
    for (const i of asking) {
      const total = positions.reduce((sum, at, piece) => sum + byPiece[piece][rows[i].ids[at]], 0);
      scores[i] = total / positions.length;
    }
  });
  return scores;
}
