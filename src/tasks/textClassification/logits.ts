/** The logits of a trained classifier for texts, in batches of similar length. */
import type { Model } from '../../pretrained/model.js';
import type { Texts } from '../bagOfWords.js';
import { requireTokenizer } from './requireTokenizer.js';

export interface LogitOptions {
  /** Rows run at once. Default 32; of an ONNX file 1, as in 8 bits what it says of a text depends on those beside it. */
  readonly batchSize?: number;
  /** Longest row in tokens; longer texts lose their end. Default: what the model was trained with, else its positions. */
  readonly maxLength?: number;
}

/** @returns row after row, [rows, labels]; and how many texts were cut */
export async function classifierLogits(
  model: Model,
  texts: readonly Texts[],
  { batchSize = model.report ? 32 : 1, maxLength = longestRow(model) }: LogitOptions = {},
): Promise<{ logits: Float64Array; width: number; truncated: number }> {
  const tokenizer = requireTokenizer(model);
  const rows = texts.map(({ text, pair }) => tokenizer.encode(text, { pair, maxLength }));
  const order = [...rows.keys()].sort((a, b) => rows[a].ids.length - rows[b].ids.length);
  let logits = new Float64Array(0);
  let width = 0;
  for (let first = 0; first < order.length; first += batchSize) {
    const members = order.slice(first, first + batchSize);
    const inputIds = members.map((row) => rows[row].ids);
    const tokenTypeIds = members.map((row) => rows[row].typeIds);
    const { data, shape } = (await model.run({ inputIds, tokenTypeIds })).logits!;
    if (first === 0) {
      width = shape[1];
      logits = new Float64Array(rows.length * width);
    }
    for (const [i, row] of members.entries()) logits.set(data.subarray(i * width, (i + 1) * width), row * width);
  }
  return { logits, width, truncated: rows.filter(({ overflow }) => overflow.length > 0).length };
}

/** Positions beyond the row length of the training exist but have learned nothing. */
export function longestRow({ description: { config, pleiad }, tokenizer }: Model): number {
  const trained = typeof pleiad?.length === 'number' ? pleiad.length : tokenizer?.maxLength;
  return Math.min(config.maxPositionEmbeddings, trained ?? Number.POSITIVE_INFINITY);
}
