/** `question-answering`: the part of a context that answers a question, by a model with a head for start and end. */
import { z } from 'zod';
import { BOXED } from '../hub/boxedNames.js';
import { type Answer, type QuestionAnsweringOptions, type QuestionInput, SCORINGS } from './answers.js';
import type { Pipeline, RankedCall } from './definition.js';
import { QuestionAsker } from './questionAsker.js';

export interface QuestionAnsweringTypes {
  readonly alias: never;
  readonly input: QuestionInput;
  readonly options: QuestionAnsweringOptions;
  readonly output: Answer | Answer[];
  readonly call: RankedCall<QuestionInput, QuestionAnsweringOptions, Answer>;
}

const answer = z.object({
  answer: z.string(),
  start: z.number(),
  end: z.number(),
  score: z.number(),
  logit: z.number().optional(),
  window: z.number().optional(),
  duplicates: z.number().optional(),
  contextIndex: z.number().optional(),
  nullScore: z.number().optional(),
  codePointStart: z.number().optional(),
  codePointEnd: z.number().optional(),
});
const count = z.number().int();

export const questionAnswering: Pipeline<QuestionAnsweringTypes> = {
  name: 'question-answering',
  aliases: [],
  summary: 'the part of a context that answers a question',
  wants: {
    architectures: ['ElectraForQuestionAnswering', 'BertForQuestionAnswering'],
    roles: ['model', 'discriminator'],
    taskOfUnknown: 'questionAnswering',
  },
  boxed: BOXED.questionAnswering,
  input: z
    .strictObject({
      question: z.string(),
      context: z.union([z.string(), z.array(z.string()).min(1)]).describe('a text, or a list of texts'),
    })
    .describe('{ question, context }'),
  options: z.strictObject({
    topK: count.min(1).optional(),
    maxAnswerLength: count.min(1).optional(),
    handleImpossibleAnswer: z.boolean().optional(),
    nullThreshold: z.number().optional(),
    temperature: z.number().positive().optional(),
    alignToWords: z.boolean().optional(),
    dropParticle: z.boolean().optional(),
    overlapThreshold: z.number().min(0).max(1).optional(),
    mergeTexts: z.boolean().optional(),
    codePoints: z.boolean().optional(),
    docStride: count.min(0).optional(),
    maxLength: count.min(5).optional(),
    maxQuestionLength: count.min(1).optional(),
    scoring: z.enum(SCORINGS).optional(),
  }),
  output: z.union([answer, z.array(answer)]),
  async load(model) {
    const asker = new QuestionAsker(model);
    await asker.prepare();
    return async (inputs, options, watch) => {
      const answers = await asker.answers(inputs, options, watch);
      return answers.map((best) => (options.topK === undefined ? best[0] : best));
    };
  },
};
