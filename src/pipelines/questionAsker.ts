/** Asks a model questions about contexts: windows, one ranking or transformers' scores, and answers put into words. */
import { DataError, SettingsError } from '../errors/errors.js';
import type { QuestionAnsweringHead } from '../models/heads.js';
import type { Model } from '../pretrained/model.js';
import { requireTokenizer } from '../pretrained/requireTokenizer.js';
import { settingName, settingWith } from '../settings/settingNames.js';
import { ANSWER_OUTPUTS, type AnswerLogits, answerLogits } from '../tasks/questionAnswering/answerLogits.js';
import { type AnswerSettings, parseAnswerSettings } from '../tasks/questionAnswering/answerSettings.js';
import {
  answerRows,
  contextPieces,
  questionRoom,
  USUAL_OVERLAP,
  USUAL_ROW,
  wholeQuestion,
} from '../tasks/questionAnswering/answerWindows.js';
import {
  type AskedContext,
  type Ranking,
  type RankingOptions,
  rankAnswers,
} from '../tasks/questionAnswering/rankAnswers.js';
import type { Encoding } from '../text/encoding.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import type { Answer, QuestionAnsweringOptions, QuestionInput } from './answers.js';
import type { RowWatch } from './definition.js';
import { transformersAnswers } from './transformersScoring.js';

/** Word pieces of an answer, at most (transformers). */
const USUAL_ANSWER = 15;
/** What two answers share of the shorter before they are one. */
const USUAL_OVERLAP_THRESHOLD = 0.5;

/** A ranking's options with nothing left to choose. */
export interface ResolvedRanking extends RankingOptions {
  readonly handleImpossibleAnswer: boolean;
  readonly nullThreshold: number;
  readonly temperature: number;
}

/** Answers, and what they were found in. */
export interface ExplainedAnswers {
  readonly answers: readonly Answer[];
  readonly contexts: readonly AskedContext[];
  readonly options: ResolvedRanking;
  readonly ranking: Ranking;
}

/** A model with what its folder says of its use, and the contexts that it was last asked about. */
export class QuestionAsker {
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

  /** Compiles what answers are found by. @throws CheckpointError when weights are missing or of other sizes */
  async prepare(): Promise<void> {
    await this.#model.prepare({ outputs: ANSWER_OUTPUTS[this.#head] });
  }

  get #head(): QuestionAnsweringHead {
    return this.#model.description.questionAnsweringHead ?? 'standard';
  }

  async answers(
    inputs: readonly QuestionInput[],
    options: QuestionAnsweringOptions,
    watch?: RowWatch,
  ): Promise<Answer[][]> {
    const asked = await this.#ask(inputs, options, watch);
    const bestAnswers = options.scoring === 'hf' ? answersOfTransformers : answersOfAll;
    return asked.map((contexts, i) => {
      const found = bestAnswers(contexts, options, this.#settings);
      if (found.length === 0) throw noWord(inputs[i]);
      return found.map((each) => presented(each, contexts, inputs[i], options));
    });
  }

  /** The answers to one question, with what they were found in: windows, logits, and the sums that scores are made of. */
  async explained(
    input: QuestionInput,
    options: Omit<QuestionAnsweringOptions, 'scoring'>,
    watch?: RowWatch,
  ): Promise<ExplainedAnswers> {
    const [contexts] = await this.#ask([input], options, watch);
    const ranking = rankingOptions(options, this.#settings);
    const ranked = rankAnswers(contexts, ranking);
    if (ranked.answers.length === 0) throw noWord(input);
    const answers = wordedAnswers(ranked, ranking).map((each) => presented(each, contexts, input, options));
    return { answers, contexts, options: ranking, ranking: ranked };
  }

  /** Runs the windows of every question's contexts. */
  async #ask(
    inputs: readonly QuestionInput[],
    options: QuestionAnsweringOptions,
    watch?: RowWatch,
  ): Promise<AskedContext[][]> {
    this.#refuseOfScoring(options);
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
        const logits: AnswerLogits[] = [];
        return { text, pieces, rows, logits };
      });
    });
    const rows = asked.flat().flatMap((context) => context.rows.map((row, window) => ({ ...row, context, window })));
    const outputs = ANSWER_OUTPUTS[this.#head];
    await this.#model.forEachRow(rows, { outputs, ...watch }, (row, ofRow) => {
      rows[row].context.logits[rows[row].window] = answerLogits(ofRow);
    });
    return asked;
  }

  #refuseOfScoring(options: QuestionAnsweringOptions): void {
    if (options.scoring !== 'hf') return;
    refuseOfScoring(options);
    if (this.#head === 'standard') return;
    throw new SettingsError([
      `${settingWith('scoring', 'hf')} is of the standard head, and ${this.#model.source} has the joint one, which transformers does not know; leave it out`,
    ]);
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
  const ranking = rankingOptions(options, settings);
  return wordedAnswers(rankAnswers(contexts, ranking), ranking);
}

/** Everything that a ranking is made by: options of the call, what the folder says, what is usual. */
function rankingOptions(options: QuestionAnsweringOptions, settings: AnswerSettings): ResolvedRanking {
  // A folder says 0 where nothing was fitted: its dev data had no question without an answer.
  const wasFitted = settings.nullThreshold !== undefined && settings.nullThreshold !== 0;
  const {
    handleImpossibleAnswer = options.nullThreshold !== undefined || wasFitted,
    topK,
    dropParticle,
    mergeTexts,
  } = options;
  const { nullThreshold = 0, temperature = 1 } = { ...settings, ...options };
  return {
    topK,
    handleImpossibleAnswer,
    nullThreshold,
    temperature,
    dropParticle,
    mergeTexts,
    maxAnswerLength: options.maxAnswerLength ?? settings.maxAnswerLength ?? USUAL_ANSWER,
    alignToWords: options.alignToWords ?? settings.alignToWords ?? true,
    overlapThreshold: options.overlapThreshold ?? USUAL_OVERLAP_THRESHOLD,
  };
}

function wordedAnswers(
  { answers, nullLogit, nullTerm, logSum }: Ranking,
  { handleImpossibleAnswer, temperature }: ResolvedRanking,
): FoundAnswer[] {
  const probability = (logit: number) => Math.exp(logit / temperature - logSum);
  const ofNone = Math.exp(nullTerm - logSum);
  const nullScore = handleImpossibleAnswer ? { nullScore: ofNone } : {};
  return answers.map(({ logit: ranked, place, duplicates }) => {
    const logit = place ? ranked : nullLogit;
    return {
      score: place ? probability(logit) : ofNone,
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
