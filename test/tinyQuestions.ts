/** Questions with a known answer in SQuAD's form, and an encoder to learn them, for end-to-end tests; made in a moment. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RandomStream } from '../src/random/philox.js';
import { BAD, GOOD, OTHER } from './tinyReviews.js';

export interface TinyQuestion {
  readonly id: string;
  readonly question: string;
  readonly context: string;
  /** None where the context has no such word. */
  readonly answer?: { readonly text: string; readonly answer_start: number };
}

/**
 * The answer is the one word of GOOD, or that word and the one of BAD after it; it stands anywhere among others.
 * @param impossible  share of questions whose context has none
 */
export function tinyQuestions(count: number, seed: number, { impossible = 0, words = 12 } = {}): TinyQuestion[] {
  const random = new RandomStream(seed, 'test');
  const other = () => OTHER[random.integer(OTHER.length)];
  return Array.from({ length: count }, (_, index) => {
    const question = { id: `q${seed}-${index}`, question: `a ${other()}` };
    const around = Array.from({ length: words }, other);
    if (random.uniform() < impossible) return { ...question, context: around.join(' ') };
    const good = GOOD[random.integer(GOOD.length)];
    const text = random.integer(2) === 0 ? good : `${good} ${BAD[random.integer(BAD.length)]}`;
    const at = random.integer(words + 1);
    const before = [...around.slice(0, at), ''].join(' ');
    const context = `${before}${[text, ...around.slice(at)].join(' ')}`;
    return { ...question, context, answer: { text, answer_start: before.length } };
  });
}

/** A file of SQuAD 1.1, or 2.0 where a question has no answer. */
export function squadFile(questions: readonly TinyQuestion[]): string {
  const isSquad2 = questions.some(({ answer }) => answer === undefined);
  const paragraphs = questions.map(({ id, question, context, answer }) => ({
    context,
    qas: [{ id, question, answers: answer ? [answer] : [], ...(isSquad2 && { is_impossible: answer === undefined }) }],
  }));
  return JSON.stringify({ version: isSquad2 ? 'v2.0' : '1.1', data: [{ title: 'tiny', paragraphs }] });
}

export function writeQuestions(folder: string): void {
  writeFileSync(join(folder, 'train.json'), squadFile(tinyQuestions(400, 1)));
  writeFileSync(join(folder, 'dev.json'), squadFile(tinyQuestions(100, 2)));
}
