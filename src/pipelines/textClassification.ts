/** `text-classification`: the label of a text or of a pair of texts. */
import { z } from 'zod';
import type { Model, RowOptions } from '../pretrained/model.js';
import type { Pipeline, RankedCall } from './definition.js';
import { logSoftmax, tokenizerOf } from './maskedLanguageModel.js';
import { rowOfText, type TextPair, textOrPair } from './textInput.js';

export interface ScoredLabel {
  readonly label: string;
  /** Probability, 0 to 1. */
  readonly score: number;
}

export interface TextClassificationOptions {
  /** So many labels at most, the most probable first, as a list. Default: the most probable alone. */
  readonly topK?: number;
}

export interface TextClassificationTypes {
  readonly alias: 'sentiment-analysis' | 'classification' | 'sequence-classification';
  readonly input: string | TextPair;
  readonly options: TextClassificationOptions;
  readonly output: ScoredLabel | ScoredLabel[];
  readonly call: RankedCall<string | TextPair, TextClassificationOptions, ScoredLabel>;
}

const scored = z.object({ label: z.string(), score: z.number() });
const LOGITS: RowOptions = { outputs: ['logits'] };

export const textClassification: Pipeline<TextClassificationTypes> = {
  name: 'text-classification',
  aliases: ['sentiment-analysis', 'classification', 'sequence-classification'],
  summary: 'the label of a text, or of a pair of texts',
  wants: {
    architectures: ['ElectraForSequenceClassification', 'BertForSequenceClassification'],
    roles: ['model', 'discriminator'],
    taskOfUnknown: 'sequenceClassification',
  },
  input: textOrPair,
  options: z.strictObject({ topK: z.number().int().min(1).optional() }),
  output: z.union([scored, z.array(scored)]),
  async load(model) {
    const tokenizer = tokenizerOf(model);
    await model.prepare(LOGITS);
    return async (inputs, { topK }) => {
      const rows = inputs.map((input) => rowOfText(tokenizer, input, model.maxLength));
      const results: ScoredLabel[][] = inputs.map(() => []);
      await model.forEachRow(rows, LOGITS, (row, { logits }) => {
        results[row] = labelsByScore(model, logits);
      });
      return results.map((labels) => (topK === undefined ? labels[0] : labels.slice(0, topK)));
    };
  },
};

/** All labels, the most probable first; equal ones in the order of their ids. A lone output is that of "yes". */
function labelsByScore({ description: { labels } }: Model, logits: Float32Array): ScoredLabel[] {
  const scores =
    logits.length === 1 ? [1 / (1 + Math.exp(-logits[0]))] : Array.from(logSoftmax(logits), (value) => Math.exp(value));
  const named = scores.map((score, id) => ({ label: labels?.[id] ?? `LABEL_${id}`, score }));
  return named.sort((a, b) => b.score - a.score);
}
