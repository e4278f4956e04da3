/**
 * What of a question-answering model is fitted on dev data: the temperature that makes its scores probabilities, and the
 * margin by which "no answer" must win. Both stand in question_answering.json of the model folder.
 */

import { type JointWindow, LogSum, type StandardWindow, type WindowLogits } from './answerSearch.js';
import { type EncodedQuestion, piecesOfAnswer } from './encodedQuestions.js';
import { type AskedContext, nullLogitOf, windowsOf } from './rankAnswers.js';

/** What a question's score depends on at any temperature. */
export interface ScoredQuestion {
  /** Logits of the right answers: spans, or "no answer". */
  readonly right: readonly number[];
  /** Logits of the windows' pieces. */
  readonly windows: readonly ScoredWindow[];
  /** Of "no answer", where that is among the answers. */
  readonly nullLogit?: number;
}

type WithoutPlace<W> = W extends WindowLogits ? Omit<W, 'from'> : never;
type ScoredWindow = WithoutPlace<WindowLogits>;

/**
 * A question with its right answers among those that can be given; undefined where none can.
 * @param handleImpossibleAnswer  whether "no answer" is among the answers
 */
export function scoredQuestion(
  { question, pieces }: EncodedQuestion,
  asked: AskedContext,
  {
    maxAnswerLength,
    handleImpossibleAnswer,
  }: { readonly maxAnswerLength: number; readonly handleImpossibleAnswer: boolean },
): ScoredQuestion | undefined {
  const nullLogit = nullLogitOf([asked]);
  const windows = windowsOf(asked);
  const spans = question.answers.flatMap((answer) => piecesOfAnswer(pieces, answer) ?? []);
  const distinct = new Map(spans.map((span) => [`${span.first}:${span.last}`, span]));
  const ofSpans = [...distinct.values()].flatMap(({ first, last }) =>
    windows.flatMap((window) => {
      const place = first - window.from;
      if (place < 0 || last - first >= maxAnswerLength || !window.mayStart(place)) return [];
      return logitOf(window, place, last - window.from) ?? [];
    }),
  );
  const right = question.isImpossible ? [nullLogit] : ofSpans;
  if (right.length === 0 || (question.isImpossible && !handleImpossibleAnswer)) return undefined;
  return { right, windows, ...(handleImpossibleAnswer && { nullLogit }) };
}

/** Of the span between two places of a window; undefined where it is not in the window, or not looked at. */
function logitOf(window: WindowLogits, first: number, last: number): number | undefined {
  if (!('beams' in window)) return last < window.end.length ? window.start[first] + window.end[last] : undefined;
  const beam = window.beams.find((each) => each.first === first);
  return beam && last - first < beam.ends.length ? beam.logit + beam.ends[last - first] : undefined;
}

/** Bounds of the temperature: beyond them the dev data say nothing of use. */
const COLDEST = 0.05;
const HOTTEST = 20;

/**
 * The temperature at which the right answers of dev data are the most probable (Guo et al. 2017, arXiv 1706.04599 §4.2), by
 * golden-section search over its logarithm. 1 where there is nothing to fit it on.
 */
export function fitTemperature(questions: readonly ScoredQuestion[], maxAnswerLength: number): number {
  if (questions.length === 0) return 1;
  const loss = (logTemperature: number) => {
    const inverse = Math.exp(-logTemperature);
    return questions.reduce((sum, each) => sum + lossOf(each, inverse, maxAnswerLength), 0);
  };
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [Math.log(COLDEST), Math.log(HOTTEST)];
  let [left, right] = [high - ratio * (high - low), low + ratio * (high - low)];
  let [atLeft, atRight] = [loss(left), loss(right)];
  while (high - low > 1e-3) {
    if (atLeft <= atRight) {
      [high, right, atRight] = [right, left, atLeft];
      left = high - ratio * (high - low);
      atLeft = loss(left);
    } else {
      [low, left, atLeft] = [left, right, atRight];
      right = low + ratio * (high - low);
      atRight = loss(right);
    }
  }
  return Math.exp((low + high) / 2);
}

/** −ln P(right answers) */
function lossOf(question: ScoredQuestion, inverse: number, maxAnswerLength: number): number {
  const { right, windows, nullLogit } = question;
  // A classifier of its own says "no answer" against all spans together, see rankAnswers.ts.
  if (nullLogit !== undefined && windows.some(isJoint) && right.includes(nullLogit))
    return softplus(-inverse * nullLogit);
  return logSumOf(question, inverse, maxAnswerLength) - rightOf(question, inverse);
}

const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** ln Σ exp(z·inverse) over the right answers. */
function rightOf({ right }: ScoredQuestion, inverse: number): number {
  const max = Math.max(...right);
  return inverse * max + Math.log(right.reduce((sum, z) => sum + Math.exp(inverse * (z - max)), 0));
}

type ScoredBeams = WithoutPlace<JointWindow>;
type ScoredPieces = WithoutPlace<StandardWindow>;
const isJoint = (window: ScoredWindow): window is ScoredBeams => 'beams' in window;

/** ln Σ exp(z·inverse) over all that may be an answer. */
export function logSumOf({ windows, nullLogit }: ScoredQuestion, inverse: number, maxAnswerLength: number): number {
  const beams = windows.filter(isJoint);
  if (beams.length > 0) {
    return (
      logSumOfBeams(beams, inverse, maxAnswerLength) + (nullLogit === undefined ? 0 : softplus(inverse * nullLogit))
    );
  }
  const pieces = windows.filter((window) => !isJoint(window)) as ScoredPieces[];
  return logSumOfPieces(pieces, nullLogit, inverse, maxAnswerLength);
}

function logSumOfBeams(windows: readonly ScoredBeams[], inverse: number, maxAnswerLength: number): number {
  const sum = new LogSum();
  for (const { beams, mayStart } of windows) {
    for (const { first, logit, ends } of beams) {
      const count = mayStart(first) ? Math.min(ends.length, maxAnswerLength) : 0;
      for (let i = 0; i < count; i++) sum.add(inverse * (logit + ends[i]));
    }
  }
  return sum.value;
}

/** The sum over spans is Σ_s exp(start_s) Σ_{s ≤ e < s + most} exp(end_e); the inner sums are differences of running sums. */
function logSumOfPieces(
  windows: readonly ScoredPieces[],
  nullLogit: number | undefined,
  inverse: number,
  maxAnswerLength: number,
): number {
  const largest = (values: ArrayLike<number>) =>
    Array.prototype.reduce.call(values, (a, b) => Math.max(a as number, b as number), -Infinity) as number;
  const maxStart = Math.max(...windows.map(({ start }) => largest(start)));
  const maxEnd = Math.max(...windows.map(({ end }) => largest(end)));
  let total = 0;
  for (const { start, end, mayStart } of windows) {
    const sums = new Float64Array(end.length + 1);
    for (let e = 0; e < end.length; e++) sums[e + 1] = sums[e] + Math.exp(inverse * (end[e] - maxEnd));
    for (let s = 0; s < start.length; s++) {
      if (!mayStart(s)) continue;
      const ends = Math.max(0, sums[Math.min(end.length, s + maxAnswerLength)] - sums[s]);
      total += Math.exp(inverse * (start[s] - maxStart)) * ends;
    }
  }
  if (nullLogit !== undefined) total += Math.exp(inverse * (nullLogit - maxStart - maxEnd));
  return Math.log(total) + inverse * (maxStart + maxEnd);
}
