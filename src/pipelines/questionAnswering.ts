/** `question-answering`: the part of a context that answers a question, by a model with a start and an end head. */
import { z } from 'zod';
import { DataError, SettingsError } from '../errors/errors.js';
import type { Model, RowOptions } from '../pretrained/model.js';
import { requireTokenizer } from '../pretrained/requireTokenizer.js';
import { settingName, settingWith } from '../settings/settingNames.js';
import { type AnswerSettings, parseAnswerSettings } from '../tasks/questionAnswering/answerSettings.js';
import {
  answerRows,
  contextPieces,
  questionRoom,
  USUAL_OVERLAP,
  USUAL_ROW,
  wholeQuestion,
} from '../tasks/questionAnswering/answerWindows.js';
import { type AskedContext, rankAnswers } from '../tasks/questionAnswering/rankAnswers.js';
import type { Encoding } from '../text/encoding.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import type { Pipeline, RankedCall, RowWatch } from './definition.js';
import { transformersAnswers } from './transformersScoring.js';

/** Word pieces of an answer, at most (transformers). */
const USUAL_ANSWER = 15;
/** What two answers share of the shorter before they are one. */
const USUAL_OVERLAP_THRESHOLD = 0.5;

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
  /** Start logit + end logit, which answers are ranked by; of "no answer" that of [CLS]. Not with `scoring: 'hf'`. */
  readonly logit?: number;
  /** Number of the window of the context that it was found in, from 0. */
  readonly window?: number;
  /** Better places than the last of the list that overlap this answer, and so do not stand by themselves; where there are any. */
  readonly duplicates?: number;
  /** Where several contexts were given: which. */
  readonly contextIndex?: number;
  /** With `handleImpossibleAnswer`: the probability that there is no answer. */
  readonly nullScore?: number;
  /** With `codePoints`: the offsets in Unicode code points, as Python counts. */
  readonly codePointStart?: number;
  readonly codePointEnd?: number;
}

export const SCORINGS = ['all', 'hf'] as const;

export interface QuestionAnsweringOptions {
  /** So many answers at most, the best first, as a list. Default: the best alone. */
  readonly topK?: number;
  /** Word pieces of an answer, at most. Default: what the model folder says, else 15. */
  readonly maxAnswerLength?: number;
  /** Whether "no answer", the empty text, may be the answer, as in SQuAD 2.0. Default: whether there is a `nullThreshold`. */
  readonly handleImpossibleAnswer?: boolean;
  /** "No answer" is the answer when its logit is larger than that of the best span by more than this. Default: what the model folder says, else 0. */
  readonly nullThreshold?: number;
  /** Logits are divided by it before they become probabilities. Default: what the model folder says, else 1. */
  readonly temperature?: number;
  /** Whether answers are widened to whole words. Default: what the model folder says, else true. */
  readonly alignToWords?: boolean;
  /** Whether a Korean answer loses a particle at its end: 1989년 instead of 1989년에. Default false. */
  readonly dropParticle?: boolean;
  /** Two answers are one when they share more than this fraction of the shorter, 0 to 1. Default 0.5; 1: only the very same place. */
  readonly overlapThreshold?: number;
  /** Whether answers of the same words count once, wherever they stand. Default false. */
  readonly mergeTexts?: boolean;
  /** Whether answers have their offsets in code points too. Default false. */
  readonly codePoints?: boolean;
  /** Pieces of the context that neighbouring windows of a long one share (an overlap, not a step). Default: what the model folder says, else 128, at most half of a window. */
  readonly docStride?: number;
  /** Tokens of a row, question and context together. Default: what the model folder says, else 384; at most what the model takes. */
  readonly maxLength?: number;
  /** Pieces of a question beyond so many are cut off. Default: nothing is, and one longer than half of a row is an error. */
  readonly maxQuestionLength?: number;
  /** `all`: one ranking over all windows. `hf`: as transformers 4.53 scores, window by window (transformersScoring.ts). Default all. */
  readonly scoring?: (typeof SCORINGS)[number];
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
  logit: z.number().optional(),
  window: z.number().optional(),
  duplicates: z.number().optional(),
  contextIndex: z.number().optional(),
  nullScore: z.number().optional(),
  codePointStart: z.number().optional(),
  codePointEnd: z.number().optional(),
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
    await model.prepare(LOGITS);
    const asker = new Asker(model);
    return async (inputs, options, watch) => {
      const answers = await asker.answers(inputs, options, watch);
      return answers.map((best) => (options.topK === undefined ? best[0] : best));
    };
  },
};

