/** `text-classification`: the label of a text or of a pair of texts, its several labels, or its number. */
import { z } from 'zod';
import { SettingsError } from '../errors/errors.js';
import type { Model } from '../pretrained/model.js';
import { requireTokenizer } from '../pretrained/requireTokenizer.js';
import { CLASSIFIER_OUTPUTS, classifierLogits, labelNames } from '../tasks/textClassification/logits.js';
import type { Pipeline, WorkOptions } from './definition.js';
import { logSoftmax, sigmoid } from './probabilities.js';
import { type TextPair, textOrPair } from './textInput.js';

export interface ScoredLabel {
  readonly label: string;
  /** Probability, 0 to 1; of a model of numbers the number itself. */
  readonly score: number;
}

export interface TextClassificationOptions {
  /** So many labels at most, the most probable first, as a list. Default: the most probable alone. */
  readonly topK?: number;
  /**
   * The labels of at least this probability, 0 to 1, as a list: what a text has of a model that gives a text several labels.
   * Numbers are no probabilities, and all given.
   */
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
  summary: 'the label of a text or of a pair of texts, its several labels, or its number',
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
    refuseRelations(model);
    await model.prepare(CLASSIFIER_OUTPUTS);
    return async (inputs, { topK, threshold }) => {
      const { logits, width } = await classifierLogits(model, inputs.map(textsOf));
      return inputs.map((_, row) => {
        const labels = labelsByScore(model, logits.subarray(row * width, (row + 1) * width));
        if (topK === undefined && threshold === undefined) return labels[0];
        const likely = givesNumbers(model) ? labels : labels.filter(({ score }) => score >= (threshold ?? 0));
        return likely.slice(0, topK);
      });
    };
  },
};

/** A classifier of relations reads a text with its entities marked, and would give any label to one without. */
function refuseRelations({ description: { pleiad }, source }: Model): void {
  if (pleiad?.objective !== 'relation') return;
  throw new SettingsError([`${source} was fine-tuned for relations between entities; expected the pipeline relation`]);
}

function textsOf(input: string | TextPair): { text: string; pair?: string } {
  return typeof input === 'string' ? { text: input } : { text: input.text, pair: input.textPair };
}

/** Whether a text may have several labels: each has a probability of its own. */
export function hasSeveralLabels({ description: { otherFields } }: Model): boolean {
  return otherFields?.problem_type === 'multi_label_classification';
}

/** Whether the outputs are numbers, such as a similarity from 0 to 5. */
export function givesNumbers({ description: { otherFields } }: Pick<Model, 'description'>): boolean {
  return otherFields?.problem_type === 'regression';
}

/**
 * All labels, the most probable first; equal ones in the order of their ids. A lone output whose config says nothing is the
 * logit of "yes", as transformers' pipeline takes it.
 */
function labelsByScore(model: Model, logits: Float64Array): ScoredLabel[] {
  const names = labelNames(model);
  const named = Array.from(scoresOf(model, logits), (score, id) => ({ label: names[id] ?? `LABEL_${id}`, score }));
  return givesNumbers(model) ? named : named.sort((a, b) => b.score - a.score);
}

function scoresOf(model: Model, logits: Float64Array): Float64Array {
  if (givesNumbers(model)) return logits;
  return logits.length === 1 || hasSeveralLabels(model) ? logits.map(sigmoid) : logSoftmax(logits).map(Math.exp);
}
