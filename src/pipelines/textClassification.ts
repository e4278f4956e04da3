/** `text-classification`: the label of a text or of a pair of texts. */
import { z } from 'zod';
import type { Model } from '../pretrained/model.js';
import { requireTokenizer } from '../pretrained/requireTokenizer.js';
import { CLASSIFIER_OUTPUTS, classifierLogits, labelNames } from '../tasks/textClassification/logits.js';
import type { Pipeline, WorkOptions } from './definition.js';
import { logSoftmax, sigmoid } from './probabilities.js';
import { type TextPair, textOrPair } from './textInput.js';

export interface ScoredLabel {
  readonly label: string;
  /** Probability, 0 to 1. */
  readonly score: number;
}

export interface TextClassificationOptions {
  /** So many labels at most, the most probable first, as a list. Default: the most probable alone. */
  readonly topK?: number;
  /** The labels of at least this score, 0 to 1, as a list: what a text has of a model that gives a text several labels. */
  readonly threshold?: number;
}

/** `topK` and `threshold` ask for a list. */
interface TextClassificationCall {
  (input: string | TextPair, options: TextClassificationOptions & WorkOptions & List): Promise<ScoredLabel[]>;
  (
    inputs: readonly (string | TextPair)[],
    options: TextClassificationOptions & WorkOptions & List,
  ): Promise<ScoredLabel[][]>;
  (input: string | TextPair, options?: TextClassificationOptions & WorkOptions): Promise<ScoredLabel>;
  (inputs: readonly (string | TextPair)[], options?: TextClassificationOptions & WorkOptions): Promise<ScoredLabel[]>;
}
type List = { readonly topK: number } | { readonly threshold: number };

export interface TextClassificationTypes {
  readonly alias: 'sentiment-analysis' | 'classification' | 'sequence-classification';
  readonly input: string | TextPair;
  readonly options: TextClassificationOptions;
  readonly output: ScoredLabel | ScoredLabel[];
  readonly call: TextClassificationCall;
}

const scored = z.object({ label: z.string(), score: z.number() });

export const textClassification: Pipeline<TextClassificationTypes> = {
  name: 'text-classification',
  aliases: ['sentiment-analysis', 'classification', 'sequence-classification'],
  summary: 'the label of a text, or of a pair of texts',
  wants: {
    architectures: ['ElectraForSequenceClassification', 'BertForSequenceClassification'],
    roles: ['model', 'discriminator'],
    taskOfUnknown: 'sequenceClassification',
    advice: (place) =>
      `Fine-tune it first: pleiad finetune --task text-classification --from ${place} --train TABLE --out FOLDER`,
  },
  input: textOrPair,
  options: z.strictObject({
    topK: z.number().int().min(1).optional(),
    threshold: z.number().min(0).max(1).optional(),
  }),
  output: z.union([scored, z.array(scored)]),
  async load(model) {
    requireTokenizer(model);
    await model.prepare(CLASSIFIER_OUTPUTS);
    return async (inputs, { topK, threshold }) => {
      const { logits, width } = await classifierLogits(model, inputs.map(textsOf));
      return inputs.map((_, row) => {
        const labels = labelsByScore(model, logits.subarray(row * width, (row + 1) * width));
        if (topK === undefined && threshold === undefined) return labels[0];
        return labels.filter(({ score }) => score >= (threshold ?? 0)).slice(0, topK);
      });
    };
  },
};

function textsOf(input: string | TextPair): { text: string; pair?: string } {
  return typeof input === 'string' ? { text: input } : { text: input.text, pair: input.textPair };
}

/** Whether a text may have several labels: each has a probability of its own. */
export function hasSeveralLabels({ description: { otherFields } }: Model): boolean {
  return otherFields?.problem_type === 'multi_label_classification';
}

/** All labels, the most probable first; equal ones in the order of their ids. A lone output is that of "yes". */
function labelsByScore(model: Model, logits: Float64Array): ScoredLabel[] {
  const eachOfItsOwn = logits.length === 1 || hasSeveralLabels(model);
  const scores = eachOfItsOwn ? logits.map(sigmoid) : logSoftmax(logits).map(Math.exp);
  const names = labelNames(model);
  const named = Array.from(scores, (score, id) => ({ label: names[id] ?? `LABEL_${id}`, score }));
  return named.sort((a, b) => b.score - a.score);
}
