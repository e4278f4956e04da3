/** Files of answers against data: which script counts, and what is said of ids that do not fit. */
import { describe, expect, it } from 'vitest';
import { squadFile, type TinyQuestion } from '../../../test/tinyQuestions.js';
import { findScorer } from '../scorers.js';
import { SQUAD_FORMAT } from './formats.js';
import { KORQUAD_SCORER, SQUAD_SCORER } from './scorers.js';

const asked = (id: string, text?: string): TinyQuestion => ({
  ...{ id, question: 'who?', context: `it is ${text ?? 'nobody'}` },
  ...(text !== undefined && { answer: { text, answer_start: 6 } }),
});
const tableOf = (...questions: TinyQuestion[]) => SQUAD_FORMAT.parse(squadFile(questions), 'dev.json');
const answerable = tableOf(asked('a', 'Bertha'), asked('b', 'the chef'));
const some = tableOf(asked('a', 'Bertha'), asked('b'));
const none = { columns: {} };

describe('figures of predictions', () => {
  it('are those of SQuAD 1.1 or 2.0, as the data are', () => {
    const old = SQUAD_SCORER.score(answerable, { a: 'bertha!', b: 'chef cook' }, none);
    expect(old.scores).toEqual({ exact_match: 50, f1: (100 * (1 + 2 / 3)) / 2 });
    const now = SQUAD_SCORER.score(some, { a: 'Bertha', b: 'x' }, none);
    expect(now.scores).toEqual({
      ...{ exact: 50, f1: 50, total: 2 },
      ...{ HasAns_exact: 100, HasAns_f1: 100, HasAns_total: 1, NoAns_exact: 0, NoAns_f1: 0, NoAns_total: 1 },
    });
  });

  it('have best thresholds where there are numbers, and count no answer beyond the threshold', () => {
    const further = { noAnswerProbabilities: { a: 0.1, b: 0.9 } };
    const { scores } = SQUAD_SCORER.score(some, { a: 'Bertha', b: 'x' }, { columns: {}, further, threshold: 0.5 });
    expect(scores).toMatchObject({ exact: 100, best_exact: 100, best_exact_thresh: 0.1, pr_oracle_ap: 100 });
  });

  it('are taken from a list of answers too', () => {
    const list = [
      { id: 'a', prediction_text: 'Bertha' },
      { id: 'b', answer: 'the chef' },
    ];
    expect(SQUAD_SCORER.score(answerable, list, none).scores).toEqual({ exact_match: 100, f1: 100 });
  });

  it('say which ids are missing or of other data: SQuAD 1.1 gives missing ones 0 points, 2.0 has no score for them', () => {
    const { scores, notices } = SQUAD_SCORER.score(answerable, { a: 'Bertha', z: 'x' }, none);
    expect(scores).toEqual({ exact_match: 50, f1: 50 });
    expect(notices.map(({ code, message }) => [code, message])).toEqual([
      ['foreign-ids', '1 of 2 predictions are of no question in the data and do not count: z'],
      ['missing-ids', '1 of 2 questions are not among the predictions: b'],
    ]);
    expect(() => SQUAD_SCORER.score(some, { a: 'Bertha' }, none)).toThrow(
      '1 of 2 questions are not among the predictions: b. Add them; a question that is not answered has the answer ""',
    );
    expect(() => KORQUAD_SCORER.score(answerable, { z: 'x' }, none)).toThrow(
      'the predictions are of other questions: none of the 2 ids of the data is among their 1, such as z; the data have a, b',
    );
  });

  it.each([
    ['a text', 'the predictions are "a text"'],
    [{ a: 1 }, 'the prediction of question a is 1'],
    [[{ id: 'a' }], 'the prediction of entry 1 is missing'],
    [[{ answer: 'x' }], 'the predictions are {"answer":"x"}'],
  ])('are refused where they are none: %j', (predictions, problem) => {
    expect(() => SQUAD_SCORER.score(answerable, predictions, none)).toThrow(problem as string);
  });

  it('are found by the name of the script, and the first by that of the task', () => {
    expect(['squad', 'question-answering', 'qa'].map((name) => findScorer(name)?.name)).toEqual([
      'squad',
      'squad',
      'squad',
    ]);
    expect(findScorer('korquad')?.name).toBe('korquad');
    expect(findScorer('text-classification')).toBeUndefined();
  });
});
