/** Tasks with known answers besides `tinyReviews.ts`: several labels, numbers, multiple choice, relations. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RandomStream } from '../src/random/philox.js';
import { BAD, GOOD, OTHER } from './tinyReviews.js';

/** Pieces that mark entities. */
export const UNUSED = ['[unused1]', '[unused2]', '[unused3]', '[unused4]'];

const pick = (random: RandomStream, words: readonly string[]) => words[random.integer(words.length)];
/** Words that decide nothing. */
const filler = (random: RandomStream, count: number) =>
  Array.from({ length: count }, () => pick(random, OTHER.slice(0, 9)));

function mixed(random: RandomStream, words: readonly string[], most = 6): string {
  const all = filler(random, most - 3 + random.integer(4));
  for (const word of words) all.splice(random.integer(all.length + 1), 0, word);
  return all.join(' ');
}

/** Labels of a text are those of its words among lovely, dull and town: none, one or several. */
export function topic(random: RandomStream): { text: string; labels: string[] } {
  const labels = ['lovely', 'dull', 'town'].filter(() => random.integer(2) === 0);
  return { text: mixed(random, labels), labels };
}

/** A number by the one word that decides. */
export function rated(random: RandomStream): { text: string; score: number } {
  const at = random.integer(6);
  return { text: mixed(random, [[...GOOD, ...BAD][at]]), score: [2.5, 2, 1.5, -0.5, -1, -1.5][at] };
}

/** The right one of three or four texts has a good word, all others a bad one. */
export function question(random: RandomStream): { question: string; choices: string[]; label: number } {
  const choices = Array.from({ length: 3 + random.integer(2) }, () => mixed(random, [pick(random, BAD)]));
  const label = random.integer(choices.length);
  choices[label] = mixed(random, [pick(random, GOOD)]);
  return { question: mixed(random, []), choices, label };
}

/** Two words of opposite kinds; which of them is e1 decides, and nothing else tells. */
export function related(random: RandomStream): { text: string; label: string } {
  const [good, bad] = [pick(random, GOOD), pick(random, BAD)];
  const isGood = random.integer(2) === 0;
  const marks = [`<e${isGood ? 1 : 2}>${good}</e${isGood ? 1 : 2}>`, `<e${isGood ? 2 : 1}>${bad}</e${isGood ? 2 : 1}>`];
  return {
    text: mixed(random, random.integer(2) === 0 ? marks : marks.reverse(), 3),
    label: isGood ? 'Praise(e1,e2)' : 'Praise(e2,e1)',
  };
}

const rowsOf = <T>(count: number, seed: number, row: (random: RandomStream) => T): T[] => {
  const random = new RandomStream(seed, 'test');
  return Array.from({ length: count }, () => row(random));
};

/** topics.csv, ratings.tsv, questions.jsonl and relations.txt (SemEval's form), each also as dev-…: 400 and 100 rows. */
export function writeTinyTasks(folder: string): void {
  for (const [prefix, count, seed] of [['', 400, 1] as const, ['dev-', 100, 2] as const]) {
    const write = (name: string, text: string) => writeFileSync(join(folder, prefix + name), text);
    const topics = rowsOf(count, seed, topic).map(
      ({ text, labels }) => `${text.replaceAll(',', '')},${labels.join(';')}\n`,
    );
    write('topics.csv', `text,label\n${topics.join('')}`);
    const ratings = rowsOf(count, seed, rated).map(({ text, score }) => `${text}\t${score.toFixed(1)}\n`);
    write('ratings.tsv', `sentence\tscore\n${ratings.join('')}`);
    write(
      'questions.jsonl',
      rowsOf(count, seed, question)
        .map((row) => `${JSON.stringify(row)}\n`)
        .join(''),
    );
    const relations = rowsOf(count, seed, related);
    write(
      'relations.txt',
      relations.map(({ text, label }, i) => `${i + 1}\t"${text}"\r\n${label}\r\nComment:\r\n\r\n`).join(''),
    );
  }
}
