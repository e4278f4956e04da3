/**
 * Answers as the question-answering pipeline of Python's transformers scores them (the fast path of 4.53, removed in 5.3), for
 * whoever has to reproduce its numbers. What it does, and what of it makes scores hard to compare:
 *
 *   1. In each window, softmax of start and of end over the context and [CLS], apart from other windows.
 *   2. "No answer" is p_start([CLS]) · p_end([CLS]), the least of all windows.
 *   3. An answer is p_start(s) · p_end(e), s ≤ e < s + maxAnswerLength; each window gives its best `topK`.
 *   4. Answers of the same words, whatever their case, are one: their scores are added up, over windows and places, and the
 *      place is that of the first.
 */
import type { AskedContext } from '../tasks/questionAnswering/rankAnswers.js';

export interface TransformersAnswer {
  /** Index of the context; undefined for "no answer". */
  readonly context?: number;
  readonly start: number;
  readonly end: number;
  /** May exceed 1. */
  readonly score: number;
}

export interface TransformersOptions {
  readonly topK: number;
  readonly maxAnswerLength: number;
  readonly handleImpossibleAnswer: boolean;
  readonly alignToWords: boolean;
}

/** @returns answers, the best first, and the probability of none */
export function transformersAnswers(
  contexts: readonly AskedContext[],
  { topK, maxAnswerLength, handleImpossibleAnswer, alignToWords }: TransformersOptions,
): { readonly answers: TransformersAnswer[]; readonly nullScore: number } {
  const byText = new Map<string, { context: number; start: number; end: number; score: number }>();
  let nullScore = Number.POSITIVE_INFINITY;
  for (const [index, context] of contexts.entries()) {
    for (const window of context.rows.keys()) {
      const { start, end, none } = windowProbabilities(context, window);
      nullScore = Math.min(nullScore, none);
      for (const { first, last, score } of bestOfWindow(start, end, maxAnswerLength, topK)) {
        const [from, to] = placeOf(context, window, first, last, alignToWords);
        const text = context.text.slice(from, to).toLowerCase();
        const known = byText.get(text);
        if (known) known.score += score;
        else byText.set(text, { context: index, start: from, end: to, score });
      }
    }
  }
  const answers: TransformersAnswer[] = [...byText.values()];
  if (handleImpossibleAnswer) answers.push({ start: 0, end: 0, score: nullScore });
  return { answers: answers.sort((a, b) => b.score - a.score).slice(0, topK), nullScore };
}

/** Probabilities of the pieces of a window, and that of [CLS] to be both ends. */
function windowProbabilities({ rows, logits }: AskedContext, window: number) {
  const { first, from, to } = rows[window];
  const ofWindow = logits[window];
  if (!('start' in ofWindow)) throw new Error('the joint head has no probabilities of start and end apart');
  const [start, end] = [ofWindow.start, ofWindow.end].map((values) =>
    softmax([values[0], ...values.subarray(first, first + to - from)]),
  );
  return { none: start[0] * end[0], start: start.slice(1), end: end.slice(1) };
}

function softmax(logits: readonly number[]): number[] {
  const largest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

interface Candidate {
  readonly first: number;
  readonly last: number;
  readonly score: number;
}

function bestOfWindow(start: number[], end: number[], maxAnswerLength: number, most: number): Candidate[] {
  const all: Candidate[] = [];
  for (const [first, p] of start.entries()) {
    for (let last = first; last < Math.min(end.length, first + maxAnswerLength); last++) {
      all.push({ first, last, score: p * end[last] });
    }
  }
  return all.sort((a, b) => b.score - a.score).slice(0, most);
}

/** Pieces of a window as characters: whole words, as far as they lie in the window. */
function placeOf(
  { rows, pieces: { offsets, wordIds } }: AskedContext,
  window: number,
  first: number,
  last: number,
  alignToWords: boolean,
): [start: number, end: number] {
  const { from, to } = rows[window];
  let [s, e] = [from + first, from + last];
  if (alignToWords) {
    while (s > from && wordIds[s - 1] === wordIds[s]) s--;
    while (e + 1 < to && wordIds[e + 1] === wordIds[e]) e++;
  }
  return [offsets[2 * s], offsets[2 * e + 1]];
}
