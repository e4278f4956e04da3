/** What a model answers to questions that it was not trained on, by the ranking of the pipeline; and how good that is. */
import { ALONE } from '../../collective/collective.js';
import { QUESTION_ANSWERING_FILE } from '../../hub/modelFiles.js';
import type { QuestionAnsweringHead } from '../../models/heads.js';
import { batchesOfRank, type Evaluation } from '../../training/evaluation.js';
import type { Metrics } from '../../training/objective.js';
import type { QuestionAnsweringFile } from './answerSettings.js';
import { fitTemperature, scoredQuestion } from './calibration.js';
import type { EncodedQuestion } from './encodedQuestions.js';
import { EvaluatedRows } from './evaluatedRows.js';
import { characterF1 } from './metrics/korquadText.js';
import { answerF1, exactMatch } from './metrics/squadText.js';
import { bestThreshold } from './metrics/threshold.js';
import type { QuestionBatch } from './objective.js';
import type { Question } from './questions.js';
import { type AskedContext, rankAnswers } from './rankAnswers.js';
import { type SlidingWindow, slidingWindowAnswer } from './slidingWindow.js';

export const QUESTION_METRICS = ['f1', 'exactMatch', 'characterF1'] as const;
export type QuestionMetric = (typeof QUESTION_METRICS)[number];

/** What a model says to a question. */
export interface Prediction {
  /** The best answer, "no answer" aside; empty where there is none. */
  readonly answer: string;
  /** How much speaks for "no answer": see `Ranking.noAnswerScore`. */
  readonly noAnswerScore: number;
  /** Where the answer starts in the context, in UTF-16 units. */
  readonly start?: number;
  /** Of the answer, among all answers but "no answer". */
  readonly probability?: number;
}

/** How answers are found in logits; `temperature` is 1 where it is not given. */
export type DecodingSettings = Pick<QuestionAnsweringFile, 'maxAnswerLength' | 'alignToWords'> &
  Partial<Pick<QuestionAnsweringFile, 'temperature'>>;

/** The answer by the logits of a question's windows. */
export function predictionOf(asked: AskedContext, decoding: DecodingSettings): Prediction {
  const { maxAnswerLength, alignToWords, temperature = 1 } = decoding;
  const ranking = rankAnswers([asked], { maxAnswerLength, alignToWords, temperature });
  const { answers, noAnswerScore = Number.MAX_VALUE, logSum } = ranking;
  const [best] = answers;
  if (!best?.place) return { answer: '', noAnswerScore: Number.MAX_VALUE };
  const { start, end } = best.place;
  const probability = Math.exp(best.logit / temperature - logSum);
  return { answer: asked.text.slice(start, end), noAnswerScore, start, probability };
}

/** @param values  at least one */
export const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

interface Scores {
  readonly f1: number;
  readonly exactMatch: number;
  readonly characterF1: number;
}

/** That of KorQuAD; no answer where none is expected is right, as for the other two. */
function characterF1Of(answer: string, reference: string): number {
  return answer === '' && reference === '' ? 1 : characterF1(answer, reference);
}

/** Of an answer, the best over all references; a question without an answer is answered rightly by none. */
export function scoresOf(answer: string, { references }: Question): Scores {
  const texts = references.length === 0 ? [''] : references;
  return {
    f1: Math.max(...texts.map((reference) => answerF1(answer, reference))),
    exactMatch: Math.max(...texts.map((reference) => exactMatch(answer, reference))),
    characterF1: Math.max(...texts.map((reference) => characterF1Of(answer, reference))),
  };
}

export interface QuestionScores {
  /** 0 to 1: F1 and exact match; where some questions have no answer, at the threshold, and of both kinds apart. */
  readonly metrics: Metrics;
  readonly nullThreshold: number;
}

export interface ScoringOptions {
  /** The margin for "no answer"; without one it is fitted for F1, where some questions have no answer. */
  readonly threshold?: number;
  /** What share of questions has no answer where the threshold is used. Default: as among these. */
  readonly noAnswerShare?: number;
  /** Whether F1 of characters is given too: for languages that write particles onto words. */
  readonly characters: boolean;
}

/** Scores predictions. */
export function scorePredictions(
  questions: readonly Question[],
  predictions: readonly Prediction[],
  { threshold, noAnswerShare, characters }: ScoringOptions,
): QuestionScores {
  const raw = questions.map((question, i) => scoresOf(predictions[i].answer, question));
  if (questions.every(({ isImpossible }) => !isImpossible)) {
    return { metrics: meansOf(raw, characters), nullThreshold: threshold ?? 0 };
  }
  const nullThreshold = threshold ?? fittedThreshold(questions, predictions, raw, noAnswerShare);
  const final = questions.map((question, i) =>
    predictions[i].noAnswerScore > nullThreshold ? scoresOf('', question) : raw[i],
  );
  const of = (isImpossible: boolean) => final.filter((_, i) => questions[i].isImpossible === isImpossible);
  const figures = (name: string, scores: readonly Scores[]) =>
    scores.length === 0 ? {} : { [`${name}F1`]: mean(scores.map(({ f1 }) => f1)) };
  return {
    metrics: {
      ...meansOf(final, characters),
      ...figures('hasAnswer', of(false)),
      ...figures('noAnswer', of(true)),
      answersNothingF1: of(true).length / questions.length,
    },
    nullThreshold,
  };
}

