/** The logits of a trained classifier for texts. */
import type { Model, RowOptions } from '../../pretrained/model.js';
import { requireTokenizer } from '../../pretrained/requireTokenizer.js';
import type { Texts } from '../bagOfWords.js';

export const CLASSIFIER_OUTPUTS: RowOptions = { outputs: ['logits'] };

/**
 * Texts that are longer than the model was trained on lose their end.
 * @returns row after row, [rows, labels]; and how many texts were cut
 */
export async function classifierLogits(
  model: Model,
  texts: readonly Texts[],
): Promise<{ logits: Float64Array; width: number; truncated: number }> {
  const tokenizer = requireTokenizer(model);
  const rows = texts.map(({ text, pair }) => tokenizer.encode(text, { pair, maxLength: model.maxLength }));
  let logits = new Float64Array(0);
  let width = 0;
  await model.forEachRow(rows, CLASSIFIER_OUTPUTS, (row, { logits: own }) => {
    if (width === 0) {
      width = own.length;
      logits = new Float64Array(rows.length * width);
    }
    logits.set(own, row * width);
  });
  return { logits, width, truncated: rows.filter(({ overflow }) => overflow.length > 0).length };
}

/** Names of a classifier's labels by id; those without names are called as transformers calls them. */
export function labelNames({ description: { labels } }: Model): readonly string[] {
  return labels ?? ['LABEL_0', 'LABEL_1'];
}
