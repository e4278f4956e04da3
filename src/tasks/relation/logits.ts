/** The logits of a trained model for texts with two entities. */
import type { Model } from '../../pretrained/model.js';
import { requireTokenizer } from '../../pretrained/requireTokenizer.js';
import { CLASSIFIER_OUTPUTS } from '../textClassification/logits.js';
import { encodePair } from './encodePair.js';
import type { EntityPair } from './examples.js';
import { markersOf } from './markers.js';

/**
 * @returns row after row, [rows, labels]
 * @throws CheckpointError when the model was not fine-tuned for relations
 */
export async function relationLogits(
  model: Model,
  pairs: readonly EntityPair[],
): Promise<{ logits: Float64Array; width: number }> {
  const tokenizer = requireTokenizer(model);
  const markers = markersOf(model.description.pleiad, model.source, tokenizer);
  const rows = pairs.map((pair) => encodePair(pair, { tokenizer, markers, length: model.maxLength }));
  let logits = new Float64Array(0);
  let width = 0;
  await model.forEachRow(rows, CLASSIFIER_OUTPUTS, (row, { logits: own }) => {
    if (width === 0) {
      width = own.length;
      logits = new Float64Array(rows.length * width);
    }
    logits.set(own, row * width);
  });
  return { logits, width };
}
