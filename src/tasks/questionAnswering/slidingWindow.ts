/**
 * What a question-answering model must beat: the passage that shares the most words with the question, and in it the words
 * that the question does not have (after the sliding window of Richardson et al. 2013, MCTest, §4.1, which chooses among given
 * answers; SQuAD's authors report 20.2 F1 of such a window over phrases of a parser). Rare words count for more:
 *
 *   IC(w) = ln(1 + 1/C(w))        C(w): how often w stands in the training contexts
 */
import { DataError } from '../../errors/errors.js';
import { answerF1 } from './metrics/squadText.js';
import type { Question } from './questions.js';

/** The file that a run keeps it in, beside the model. */
export const SLIDING_WINDOW_FILE = 'sliding_window.json';

export interface SlidingWindow {
  readonly format: 'pleiad-sliding-window';
  readonly version: 1;
  /** Words of a passage. */
  readonly passageWords: number;
  /** Words of an answer. */
  readonly answerWords: number;
  /** How often words stand in the training contexts; those that are not here once, or never. */
  readonly counts: Readonly<Record<string, number>>;
}

interface Word {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

function wordsOf(text: string): Word[] {
  return [...text.matchAll(/[\p{L}\p{M}\p{N}]+/gu)].map(({ 0: word, index }) => ({
    text: word.toLowerCase(),
    start: index,
    end: index + word.length,
  }));
}

/** Lengths that are tried, in words. */
const PASSAGES = [10, 20, 40];
const ANSWERS = [1, 2, 3, 4, 6];
/** Training questions that they are tried on. */
const MOST_TRIED = 300;

/** Counts words, and finds the lengths of passage and answer that do best on training questions. */
export function fitSlidingWindow(questions: readonly Question[]): SlidingWindow {
  const counts = new Map<string, number>();
  for (const context of new Set(questions.map((question) => question.context))) {
    for (const { text } of wordsOf(context)) counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  const repeated = Object.fromEntries([...counts].filter(([, count]) => count > 1));
  const answerable = questions.filter(({ isImpossible }) => !isImpossible);
  const step = Math.max(1, Math.floor(answerable.length / MOST_TRIED));
  const tried = answerable.filter((_, index) => index % step === 0);
  let best: { readonly window: SlidingWindow; readonly score: number } | undefined;
  for (const passageWords of PASSAGES) {
    for (const answerWords of ANSWERS) {
      const format = { format: 'pleiad-sliding-window', version: 1 } as const;
      const window: SlidingWindow = { ...format, passageWords, answerWords, counts: repeated };
      const score = tried.reduce(
        (sum, each) => sum + answerF1(slidingWindowAnswer(window, each), each.references[0] ?? ''),
        0,
      );
      if (!best || score > best.score) best = { window, score };
    }
  }
  return best!.window;
}

/** Its answer to a question; empty where the context has no word. */
export function slidingWindowAnswer(
  { passageWords, answerWords, counts }: SlidingWindow,
  { question, context }: Pick<Question, 'question' | 'context'>,
): string {
  const words = wordsOf(context);
  const asked = new Set(wordsOf(question).map(({ text }) => text));
  const weights = words.map(({ text }) => Math.log(1 + 1 / (Object.hasOwn(counts, text) ? counts[text] : 1)));
  const from = bestRun(
    words.map(({ text }, i) => (asked.has(text) ? weights[i] : 0)),
    passageWords,
  );
  const passage = words.slice(from, from + passageWords);
  // A word of the question in an answer takes away what a new one would add.
  const news = passage.map(({ text }, i) => (asked.has(text) ? -1 : 1) * weights[from + i]);
  const at = bestRun(news, answerWords);
  const [first, last] = [passage[at], passage[Math.min(passage.length, at + answerWords) - 1]];
  return first === undefined ? '' : context.slice(first.start, last.end);
}

/** Where the run of so many neighbours with the largest sum begins: the first, of equals side by side the middle one. */
function bestRun(values: readonly number[], length: number): number {
  let best = { from: 0, to: 0, sum: Number.NEGATIVE_INFINITY };
  for (let at = 0; at + Math.min(length, values.length) <= values.length; at++) {
    const sum = values.slice(at, at + length).reduce((total, value) => total + value, 0);
    if (sum > best.sum) best = { from: at, to: at, sum };
    else if (sum === best.sum && best.to === at - 1) best.to = at;
  }
  return Math.floor((best.from + best.to) / 2);
}

/** @throws DataError when it is no such file */
export function parseSlidingWindow(json: string): SlidingWindow {
  const value = JSON.parse(json) as Partial<SlidingWindow>;
  if (value.format === 'pleiad-sliding-window' && value.version === 1) return value as SlidingWindow;
  throw new DataError(`${SLIDING_WINDOW_FILE} is ${value.format} ${value.version}, expected pleiad-sliding-window 1`, {
    subject: SLIDING_WINDOW_FILE,
    advice: 'Remove it to go without this baseline, or use the version of Pleiad that wrote it',
  });
}
