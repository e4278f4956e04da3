/**
 * Makes a multiple-choice task of books: a sentence, and four sentences of the same book of which one is the next. Dev books
 * are none that are trained on.
 *
 *     node dist/bench/nextSentence.js BOOKS OUT [--per-book 400] [--dev-books 6] [--seed 1]
 *
 * BOOKS: a folder of texts, .gz or not, one paragraph a line. OUT: train.jsonl and dev.jsonl of { context, choices, label }.
 */
import { mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { Permutation, RandomStream } from '../src/random/philox.js';

export interface NextSentence {
  readonly book: string;
  readonly context: string;
  readonly choices: readonly string[];
  readonly label: number;
}

const CHOICES = 4;
/** Characters: shorter ones are mostly exclamations, of longer ones the end is cut. */
const [SHORTEST, LONGEST] = [40, 240];
/** Between the end of a sentence and a capital, quotes belonging to either. */
const BOUNDARY = /(?<=[.!?]["”’']?)\s+(?=["“‘']?\p{Lu})/u;

/** Paragraphs as lists of sentences. */
export function sentencesOf(text: string): string[][] {
  return text.split(/\r?\n/).map((paragraph) => paragraph.trim().split(BOUNDARY));
}

/**
 * Questions of one book, at most `count`: a sentence, the one after it in its paragraph, and three others of the book. No
 * sentence is right twice, and the place of the right one is drawn.
 */
export function nextSentenceQuestions(
  book: string,
  text: string,
  { count, seed }: { count: number; seed: number },
): NextSentence[] {
  const fits = (sentence: string) => sentence.length >= SHORTEST && sentence.length <= LONGEST;
  const paragraphs = sentencesOf(text);
  const pool = [...new Set(paragraphs.flat().filter(fits))];
  const pairs = paragraphs.flatMap((sentences) =>
    sentences.slice(1).flatMap((next, i) => (fits(next) && fits(sentences[i]) ? [[sentences[i], next] as const] : [])),
  );
  if (pool.length < CHOICES + 1 || pairs.length === 0) return [];
  const random = new RandomStream(
    seed,
    'test',
    [...book].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) % 2 ** 31,
  );
  const order = new Permutation(pairs.length, new RandomStream(seed, 'shuffle', pairs.length));
  const used = new Set<string>();
  const questions: NextSentence[] = [];
  for (let i = 0; i < pairs.length && questions.length < count; i++) {
    const [context, next] = pairs[order.at(i)];
    if (used.has(next) || next === context) continue;
    used.add(next);
    const choices: string[] = [];
    while (choices.length < CHOICES - 1) {
      const other = pool[random.integer(pool.length)];
      if (other !== next && other !== context && !choices.includes(other)) choices.push(other);
    }
    const label = random.integer(CHOICES);
    choices.splice(label, 0, next);
    questions.push({ book, context, choices, label });
  }
  return questions;
}

export interface NextSentenceOptions {
  /** Questions of each book, at most. */
  readonly perBook: number;
  readonly devBooks: number;
  readonly seed: number;
}

/**
 * Writes train.jsonl and dev.jsonl.
 * @param folder  of books, .txt or .txt.gz
 * @returns       how many questions each file has
 */
export function writeNextSentenceTask(
  folder: string,
  out: string,
  { perBook, devBooks, seed }: NextSentenceOptions,
): Record<'train' | 'dev', number> {
  const files = readdirSync(folder)
    .filter((name) => /\.txt(\.gz)?$/.test(name))
    .sort();
  const order = new Permutation(files.length, new RandomStream(seed, 'evaluation'));
  const isDev = new Set(Array.from({ length: devBooks }, (_, i) => files[order.at(i)]));
  const questionsOf = (file: string) => {
    const bytes = readFileSync(join(folder, file));
    const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
    return nextSentenceQuestions(basename(file).replace(/\.txt(\.gz)?$/, ''), text, { count: perBook, seed });
  };
  mkdirSync(out, { recursive: true });
  const write = (name: 'train' | 'dev') => {
    const questions = files.filter((file) => isDev.has(file) === (name === 'dev')).flatMap(questionsOf);
    writeFileSync(join(out, `${name}.jsonl`), questions.map((question) => `${JSON.stringify(question)}\n`).join(''));
    return questions.length;
  };
  return { train: write('train'), dev: write('dev') };
}

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      'per-book': { type: 'string', default: '400' },
      'dev-books': { type: 'string', default: '6' },
      seed: { type: 'string', default: '1' },
    },
  });
  const [folder, out] = positionals;
  if (out === undefined) throw new Error('expected the folder of books and the folder to write');
  const [perBook, devBooks, seed] = [values['per-book'], values['dev-books'], values.seed].map(Number);
  const counts = writeNextSentenceTask(folder, out, { perBook, devBooks, seed });
  for (const [name, count] of Object.entries(counts)) console.log(`${name}.jsonl: ${count} questions`);
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) main();
