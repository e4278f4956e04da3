/** `relation`: how two entities of a text are related. */
import { z } from 'zod';
import { requireTokenizer } from '../pretrained/requireTokenizer.js';
import { checkedPair, type EntityPair, markedPair } from '../tasks/relation/examples.js';
import { relationLogits } from '../tasks/relation/logits.js';
import { markersOf } from '../tasks/relation/markers.js';
import { CLASSIFIER_OUTPUTS, labelNames } from '../tasks/textClassification/logits.js';
import type { Pipeline, RankedCall } from './definition.js';
import { logSoftmax } from './probabilities.js';
import type { ScoredLabel } from './textClassification.js';

/** A text with where its entities stand, in UTF-16 units; or with `<e1>…</e1>` and `<e2>…</e2>` around them. */
export type RelationInput = EntityPair | string;

export interface RelationOptions {
  /** So many relations at most, the most probable first, as a list. Default: the most probable alone. */
  readonly topK?: number;
}

export interface RelationTypes {
  readonly alias: 'relation-classification' | 'relation-extraction';
  readonly input: RelationInput;
  readonly options: RelationOptions;
  readonly output: ScoredLabel | ScoredLabel[];
  readonly call: RankedCall<RelationInput, RelationOptions, ScoredLabel>;
}

const span = z.strictObject({ start: z.number().int().min(0), end: z.number().int().min(1) });
const scored = z.object({ label: z.string(), score: z.number() });

export const relation: Pipeline<RelationTypes> = {
  name: 'relation',
  aliases: ['relation-classification', 'relation-extraction'],
  summary: 'how two entities of a text are related',
  wants: {
    architectures: ['ElectraForSequenceClassification', 'BertForSequenceClassification'],
    roles: ['model', 'discriminator'],
    taskOfUnknown: 'sequenceClassification',
    advice: (place) => `Fine-tune it first: pleiad finetune --task relation --from ${place} --train TABLE --out FOLDER`,
  },
  input: z
    .union([z.string(), z.strictObject({ text: z.string(), head: span, tail: span })])
    .describe('{ text, head: { start, end }, tail: { start, end } }, or a text with <e1>…</e1> and <e2>…</e2>'),
  options: z.strictObject({ topK: z.number().int().min(1).optional() }),
  output: z.union([scored, z.array(scored)]),
  async load(model) {
    markersOf(model.description.pleiad, model.source, requireTokenizer(model));
    await model.prepare(CLASSIFIER_OUTPUTS);
    return async (inputs, { topK }) => {
      const pairs = inputs.map((input, i) => {
        const place = inputs.length > 1 ? `input ${i}` : 'the input';
        return typeof input === 'string' ? markedPair(input, place) : checkedPair(input, place);
      });
      const { logits, width } = await relationLogits(model, pairs);
      const names = labelNames(model);
      return inputs.map((_, row) => {
        const scores = logSoftmax(logits.subarray(row * width, (row + 1) * width)).map(Math.exp);
        const labels = Array.from(scores, (score, id) => ({ label: names[id], score }));
        labels.sort((a, b) => b.score - a.score);
        return topK === undefined ? labels[0] : labels.slice(0, topK);
      });
    };
  },
};
