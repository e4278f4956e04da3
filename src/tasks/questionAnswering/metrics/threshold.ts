/** The margin for "no answer" at which a score is best (SQuAD 2.0, evaluate-v2.0.py, find_best_thresh). */

export interface ThresholdEntry {
  /** How likely it is that there is no answer: a probability or a margin of logits. */
  readonly noAnswerScore: number;
  /** What the prediction scores, 0 to 1, when it is given. */
  readonly score: number;
  readonly hasAnswer: boolean;
  /** Whether a text is predicted. */
  readonly isAnswered: boolean;
  /** How often it counts. Default 1. */
  readonly weight?: number;
}

/**
 * Answers are given one after another, those first that are the least likely to have none: each answerable question then adds
 * its score, each other one with an answer takes 1 away.
 * @param start  the threshold at which nothing is answered
 * @returns the best sum of scores, and the threshold: an answer is kept where `noAnswerScore` is not greater
 */
export function bestThreshold(entries: readonly ThresholdEntry[], start: number): { sum: number; threshold: number } {
  let current = entries.reduce((sum, { hasAnswer, weight = 1 }) => sum + (hasAnswer ? 0 : weight), 0);
  let best = { sum: current, threshold: start };
  const inOrder = [...entries].sort((a, b) => a.noAnswerScore - b.noAnswerScore);
  for (const { noAnswerScore, score, hasAnswer, isAnswered, weight = 1 } of inOrder) {
    current += weight * (hasAnswer ? score : isAnswered ? -1 : 0);
    if (current > best.sum) best = { sum: current, threshold: noAnswerScore };
  }
  return best;
}
