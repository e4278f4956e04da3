/** `multiple-choice`: which of several texts answers a question, or follows another text. */
import { z } from 'zod';
import { requireTokenizer } from '../pretrained/requireTokenizer.js';
import { CHOICE_OUTPUTS, choiceLogits } from '../tasks/multipleChoice/logits.js';
import type { ChoiceQuestion } from '../tasks/multipleChoice/questions.js';
import type { Pipeline, RankedCall } from './definition.js';
import { logSoftmax } from './probabilities.js';

/** A question, a context or both. */
export type ChoiceInput = ChoiceQuestion;

export interface RankedChoice {
  readonly choice: string;
  /** Its place among the choices. */
  readonly index: number;
  /** Probability among the choices, 0 to 1. */
  readonly score: number;
}

export interface MultipleChoiceOptions {
  /** So many choices at most, the most probable first, as a list. Default: the most probable alone. */
  readonly topK?: number;
}

export interface MultipleChoiceTypes {
  readonly alias: never;
  readonly input: ChoiceInput;
  readonly options: MultipleChoiceOptions;
  readonly output: RankedChoice | RankedChoice[];
  readonly call: RankedCall<ChoiceInput, MultipleChoiceOptions, RankedChoice>;
}

const text = z.string().regex(/\S/, 'is empty');
const input: z.ZodType<ChoiceInput> = z
  .strictObject({ question: text.optional(), context: text.optional(), choices: z.array(text).min(2) })
  .refine(({ question, context }) => question !== undefined || context !== undefined)
  .describe('{ question, choices } with two choices or more, and a context or none');
const ranked = z.object({ choice: z.string(), index: z.number().int(), score: z.number() });

export const multipleChoice: Pipeline<MultipleChoiceTypes> = {
  name: 'multiple-choice',
  aliases: [],
  summary: 'which of several texts answers a question, or follows another text',
  wants: {
    architectures: ['ElectraForMultipleChoice', 'BertForMultipleChoice'],
    roles: ['model', 'discriminator'],
    taskOfUnknown: 'multipleChoice',
    advice: (place) =>
      `Fine-tune it first: pleiad finetune --task multiple-choice --from ${place} --train TABLE --out FOLDER`,
  },
  input,
  options: z.strictObject({ topK: z.number().int().min(1).optional() }),
  output: z.union([ranked, z.array(ranked)]),
  async load(model) {
    requireTokenizer(model);
    await model.prepare(CHOICE_OUTPUTS);
    return async (inputs, { topK }) => {
      const logits = await choiceLogits(model, inputs);
      return inputs.map(({ choices }, i) => {
        const scores = logSoftmax(logits[i]).map(Math.exp);
        const all = choices.map((choice, index) => ({ choice, index, score: scores[index] }));
        all.sort((a, b) => b.score - a.score);
        return topK === undefined ? all[0] : all.slice(0, topK);
      });
    };
  },
};
