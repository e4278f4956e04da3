/**
 * The figures of the official scripts, key by key and to the last digit, in per cent: SQuAD 1.1 (evaluate-v1.1.py) and MRQA
 * (mrqa_official_eval.py), SQuAD 2.0 (evaluate-v2.0.py), KorQuAD 1.0 (evaluate-v1.0.py). Sums are taken in the order of the
 * data, one number after another, as Python's `sum` does up to 3.11; from 3.12 on it rounds less, and its last digit may differ.
 */
import { characterF1, koreanMatch } from './korquadText.js';
import { answerF1, answerWords, exactMatch, normalizedAnswer, overlapF1 } from './squadText.js';
import { bestThreshold } from './threshold.js';

/** A question as the scripts see it. */
export interface JudgedQuestion {
  readonly id: string;
  /** Texts of its answers; none where it has no answer. */
  readonly references: readonly string[];
}

/** Answers by question id. */
export type PredictedAnswers = ReadonlyMap<string, string>;

/** A figure under the key of the script. */
export type OfficialScores = Readonly<Record<string, number>>;

type Metric = (predicted: string, reference: string) => number;

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** The mean of each question's best score over its references; an unanswered question scores 0. */
function bestOverReferences(
  questions: readonly JudgedQuestion[],
  predictions: PredictedAnswers,
  metrics: Readonly<Record<string, Metric>>,
): OfficialScores {
  return Object.fromEntries(
    Object.entries(metrics).map(([key, metric]) => {
      const scores = questions.map(({ id, references }) => {
        const answer = predictions.get(id);
        return answer === undefined ? 0 : Math.max(...references.map((reference) => metric(answer, reference)));
      });
      return [key, (100 * sum(scores)) / questions.length];
    }),
  );
}

/** SQuAD 1.1 and MRQA: `exact_match` and `f1`. */
export function squad11Scores(questions: readonly JudgedQuestion[], predictions: PredictedAnswers): OfficialScores {
  const f1: Metric = (predicted, reference) => overlapF1(answerWords(predicted), answerWords(reference));
  return bestOverReferences(questions, predictions, { exact_match: exactMatch, f1 });
}

/** KorQuAD 1.0: `exact_match`, and `f1` of characters. */
export function korquadScores(questions: readonly JudgedQuestion[], predictions: PredictedAnswers): OfficialScores {
  return bestOverReferences(questions, predictions, { exact_match: koreanMatch, f1: characterF1 });
}

export interface Squad20Options {
  /** How probable it is that a question has no answer, by id: any scale. Without them nothing is searched for. */
  readonly noAnswerProbabilities?: ReadonlyMap<string, number>;
  /** Beyond it a prediction counts as "no answer". Default 1. */
  readonly threshold?: number;
}

interface Scored {
  readonly id: string;
  readonly hasAnswer: boolean;
  readonly isAnswered: boolean;
  readonly exact: number;
  readonly f1: number;
  readonly noAnswerScore: number;
}

/**
 * SQuAD 2.0: `exact`, `f1`, `total`, the same of questions with an answer (`HasAns_`) and without (`NoAns_`); with
 * probabilities also the best that any threshold gives (`best_exact`, `best_exact_thresh`, …) and average precision
 * (`pr_exact_ap`, `pr_f1_ap`, `pr_oracle_ap`). Every question needs a prediction, "" for none.
 */
export function squad20Scores(
  questions: readonly JudgedQuestion[],
  predictions: PredictedAnswers,
  { noAnswerProbabilities, threshold = 1 }: Squad20Options = {},
): OfficialScores {
  const scored = uniqueById(questions).map(({ id, references }): Scored => {
    const answer = predictions.get(id) ?? '';
    const kept = references.filter((reference) => normalizedAnswer(reference) !== '');
    const golds = kept.length === 0 ? [''] : kept;
    return {
      id,
      hasAnswer: references.length > 0,
      isAnswered: answer !== '',
      exact: Math.max(...golds.map((gold) => exactMatch(answer, gold))),
      f1: Math.max(...golds.map((gold) => answerF1(answer, gold))),
      noAnswerScore: noAnswerProbabilities?.get(id) ?? 0,
    };
  });
  const final = scored.map((each): Scored => {
    if (!(each.noAnswerScore > threshold)) return each;
    const score = each.hasAnswer ? 0 : 1;
    return { ...each, exact: score, f1: score };
  });
  return {
    ...means('', final),
    ...means(
      'HasAns_',
      final.filter(({ hasAnswer }) => hasAnswer),
    ),
    ...means(
      'NoAns_',
      final.filter(({ hasAnswer }) => !hasAnswer),
    ),
    ...(noAnswerProbabilities && ofAllThresholds(scored, [...noAnswerProbabilities.keys()])),
  };
}

/** Of questions with one id the last counts, in the place of the first: a dictionary of Python's. */
function uniqueById(questions: readonly JudgedQuestion[]): JudgedQuestion[] {
  return [...new Map(questions.map((question) => [question.id, question])).values()];
}

/** @param order  ids as the probabilities list them: among equals, the first of the list comes first */
function ofAllThresholds(scored: readonly Scored[], order: readonly string[]): OfficialScores {
  const byId = new Map(scored.map((each) => [each.id, each]));
  const inOrder = order.flatMap((id) => byId.get(id) ?? []);
  return { ...thresholds(inOrder), ...averagePrecisions(inOrder) };
}

function means(prefix: string, scored: readonly Scored[]): OfficialScores {
  const total = scored.length;
  if (total === 0) return {};
  return {
    [`${prefix}exact`]: (100 * sum(scored.map(({ exact }) => exact))) / total,
    [`${prefix}f1`]: (100 * sum(scored.map(({ f1 }) => f1))) / total,
    [`${prefix}total`]: total,
  };
}

function thresholds(scored: readonly Scored[]): OfficialScores {
  const of = (name: 'exact' | 'f1') => {
    const entries = scored.map((each) => ({ ...each, score: each[name] }));
    const best = bestThreshold(entries, 0);
    return { [`best_${name}`]: (100 * best.sum) / scored.length, [`best_${name}_thresh`]: best.threshold };
  };
  return { ...of('exact'), ...of('f1') };
}

/** Of questions with an answer, those first that are the least likely to have none. Nothing where there are none. */
function averagePrecisions(scored: readonly Scored[]): OfficialScores {
  const ranked = [...scored].sort((a, b) => a.noAnswerScore - b.noAnswerScore);
  const answerable = scored.filter(({ hasAnswer }) => hasAnswer).length;
  if (answerable === 0) return {};
  const precision = (scoreOf: (each: Scored) => number) => {
    let truePositives = 0;
    let recallBefore = 0;
    let average = 0;
    for (const [i, each] of ranked.entries()) {
      if (each.hasAnswer) truePositives += scoreOf(each);
      if (i + 1 < ranked.length && each.noAnswerScore === ranked[i + 1].noAnswerScore) continue;
      const recall = truePositives / answerable;
      average += (truePositives / (i + 1)) * (recall - recallBefore);
      recallBefore = recall;
    }
    return 100 * average;
  };
  return {
    pr_exact_ap: precision(({ exact }) => exact),
    pr_f1_ap: precision(({ f1 }) => f1),
    pr_oracle_ap: precision(() => 1),
  };
}
