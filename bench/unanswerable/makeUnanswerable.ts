/**
 * Makes questions that their text does not answer of questions that it does answer, English, for training on both: SQuAD 2.0's
 * were written by hand, and a part of it is too few to learn from. Five ways, after the kinds that people wrote (arXiv
 * 1806.03822, table 2): another name, another number, the opposite of a word, a negation, and a similar text that lacks the
 * answer. Some of what is made does have an answer after all, or is no English; a model learns from the rest.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { PleiadError } from '../../src/errors/errors.js';
import { oppositeOf } from './opposites.js';
import { type CountsOfWays, WAYS, type Way } from './unanswerableSettings.js';

export interface SquadQuestion {
  readonly id: string;
  readonly question: string;
  readonly answers: readonly { readonly text: string; readonly answer_start: number }[];
  readonly is_impossible?: boolean;
}
export interface SquadParagraph {
  readonly context: string;
  readonly qas: readonly SquadQuestion[];
}
export interface SquadArticle {
  readonly title: string;
  readonly paragraphs: readonly SquadParagraph[];
}

/** Numbers from 0 to below 1. */
type Draw = () => number;

interface Placed {
  readonly paragraph: SquadParagraph;
  readonly question: SquadQuestion;
}

export interface UnanswerableOptions {
  /** SQuAD 1.1 files, to make questions of. */
  readonly train: readonly string[];
  /** A SQuAD 2.0 file whose articles are divided. */
  readonly handwritten: string;
  /** Titles of its articles that are held out, for the threshold of "no answer". */
  readonly heldOut: readonly string[];
  readonly out: string;
  /** Questions of each way, at most. */
  readonly counts: CountsOfWays;
  /** Questions of SQuAD 1.1 as they are that go with them. */
  readonly answerable: number;
  readonly seed: number;
}

/** Writes made.json, and of the handwritten questions train.json and held-out.json. */
export function writeUnanswerable(options: UnanswerableOptions) {
  const { train, handwritten, heldOut, out, counts, answerable, seed } = options;
  const articles = readSquad(handwritten);
  const missing = heldOut.filter((title) => !articles.some((article) => article.title === title));
  if (missing.length > 0) {
    throw new PleiadError(
      `${handwritten} has no article ${missing.join(', ')}; it has ${articles.map(({ title }) => title).join(', ')}`,
    );
  }
  const draw = linearCongruential(seed);
  const paragraphs = train.flatMap((path) => readSquad(path).flatMap((article) => article.paragraphs));
  const { made, asked } = madeQuestions(paragraphs, draw);
  const chosen = WAYS.flatMap((way) => shuffled(made[way], draw).slice(0, counts[way]));
  chosen.push(...shuffled(asked, draw).slice(0, answerable));
  mkdirSync(out, { recursive: true });
  const write = (name: string, data: readonly SquadArticle[]) => {
    writeFileSync(join(out, name), JSON.stringify({ version: 'v2.0', data }));
    const questions = data.flatMap((article) => article.paragraphs.flatMap(({ qas }) => qas));
    return { questions: questions.length, withoutAnswer: questions.filter(({ answers }) => !answers.length).length };
  };
  return {
    name: 'unanswerable' as const,
    'made.json': write('made.json', [{ title: 'made', paragraphs: byParagraph(chosen) }]),
    'train.json': write(
      'train.json',
      articles.filter(({ title }) => !heldOut.includes(title)),
    ),
    'held-out.json': write(
      'held-out.json',
      articles.filter(({ title }) => heldOut.includes(title)),
    ),
  };
}

/** Of each question one without an answer in each way that it allows. */
export function madeQuestions(paragraphs: readonly SquadParagraph[], draw: Draw) {
  const made: Record<Way, Placed[]> = { entity: [], number: [], antonym: [], negation: [], elsewhere: [] };
  const asked: Placed[] = [];
  const similar = similarParagraphs(paragraphs);
  for (const paragraph of paragraphs) {
    for (const question of paragraph.qas) {
      asked.push({ paragraph, question });
      const [{ text: answer } = { text: '' }] = question.answers;
      const put = (way: Way, changed: string | undefined, place: SquadParagraph | undefined = paragraph) => {
        if (changed === undefined || place === undefined) return;
        const asks = { id: `${question.id}-${way}`, question: changed, answers: [], is_impossible: true };
        made[way].push({ paragraph: place, question: asks });
      };
      const asks = { question: question.question, context: paragraph.context, answer };
      put('entity', withAnotherName(asks, draw));
      put('number', withAnotherNumber(asks, draw));
      put('antonym', withOpposite(asks, draw));
      put('negation', negated(asks, draw));
      const others = similar(question.question).filter(
        ({ context }) => context !== asks.context && !context.toLowerCase().includes(answer.toLowerCase()),
      );
      const place = drawn(others.slice(0, MOST_SIMILAR), draw);
      put('elsewhere', place && question.question, place);
    }
  }
  return { made, asked };
}

interface Asked {
  readonly question: string;
  readonly context: string;
  readonly answer: string;
}

/** A name of the text in place of another, of as many words. */
export function withAnotherName({ question, context, answer }: Asked, draw: Draw): string | undefined {
  const asked = namesOf(question).filter((name) => context.includes(name));
  const others = distinct(namesOf(context)).filter(
    (name) => !question.includes(name) && !answer.includes(name) && !name.includes(answer),
  );
  if (others.length === 0) return undefined;
  const name = drawn(asked, draw);
  if (name === undefined) return undefined;
  const numWords = (text: string) => text.split(' ').length;
  const fitting = others.filter(
    (other) => numWords(other) === numWords(name) && !name.includes(other) && !other.includes(name),
  );
  const other = drawn(fitting, draw);
  return other === undefined ? undefined : question.replace(name, other);
}