function meansOf(scores: readonly Scores[], characters: boolean): Metrics {
  return {
    f1: mean(scores.map(({ f1 }) => f1)),
    exactMatch: mean(scores.map((each) => each.exactMatch)),
    ...(characters && { characterF1: mean(scores.map((each) => each.characterF1)) }),
  };
}

function fittedThreshold(
  questions: readonly Question[],
  predictions: readonly Prediction[],
  raw: readonly Scores[],
  noAnswerShare?: number,
): number {
  const share = mean(questions.map(({ isImpossible }) => (isImpossible ? 1 : 0)));
  // Where none has an answer, no weights make up for it.
  const wanted = share < 1 ? (noAnswerShare ?? share) : share;
  const entries = questions.map(({ isImpossible }, i) => ({
    noAnswerScore: predictions[i].noAnswerScore,
    score: raw[i].f1,
    hasAnswer: !isImpossible,
    isAnswered: predictions[i].answer !== '',
    weight: isImpossible ? wanted / share : (1 - wanted) / (1 - share),
  }));
  const lowest = entries.reduce((least, { noAnswerScore }) => Math.min(least, noAnswerScore), 0);
  return bestThreshold(entries, lowest - 1).threshold;
}

/** F1 and exact match of answers without a model, see slidingWindow.ts; with `characters` also F1 of characters. */
export function slidingWindowMetrics(
  window: SlidingWindow,
  questions: readonly Question[],
  { characters }: Pick<ScoringOptions, 'characters'>,
): Metrics {
  const scores = questions.map((question) => scoresOf(slidingWindowAnswer(window, question), question));
  return {
    slidingWindowF1: mean(scores.map(({ f1 }) => f1)),
    slidingWindowExactMatch: mean(scores.map((each) => each.exactMatch)),
    ...(characters && { slidingWindowCharacterF1: mean(scores.map((each) => each.characterF1)) }),
  };
}

export interface QuestionEvaluation {
  readonly questions: readonly EncodedQuestion[];
  readonly questionAnsweringHead: QuestionAnsweringHead;
  readonly padId: number;
  readonly batchSize: number;
  /** What the best checkpoint is chosen by. */
  readonly metric: QuestionMetric;
  /** Of the questions that the model is to meet, those without an answer: what the margin for "no answer" is fitted for. */
  readonly noAnswerShare?: number;
  /** What the model folder is to say, besides what is fitted here. */
  readonly file: Omit<QuestionAnsweringFile, 'nullThreshold' | 'temperature'>;
  /** What needs no model: its scores are reported with the model's own. */
  readonly baseline?: SlidingWindow;
}

/** Windows are run in batches of similar length. */
export function questionEvaluation(options: QuestionEvaluation): Evaluation<QuestionBatch> {
  const { questions, questionAnsweringHead, padId, batchSize, metric, noAnswerShare, file, baseline } = options;
  const rows = new EvaluatedRows(questions, { questionAnsweringHead, maxAnswerLength: file.maxAnswerLength });
  const characters = !file.alignToWords || metric === 'characterF1';
  const all = questions.map(({ question }) => question);
  const baselines = baseline && slidingWindowMetrics(baseline, all, { characters });
  const numBatches = Math.ceil(rows.numRows / batchSize);
  return {
    numBatches,
    async evaluate(program, phase, collective = ALONE) {
      // Each rank fills in its own rows of one table of zeros.
      const table = new Float64Array(rows.tableSize);
      for (const index of batchesOfRank(numBatches, collective)) {
        await rows.run(program, phase, { first: index * batchSize, count: batchSize, padId }, table);
      }
      await collective.allReduce(table);
      const asked = rows.asked(table);
      const predictions = asked.map((each) => predictionOf(each, file));
      const { metrics, nullThreshold } = scorePredictions(all, predictions, { noAnswerShare, characters });
      const handleImpossibleAnswer = all.some(({ isImpossible }) => isImpossible);
      const { maxAnswerLength } = file;
      const scored = questions.flatMap(
        (each, i) => scoredQuestion(each, asked[i], { maxAnswerLength, handleImpossibleAnswer }) ?? [],
      );
      const temperature = fitTemperature(scored, maxAnswerLength);
      const content: QuestionAnsweringFile = { nullThreshold, temperature, ...file };
      return {
        metrics: { ...metrics, loss: rows.loss(table), ...baselines },
        score: metrics[metric]!,
        better: 'higher',
        files: { [QUESTION_ANSWERING_FILE]: `${JSON.stringify(content, null, 2)}\n` },
      };
    },
  };
}
