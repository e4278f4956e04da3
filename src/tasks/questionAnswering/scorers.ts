/** SQuAD's and KorQuAD's official figures, of files of answers and of models. */
import type { Table } from '../../data/tables/table.js';
import type { Scorer, ScorerOptions, ScriptScores } from '../scorer.js';
import { askModel, settingsOfModel } from './askModel.js';
import {
  type JudgedQuestion,
  korquadScores,
  type PredictedAnswers,
  squad11Scores,
  squad20Scores,
} from './metrics/officialScores.js';
import { compareIds, parseNumbers, parsePredictions } from './predictions.js';
import { type Question, questionsOf } from './questions.js';
import { questionSections } from './report.js';

interface Answered {
  readonly answers: PredictedAnswers;
  readonly noAnswerScores?: ReadonlyMap<string, number>;
  readonly threshold?: number;
}

interface Script {
  readonly name: string;
  /** Whether the script gives a question without a prediction 0 points; that of SQuAD 2.0 has no score for it. */
  readonly allowsMissing: (isSquad20: boolean) => boolean;
  readonly score: (
    questions: readonly JudgedQuestion[],
    answered: Answered,
    isSquad20: boolean,
  ) => ScriptScores['scores'];
}

function scorerOf({ name, allowsMissing, score }: Script): Scorer {
  return {
    name,
    task: 'question-answering',
    score(data, predictions, { columns, further = {}, threshold }: ScorerOptions) {
      const questions = questionsOf(data, columns);
      const isSquad20 = hasUnanswerable(data, questions);
      const answers = parsePredictions(predictions);
      const missing = allowsMissing(isSquad20) ? 'zero' : 'error';
      const notices = compareIds(new Set(answers.keys()), questions, { what: 'predictions', missing });
      const { noAnswerProbabilities: given } = further;
      const noAnswerScores = given === undefined ? undefined : parseNumbers(given, 'no-answer probabilities');
      if (noAnswerScores) {
        const compared = { what: 'no-answer probabilities', missing: 'error' } as const;
        notices.push(...compareIds(new Set(noAnswerScores.keys()), questions, compared));
      }
      const scores = score(questions, { answers, noAnswerScores, threshold }, isSquad20);
      const said = questions.map(({ id }) => ({ answer: answers.get(id), noAnswerScore: noAnswerScores?.get(id) }));
      const sections = questionSections(questions, said, noAnswerScores ? { threshold: threshold ?? 1 } : {});
      return { rows: questions.length, scores, sections, notices };
    },
    async scoreModel(model, data, { columns, threshold }) {
      const questions = questionsOf(data, columns);
      const file = settingsOfModel(model);
      const predictions = await askModel(model, questions, file);
      const answers = new Map(questions.map(({ id }, i) => [id, predictions[i].answer]));
      const noAnswerScores = new Map(questions.map(({ id }, i) => [id, predictions[i].noAnswerScore]));
      const answered = { answers, noAnswerScores, threshold: threshold ?? file.nullThreshold };
      const { temperature } = file;
      const sections = questionSections(questions, predictions, { threshold: answered.threshold, temperature });
      const scores = score(questions, answered, hasUnanswerable(data, questions));
      return { rows: questions.length, scores, sections, notices: [] };
    },
  };
}

/** Whether data have the form of SQuAD 2.0: their questions say whether they have an answer, or some have none. */
function hasUnanswerable({ rows }: Table, questions: readonly Question[]): boolean {
  return (
    rows.some(({ values }) => values.is_impossible !== undefined) || questions.some(({ isImpossible }) => isImpossible)
  );
}

/** SQuAD 1.1, SQuAD 2.0 and MRQA, whichever the data are. */
export const SQUAD_SCORER = scorerOf({
  name: 'squad',
  allowsMissing: (isSquad20) => !isSquad20,
  score: (questions, { answers, noAnswerScores, threshold }, isSquad20) =>
    isSquad20
      ? squad20Scores(questions, answers, { noAnswerProbabilities: noAnswerScores, threshold })
      : squad11Scores(questions, answers),
});

export const KORQUAD_SCORER = scorerOf({
  name: 'korquad',
  allowsMissing: () => true,
  score: (questions, { answers }) => korquadScores(questions, answers),
});
