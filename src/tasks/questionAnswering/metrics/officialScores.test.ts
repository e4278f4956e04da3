/** Every figure of the official scripts, to the last digit: test/golden/make_question_metrics_golden.py ran the scripts. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readTable } from '../../../data/tables/readTable.node.js';
import { SQUAD_FORMAT } from '../formats.js';
import { questionsOf } from '../questions.js';
import { characterF1, koreanMatch } from './korquadText.js';
import { korquadScores, squad11Scores, squad20Scores } from './officialScores.js';
import { answerF1, answerWords, exactMatch, normalizedAnswer, overlapF1 } from './squadText.js';

const GOLDEN = JSON.parse(
  readFileSync(new URL('../../../../test/golden/question-metrics.json', import.meta.url), 'utf8'),
);
const DATA = new URL('../../../../../shared/data/', import.meta.url);
const hasData = existsSync(new URL('squad/', DATA));
if (!hasData) console.warn('real predictions are skipped: ../shared/data is not beside this repository');

describe('answers of strange Unicode', () => {
  it('are normalised and compared as by SQuAD, word by word', () => {
    expect(GOLDEN.pairs.length).toBeGreaterThanOrEqual(500);
    for (const { prediction, reference, normalized, exact, f1, f1Squad2 } of GOLDEN.pairs) {
      const found = {
        normalized: normalizedAnswer(prediction),
        exact: exactMatch(prediction, reference),
        f1: overlapF1(answerWords(prediction), answerWords(reference)),
        f1Squad2: answerF1(prediction, reference),
      };
      expect(found, JSON.stringify([prediction, reference])).toEqual({ normalized, exact, f1, f1Squad2 });
    }
  });

  it('are compared as by KorQuAD, character by character', () => {
    for (const { prediction, reference, korquadExact, korquadF1 } of GOLDEN.pairs) {
      const found = [koreanMatch(prediction, reference), characterF1(prediction, reference)];
      expect(found, JSON.stringify([prediction, reference])).toEqual([korquadExact, korquadF1]);
    }
  });
});

describe('a set of adversarial answers', () => {
  const { questions, noAnswerScores, threshold, squad1, squad2, mrqa, korquad } = GOLDEN.adversarial;
  const predictions = new Map<string, string>(
    questions.map(({ id, prediction }: Record<string, string>) => [id, prediction]),
  );
  const answerable = questions.filter(({ references }: { references: string[] }) => references.length > 0);

  it('has all figures of SQuAD 2.0, best thresholds and average precision among equal numbers included', () => {
    const noAnswerProbabilities = new Map<string, number>(Object.entries(noAnswerScores));
    expect(squad20Scores(questions, predictions, { noAnswerProbabilities, threshold })).toEqual(squad2);
  });

  it('has those of SQuAD 1.1, MRQA and KorQuAD', () => {
    expect(squad11Scores(answerable, predictions)).toEqual(squad1);
    expect(squad11Scores(answerable, predictions)).toEqual(mrqa);
    expect(korquadScores(answerable, predictions)).toEqual(korquad);
  });
});

/** As `changed` of the script that made the predictions. */
function changed(text: string, change: number): string {
  return [text, text.toUpperCase(), `The ${text}.`, `${text} ${text}`, ''][change];
}

describe.skipIf(!hasData)('predictions for real questions', () => {
  it('are more than 3,000', () => {
    const count = GOLDEN.real.reduce((sum: number, { recipes }: { recipes: unknown[] }) => sum + recipes.length, 0);
    expect(count).toBeGreaterThan(3000);
  });

  // biome-ignore lint/suspicious/noExplicitAny: a record of the golden file
  it.each<any>(GOLDEN.real)(
    'of $file have the figures of the script',
    async ({ file, recipes, squad1, squad2, korquad }) => {
      const table = await readTable(fileURLToPath(new URL(file, DATA)), { formats: [SQUAD_FORMAT] });
      const questions = questionsOf(table, {});
      expect(questions).toHaveLength(recipes.length);
      const predictions = new Map(
        questions.map(({ id, context }, i) => {
          const [start, end, change] = recipes[i];
          return [id, changed([...context].slice(start, end).join(''), change)];
        }),
      );
      const noAnswerProbabilities = new Map<string, number>(questions.map(({ id }, i) => [id, recipes[i][3]]));
      if (squad1) expect(squad11Scores(questions, predictions)).toEqual(squad1);
      if (squad2)
        expect(squad20Scores(questions, predictions, { noAnswerProbabilities, threshold: 0.6 })).toEqual(squad2);
      if (korquad) expect(korquadScores(questions, predictions)).toEqual(korquad);
      expect([squad1, squad2, korquad].filter(Boolean)).toHaveLength(1);
    },
  );
});
