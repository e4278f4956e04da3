/** A question answering model on twenty-one questions that were written down before one was trained: bench/askQuestions.json. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { pipeline } from '../src/pipelines/pipeline.node.js';
import { exactMatch } from '../src/tasks/questionAnswering/metrics/squadText.js';

interface Asked {
  readonly question: string;
  readonly answers: readonly string[];
}
interface Questions {
  readonly book: Asked & { readonly context: string };
  readonly texts: readonly { readonly title: string; readonly context: string; readonly questions: readonly Asked[] }[];
}

/** From source this file lies in bench/, compiled in dist/bench/. */
function readQuestions(): Questions {
  const paths = ['./askQuestions.json', '../../bench/askQuestions.json'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  return JSON.parse(readFileSync(paths.find((path) => existsSync(path)) ?? paths[0], 'utf8')) as Questions;
}

export async function benchAnswers({ model }: { readonly model: string }) {
  const { book, texts } = readQuestions();
  const all = [
    { ...book, title: 'Book' },
    ...texts.flatMap(({ title, context, questions }) => questions.map((asked) => ({ ...asked, title, context }))),
  ];
  await using ask = await pipeline('question-answering', { model });
  const answers = await ask(all.map(({ question, context }) => ({ question, context })));
  const results = all.map(({ title, question, answers: right }, i) => {
    const { answer, score } = answers[i];
    const isRight = right.some((reference) => exactMatch(answer, reference) === 1);
    return { title, question, answer, score, isRight };
  });
  const right = results.slice(1).filter(({ isRight }) => isRight).length;
  return { name: 'answers', model, right, of: results.length - 1, isBookRight: results[0].isRight, results };
}

export type AnswersResult = Awaited<ReturnType<typeof benchAnswers>>;

export function describeAnswers({ right, of, results }: AnswersResult): string[] {
  return [
    ...results.map(
      ({ title, question, answer, score, isRight }) =>
        `${isRight ? 'right' : 'wrong'}  ${title}: ${question}  ${JSON.stringify(answer)}  ${score.toFixed(3)}`,
    ),
    `${right} of ${of} right, besides the book's question`,
  ];
}