/** Years that a made year is off by. */
const YEARS = [-20, -10, -5, -2, 2, 5, 10, 20];
const YEAR = /^(1\d{3}|20\d\d)$/;

/** Another number of the text that looks alike, or for a year one close by. */
export function withAnotherNumber({ question, context, answer }: Asked, draw: Draw): string | undefined {
  const kindOf = (number: string) => (YEAR.test(number) ? 'year' : number.length);
  const number = drawn(
    numbersOf(question).filter((each) => context.includes(each)),
    draw,
  );
  if (number === undefined) return undefined;
  const others = distinct(numbersOf(context)).filter((other) => !question.includes(other) && !answer.includes(other));
  const other =
    drawn(
      others.filter((each) => kindOf(each) === kindOf(number)),
      draw,
    ) ?? (YEAR.test(number) ? String(Number(number) + drawn(YEARS, draw)!) : undefined);
  return other === undefined ? undefined : question.replace(number, other);
}

/** One word's opposite in its place. */
export function withOpposite({ question }: Pick<Asked, 'question'>, draw: Draw): string | undefined {
  const words = question.split(' ');
  const bare = words.map((word) => word.replace(/[?,.]$/, ''));
  const at = drawn(
    bare.flatMap((word, i) => (i > 0 && oppositeOf(word) !== undefined ? [i] : [])),
    draw,
  );
  if (at === undefined) return undefined;
  const opposite = oppositeOf(bare[at])!;
  return words.map((word, i) => (i === at ? word.replace(bare[at], opposite) : word)).join(' ');
}

const AUXILIARY = /\b(did|does|do|is|was|are|were|can|could|has|have|had|would|should)\b(?! not)/;
const NEGATION = / (not|never) /;

/** With a "not" that was not there, or without the one that was. */
export function negated({ question }: Pick<Asked, 'question'>, draw: Draw): string | undefined {
  const [auxiliary] = AUXILIARY.exec(question) ?? [];
  // There is nothing to choose. The data of docs/results.md were made with a draw here, and the same seed is to give them again.
  if (auxiliary !== undefined) draw();
  if (NEGATION.test(question)) return question.replace(NEGATION, ' ');
  return auxiliary && question.replace(AUXILIARY, auxiliary === 'can' ? 'can not' : `${auxiliary}n't`);
}

/** How many of the most similar texts one is drawn from. */
const MOST_SIMILAR = 3;
/** A word that so many texts have says nothing of what they are about. */
const TOO_COMMON = 400;

/** Texts by the rare words that they share with a question, most similar first. */
function similarParagraphs(paragraphs: readonly SquadParagraph[]): (question: string) => SquadParagraph[] {
  const textsWith = new Map<string, number[]>();
  paragraphs.forEach(({ context }, i) => {
    for (const word of wordsOf(context)) addTo(textsWith, word, i);
  });
  return (question) => {
    const scores = new Map<number, number>();
    for (const word of wordsOf(question)) {
      const texts = textsWith.get(word) ?? [];
      if (texts.length >= TOO_COMMON) continue;
      for (const i of texts) scores.set(i, (scores.get(i) ?? 0) + 1 / Math.log(2 + texts.length));
    }
    return [...scores].sort(([, a], [, b]) => b - a).map(([i]) => paragraphs[i]);
  };
}

/** Words that begin sentences more often than names. */
const NO_NAMES = new Set(
  'What Who When Where Which Why How In The A An Of On At For To By From During After Before Is Was Are Were Did Does Do Whose Whom According With'.split(
    ' ',
  ),
);
/** Words with capitals, "of" and "the" between them, not at the beginning of a sentence. */
const NAME = /(?<![.!?]\s|^|["“(])\b[A-Z][\p{L}'-]+(?:\s+(?:of\s+|the\s+)?[A-Z][\p{L}'-]+)*/gu;
const NUMBER = /\b\d[\d,.]*\d\b|\b\d\b/g;

const namesOf = (text: string) => matches(text, NAME).filter((name) => !NO_NAMES.has(name.split(' ')[0]));
const numbersOf = (text: string) => matches(text, NUMBER);
const wordsOf = (text: string) => new Set(matches(text.toLowerCase(), /\p{L}{4,}/gu));
const matches = (text: string, pattern: RegExp) => Array.from(text.matchAll(pattern), ([found]) => found);
const distinct = (values: readonly string[]) => [...new Set(values)];

function addTo<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

function byParagraph(placed: readonly Placed[]): SquadParagraph[] {
  const questions = new Map<SquadParagraph, SquadQuestion[]>();
  for (const { paragraph, question } of placed) addTo(questions, paragraph, question);
  return Array.from(questions, ([{ context }, qas]) => ({ context, qas }));
}

function readSquad(path: string): SquadArticle[] {
  const bytes = readFileSync(path);
  return JSON.parse((path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')).data;
}

/** One of them; undefined, and nothing drawn, where there are none. */
function drawn<T>(values: readonly T[], draw: Draw): T | undefined {
  return values.length === 0 ? undefined : values[Math.floor(draw() * values.length)];
}

function shuffled<T>(values: readonly T[], draw: Draw): T[] {
  const order = [...values];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(draw() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** The example generator of ISO C's rand, 31 bits: the figures of docs/results.md were made with it. */
function linearCongruential(seed: number): Draw {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return state / 2 ** 31;
  };
}
