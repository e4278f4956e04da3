import { describe, expect, it } from 'vitest';
import { scorePredictions } from './evaluation.js';
import type { Question } from './questions.js';

/** An answerable question is answered rightly; the higher the score, the more speaks for "no answer". */
function asked(...entries: readonly (readonly [noAnswerScore: number, hasAnswer: boolean])[]) {
  const questions = entries.map(
    ([, hasAnswer], i): Question => ({
      ...{ id: `${i}`, question: 'who?', context: 'it is Bertha', place: `question ${i}`, misplaced: [], answers: [] },
      references: hasAnswer ? ['Bertha'] : [],
      isImpossible: !hasAnswer,
    }),
  );
  const predictions = entries.map(([noAnswerScore]) => ({ answer: 'Bertha', noAnswerScore }));
  return { questions, predictions };
}

describe('the margin for "no answer"', () => {
  // Three of four have none: it is best to answer nothing beyond 1. Where one of two has none, it pays to answer up to 3.
  const { questions, predictions } = asked(
    ...([
      [1, true],
      [2, false],
      [2.5, false],
      [3, true],
      [4, false],
      [5, false],
      [6, false],
      [7, false],
    ] as const),
  );
  const scored = (noAnswerShare?: number) =>
    scorePredictions(questions, predictions, { characters: false, ...(noAnswerShare && { noAnswerShare }) });

  it('is the best for the questions that it is fitted on', () => {
    expect(scored()).toMatchObject({ nullThreshold: 1, metrics: { f1: 7 / 8, hasAnswerF1: 1 / 2, noAnswerF1: 1 } });
    expect(scored(6 / 8)).toEqual(scored());
  });

  it('is the best for another share of questions without an answer, while figures stay those of these questions', () => {
    expect(scored(0.5)).toMatchObject({ nullThreshold: 3, metrics: { f1: 6 / 8, hasAnswerF1: 1, noAnswerF1: 4 / 6 } });
    expect(scored(0.99).nullThreshold).toBe(1);
  });

  it('is as given where it is given, and of one kind of questions does not depend on the share', () => {
    const options = { characters: false, threshold: 2, noAnswerShare: 0.1 };
    expect(scorePredictions(questions, predictions, options).nullThreshold).toBe(2);
    const none = asked([1, false], [2, false]);
    expect(
      scorePredictions(none.questions, none.predictions, { characters: false, noAnswerShare: 0.5 }).metrics.f1,
    ).toBe(1);
  });
});
