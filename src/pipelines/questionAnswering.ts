/** `question-answering`: the part of a context that answers a question, by a model with a start and an end head. */
import { z } from 'zod';
import { DataError } from '../errors/errors.js';
import type { Model, RowOptions } from '../pretrained/model.js';
import { requireTokenizer } from '../pretrained/requireTokenizer.js';
import { answerRows, contextPieces, questionIds, USUAL_ROW } from '../tasks/questionAnswering/answerWindows.js';
import { type AskedContext, rankAnswers } from '../tasks/questionAnswering/rankAnswers.js';
import type { Encoding } from '../text/encoding.js';
import type { Pipeline, RankedCall } from './definition.js';

export interface QuestionInput {
  readonly question: string;
  /** Where the answer is looked for; of several, all are, and their answers are ranked together. */
  readonly context: string | readonly string[];
}

export interface Answer {
  /** `context.slice(start, end)`, always; empty for "no answer". */
  readonly answer: string;
  /** UTF-16 offsets in the context. */
  readonly start: number;
  readonly end: number;
  /** Probability among all spans of all windows of all contexts, 0 to 1: those of different answers compare, and add up to at most 1. */
  readonly score: number;
  /** Where several contexts were given: which. */
  readonly contextIndex?: number;
  /** With `handleImpossibleAnswer`: the probability that there is no answer. */
  readonly nullScore?: number;
}

export interface QuestionAnsweringOptions {
  /** So many answers at most, the best first, as a list. Default: the best alone. */
  readonly topK?: number;
  /** Word pieces of an answer, at most. Default 15. */
  readonly maxAnswerLength?: number;
  /** Whether "no answer", the empty text, may be the answer, as in SQuAD 2.0. Default false. */
  readonly handleImpossibleAnswer?: boolean;
  /** Whether answers are widened to whole words. Default true. */
  readonly alignToWords?: boolean;
  /** Pieces of the context that neighbouring windows of a long one share (an overlap, not a step). Default 128, at most half of a window. */
  readonly docStride?: number;
  /** Tokens of a row, question and context together. Default 384, at most what the model takes. */
  readonly maxLength?: number;
}

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
  contextIndex: z.number().optional(),
  nullScore: z.number().optional(),
});
const count = z.number().int();
const LOGITS: RowOptions = { outputs: ['startLogits', 'endLogits'] };

export const questionAnswering: Pipeline<QuestionAnsweringTypes> = {
  name: 'question-answering',
  aliases: [],
  summary: 'the part of a context that answers a question',
  wants: {
    architectures: ['ElectraForQuestionAnswering', 'BertForQuestionAnswering'],
    roles: ['model', 'discriminator'],
    taskOfUnknown: 'questionAnswering',
  },
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
    alignToWords: z.boolean().optional(),
    docStride: count.min(0).optional(),
    maxLength: count.min(5).optional(),
  }),
  output: z.union([answer, z.array(answer)]),
  async load(model) {
    await model.prepare(LOGITS);
    return async (inputs, options) => {
      const answers = await answerAll(model, inputs, options);
      return answers.map((best) => (options.topK === undefined ? best[0] : best));
    };
  },
};

async function answerAll(
  model: Model,
  inputs: readonly QuestionInput[],
  options: QuestionAnsweringOptions,
): Promise<Answer[][]> {
  const tokenizer = requireTokenizer(model);
  const rowLength = Math.min(options.maxLength ?? USUAL_ROW, model.maxLength);
  // Many questions about one context: it is read once.
  const known = new Map<string, Encoding>();
  const piecesOf = (text: string): Encoding => {
    const pieces = known.get(text) ?? contextPieces(tokenizer, text);
    known.set(text, pieces);
    return pieces;
  };
  const asked = inputs.map(({ question, context }) => {
    const ids = questionIds(tokenizer, question, rowLength);
    const texts = typeof context === 'string' ? [context] : context;
    return texts.map((text) => {
      const pieces = piecesOf(text);
      const rows = answerRows(tokenizer, ids, pieces.ids, { rowLength, overlap: options.docStride });
      const logits: { start: Float32Array; end: Float32Array }[] = [];
      return { text, pieces, rows, logits };
    });
  });
  const rows = asked.flat().flatMap((context) => context.rows.map((row, window) => ({ ...row, context, window })));
  await model.forEachRow(rows, LOGITS, (row, { startLogits, endLogits }) => {
    rows[row].context.logits[rows[row].window] = { start: startLogits, end: endLogits };
  });
  return asked.map((contexts, i) => bestAnswers(contexts, inputs[i], options));
}

/** @throws DataError when no context has a word and "no answer" is not allowed */
function bestAnswers(
  contexts: readonly AskedContext[],
  { question, context: given }: QuestionInput,
  { topK, maxAnswerLength = 15, handleImpossibleAnswer = false, alignToWords = true }: QuestionAnsweringOptions,
): Answer[] {
  const ranked = rankAnswers(contexts, { topK, maxAnswerLength, handleImpossibleAnswer, alignToWords });
  if (ranked.answers.length === 0) {
    throw new DataError(`there is no word in the context of ${JSON.stringify(question)}`, {
      subject: 'context',
      expected: 'at least one word',
    });
  }
  const probability = (logit: number) => Math.exp(logit - ranked.logSum);
  const nullScore = handleImpossibleAnswer ? { nullScore: probability(ranked.nullLogit) } : {};
  return ranked.answers.map(({ logit, place }) => {
    const score = probability(logit);
    if (!place) return { answer: '', start: 0, end: 0, score, ...nullScore };
    const { context, start, end } = place;
    const index = typeof given === 'string' ? {} : { contextIndex: context };
    return { answer: contexts[context].text.slice(start, end), start, end, score, ...index, ...nullScore };
  });
}
