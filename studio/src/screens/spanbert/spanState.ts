/** What the address says of this screen, checked: the sentence, its hidden words, and what is asked about them. */
import type { ScreenState } from '../../app/address.js';

export const SENTENCES = {
  en: 'You are expected to know the laws of your country',
  ko: '모든 국민은 자기 나라의 법을 알아야 할 의무가 있다',
} as const;

export interface SentenceWord {
  readonly text: string;
  /** UTF-16 offsets. */
  readonly start: number;
  readonly end: number;
}

/** Words `first` to `last`, inclusive. */
export interface WordSpan {
  readonly first: number;
  readonly last: number;
}

export interface SpanScreenState {
  readonly text: string;
  readonly words: readonly SentenceWord[];
  readonly span: WordSpan;
  /** Of the masked pieces: which one is looked at, from 0. */
  readonly piece: number;
  /** The place that the edges are asked with, from 1; undefined for the piece's own. */
  readonly place?: number;
  /** Throws so far, and the seed that they come from. */
  readonly throws: number;
  readonly seed: number;
}

/** Words and signs, each by itself. */
export function sentenceWords(text: string): SentenceWord[] {
  return Array.from(text.matchAll(/[\p{L}\p{M}\p{N}]+|[^\s\p{L}\p{M}\p{N}]/gu), ({ 0: word, index }) => ({
    text: word,
    start: index,
    end: index + word.length,
  }));
}

/** A sentence as long as a model reads well; the address may say anything. */
const MOST_CHARACTERS = 400;

/** @param usual  the sentence where the address has none */
export function spanScreenState(state: ScreenState, usual: string): SpanScreenState {
  const given = state.text?.slice(0, MOST_CHARACTERS) ?? '';
  const text = sentenceWords(given).length > 0 ? given : usual;
  const words = sentenceWords(text);
  return {
    text,
    words,
    span: spanIn(state.span, words.length),
    piece: wholeNumber(state.piece, 0, 1000) ?? 0,
    place: wholeNumber(state.place, 1, 1000),
    throws: wholeNumber(state.throws, 0, 100_000) ?? 0,
    seed: wholeNumber(state.seed, 0, 2 ** 31) ?? 1,
  };
}

/** `6-9`, counted from 1 as in the paper's x₆ … x₉; the paper's example where there is none. */
function spanIn(given: string | undefined, numWords: number): WordSpan {
  const [, from, to] = /^(\d{1,4})-(\d{1,4})$/.exec(given ?? '') ?? [];
  const first = from === undefined ? Math.min(5, Math.max(0, numWords - 2)) : Number(from) - 1;
  const last = to === undefined ? Math.min(8, numWords - 2) : Number(to) - 1;
  const inText = (word: number) => Math.max(0, Math.min(word, numWords - 1));
  return { first: inText(Math.min(first, last)), last: inText(Math.max(first, last)) };
}

export const spanText = ({ first, last }: WordSpan): string => `${first + 1}-${last + 1}`;

function wholeNumber(given: string | undefined, least: number, most: number): number | undefined {
  if (given === undefined || !/^\d{1,10}$/.test(given)) return undefined;
  return Math.max(least, Math.min(Number(given), most));
}
