/** The words of a text as a reader counts them, each with the word pieces that a tokenizer makes of it. */
import type { Encoding } from '../../text/encoding.js';

export interface TextWord {
  readonly text: string;
  /** UTF-16 offsets in the text. */
  readonly start: number;
  readonly end: number;
  /** Positions of its pieces in the encoding, the first and the one after the last; equal where it has none. */
  readonly from: number;
  readonly to: number;
}

/** Letters and digits, and what joins them within a word: don't, well-known. */
const WORD = /[\p{L}\p{M}\p{N}]+(?:['’-][\p{L}\p{M}\p{N}]+)*/gu;

/** @param encoding  of the whole text, in one row */
export function wordsOf(text: string, { offsets, length }: Pick<Encoding, 'offsets' | 'length'>): TextWord[] {
  let position = 0;
  return [...text.matchAll(WORD)].map(({ 0: word, index }) => {
    const end = index + word.length;
    while (position < length && offsets[2 * position + 1] <= index) position++;
    const from = position;
    while (position < length && offsets[2 * position] < end && offsets[2 * position + 1] > index) position++;
    return { text: word, start: index, end, from, to: position };
  });
}

/** Words that may stand twice in a row: "had had", "that that". */
const MAY_REPEAT = new Set(['had', 'that', 'is', 'very', 'so', 'no']);
/** What may lie between a word and its double: nothing but space, so that "no. No" is none. */
const ONLY_SPACE = /^\s+$/;

/** Whether a word repeats the one before it, which no model is needed to see. */
export function isDoubled(text: string, word: TextWord, before: TextWord | undefined): boolean {
  if (!before || !/\p{L}/u.test(word.text) || !ONLY_SPACE.test(text.slice(before.end, word.start))) return false;
  // A name may stand twice, as in "New York, New York" without its comma; a sentence may begin with its double.
  const isSame = word.text.toLowerCase() === before.text.toLowerCase() && word.text === word.text.toLowerCase();
  return isSame && !MAY_REPEAT.has(word.text);
}