/** A model with what its folder says of its use, and the contexts that it was last asked about. */
class Asker {
  readonly #model: Model;
  readonly #tokenizer: WordPieceTokenizer;
  readonly #settings: AnswerSettings;
  /** Contexts of the last call: many questions about one are asked one by one, too. */
  #pieces = new Map<string, Encoding>();

  constructor(model: Model) {
    this.#model = model;
    this.#tokenizer = requireTokenizer(model);
    this.#settings = parseAnswerSettings(model.taskSettings, model.source);
  }

  async answers(
    inputs: readonly QuestionInput[],
    options: QuestionAnsweringOptions,
    watch?: RowWatch,
  ): Promise<Answer[][]> {
    refuseOfScoring(options);
    const tokenizer = this.#tokenizer;
    const settings = options.scoring === 'hf' ? {} : this.#settings;
    const rowLength = Math.min(options.maxLength ?? settings.maxLength ?? USUAL_ROW, this.#model.maxLength);
    this.#readContexts(inputs);
    const overlaps = {
      overlap: options.docStride ?? (options.scoring === 'hf' ? Math.min(rowLength >> 1, USUAL_OVERLAP) : undefined),
      usualOverlap: settings.stride,
    };
    const asked = inputs.map(({ question, context }) => {
      const ids = questionOf(tokenizer, question, rowLength, options.maxQuestionLength);
      const texts = typeof context === 'string' ? [context] : context;
      return texts.map((text) => {
        const pieces = this.#pieces.get(text)!;
        const rows = answerRows(tokenizer, ids, pieces.ids, { rowLength, ...overlaps });
        const logits: { start: Float32Array; end: Float32Array }[] = [];
        return { text, pieces, rows, logits };
      });
    });
    const rows = asked.flat().flatMap((context) => context.rows.map((row, window) => ({ ...row, context, window })));
    await this.#model.forEachRow(rows, { ...LOGITS, ...watch }, (row, { startLogits, endLogits }) => {
      rows[row].context.logits[rows[row].window] = { start: startLogits, end: endLogits };
    });
    const bestAnswers = options.scoring === 'hf' ? answersOfTransformers : answersOfAll;
    return asked.map((contexts, i) => {
      const found = bestAnswers(contexts, options, settings);
      if (found.length === 0) throw noWord(inputs[i]);
      return found.map((each) => presented(each, contexts, inputs[i], options));
    });
  }

  /** Each text once, however many questions are about it. */
  #readContexts(inputs: readonly QuestionInput[]): void {
    const texts = new Set(inputs.flatMap(({ context }) => context));
    const read = (text: string) => this.#pieces.get(text) ?? contextPieces(this.#tokenizer, text);
    this.#pieces = new Map([...texts].map((text) => [text, read(text)]));
  }
}

/** What scores of one kind have and those of the other do not. */
function refuseOfScoring(options: QuestionAnsweringOptions): void {
  if (options.scoring !== 'hf') return;
  const own = ['nullThreshold', 'temperature', 'dropParticle', 'overlapThreshold', 'mergeTexts'] as const;
  const given = own.filter((name) => options[name] !== undefined);
  if (given.length === 0) return;
  throw new SettingsError(
    given.map((name) => `${settingName(name)} is given with ${settingWith('scoring', 'hf')}, which has no such thing`),
  );
}

