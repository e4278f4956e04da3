/** How many questions are answered rightly, and by what costs nothing. */
import type { Metrics } from '../../training/objective.js';
import { firstLargest } from '../firstLargest.js';
import type { AnsweredQuestion } from './questions.js';

/** @param chosen  index of a choice, question by question */
export function choiceAccuracy(chosen: readonly number[], answers: readonly number[]): number {
  return chosen.filter((choice, question) => choice === answers[question]).length / answers.length;
}

/** The mean of −log softmax(logits)[answer]. */
export function choiceLoss(logits: readonly ArrayLike<number>[], answers: readonly number[]): number {
  const sum = logits.reduce((total, own, question) => {
    const max = Array.from(own).reduce((a, b) => Math.max(a, b));
    return total + max + Math.log(Array.from(own).reduce((s, z) => s + Math.exp(z - max), 0)) - own[answers[question]];
  }, 0);
  return sum / answers.length;
}

/** Choosing blindly, and choosing what shares most of its words with what was asked. */
export function choiceBaselines(questions: readonly AnsweredQuestion[]): Metrics {
  const answers = questions.map(({ answer }) => answer);
  return {
    chanceAccuracy: questions.reduce((sum, { choices }) => sum + 1 / choices.length, 0) / questions.length,
    overlapAccuracy: choiceAccuracy(questions.map(byOverlap), answers),
  };
}

function byOverlap({ context = '', question = '', choices }: AnsweredQuestion): number {
  const asked = new Set(wordsOf(`${context} ${question}`));
  return firstLargest(
    choices.map((choice) => {
      const words = wordsOf(choice);
      return words.filter((word) => asked.has(word)).length / Math.max(1, words.length);
    }),
  );
}

const wordsOf = (text: string) =>
  text
    .normalize('NFC')
    .toLowerCase()
    .match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