/** @throws DataError when it has no word, or is longer than half of a row */
function questionOf(tokenizer: WordPieceTokenizer, question: string, rowLength: number, most?: number): Int32Array {
  const ids = wholeQuestion(tokenizer, question).subarray(0, most);
  const room = questionRoom(rowLength);
  if (ids.length <= room) return ids;
  const begin = question.length > 60 ? `${question.slice(0, 60)}…` : question;
  throw new DataError(
    `the question ${JSON.stringify(begin)} has ${ids.length} pieces; expected at most ${room}, half of a row of ${rowLength} tokens (${settingName('maxLength')})`,
    {
      subject: 'question',
      found: ids.length,
      expected: `at most ${room} pieces`,
      advice: `Shorten it, or have it cut: ${settingWith('maxQuestionLength', Math.min(64, room))}`,
    },
  );
}

/** What the parts of `scoring` have in common: an answer before it is put into words. */
interface FoundAnswer extends Pick<Answer, 'score' | 'logit' | 'window' | 'duplicates' | 'nullScore'> {
  /** Undefined for "no answer". */
  readonly place?: { readonly context: number; readonly start: number; readonly end: number };
}

function answersOfAll(
  contexts: readonly AskedContext[],
  options: QuestionAnsweringOptions,
  settings: AnswerSettings,
): FoundAnswer[] {
  const threshold = options.nullThreshold ?? settings.nullThreshold;
  const { handleImpossibleAnswer = threshold !== undefined, topK, dropParticle, mergeTexts } = options;
  const { nullThreshold = 0, temperature = 1 } = { ...settings, ...options };
  const { answers, nullLogit, logSum } = rankAnswers(contexts, {
    topK,
    handleImpossibleAnswer,
    nullThreshold,
    temperature,
    dropParticle,
    mergeTexts,
    maxAnswerLength: options.maxAnswerLength ?? settings.maxAnswerLength ?? USUAL_ANSWER,
    alignToWords: options.alignToWords ?? settings.alignToWords ?? true,
    overlapThreshold: options.overlapThreshold ?? USUAL_OVERLAP_THRESHOLD,
  });
  const probability = (logit: number) => Math.exp(logit / temperature - logSum);
  const nullScore = handleImpossibleAnswer ? { nullScore: probability(nullLogit) } : {};
  return answers.map(({ logit: ranked, place, duplicates }) => {
    const logit = place ? ranked : nullLogit;
    return {
      score: probability(logit),
      logit,
      ...(place && { place, window: place.window }),
      ...(duplicates > 0 && { duplicates }),
      ...nullScore,
    };
  });
}

function answersOfTransformers(contexts: readonly AskedContext[], options: QuestionAnsweringOptions): FoundAnswer[] {
  const { topK = 1, maxAnswerLength = USUAL_ANSWER, handleImpossibleAnswer = false, alignToWords = true } = options;
  const settings = { topK, maxAnswerLength, handleImpossibleAnswer, alignToWords };
  const { answers, nullScore } = transformersAnswers(contexts, settings);
  return answers.map(({ context, start, end, score }) => ({
    score,
    ...(context !== undefined && { place: { context, start, end } }),
    ...(handleImpossibleAnswer && { nullScore }),
  }));
}

function presented(
  { place, score, ...rest }: FoundAnswer,
  contexts: readonly AskedContext[],
  { context: given }: QuestionInput,
  { codePoints = false }: QuestionAnsweringOptions,
): Answer {
  const { context = 0, start = 0, end = 0 } = place ?? {};
  const { text } = contexts[context];
  const codePointStart = codePoints ? numCodePoints(text.slice(0, start)) : 0;
  return {
    answer: text.slice(start, end),
    start,
    end,
    score,
    ...rest,
    ...(place && typeof given !== 'string' && { contextIndex: context }),
    ...(codePoints && { codePointStart, codePointEnd: codePointStart + numCodePoints(text.slice(start, end)) }),
  };
}

function numCodePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function noWord({ question }: QuestionInput): DataError {
  return new DataError(`there is no word in the context of ${JSON.stringify(question)}`, {
    subject: 'context',
    expected: 'at least one word',
    advice: `Give a text, or let "no answer" be an answer: ${settingWith('handleImpossibleAnswer', true)}`,
  });
}
