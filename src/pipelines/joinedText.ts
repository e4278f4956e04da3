/**
 * Texts put together from parts so that each part is still read as it was alone: "the" and "little" side by side become "the
 * little", since "thelittle" is another word. A space is added only where it is needed: punctuation and ideographs stand
 * alone without one.
 */
import type { WordPieceTokenizer } from '../text/tokenizer.js';

export interface TextPart {
  readonly text: string;
  /** Continues the word before it: joined to that, whatever space is between. */
  readonly continues?: boolean;
  /** Stands apart where it may, such as a word after another one. Default: only where it must. */
  readonly apart?: boolean;
}

export interface JoinedText {
  readonly text: string;
  /** Where each part lies in it, UTF-16 start and end. */
  readonly spans: readonly (readonly [start: number, end: number])[];
}

/** Parts of a text, one after another, each encoding to the same ids as alone wherever a space can make it so. */
export function joinParts(tokenizer: WordPieceTokenizer, parts: readonly TextPart[]): JoinedText {
  let joined = '';
  const spans: [number, number][] = [];
  for (const part of parts) {
    if (part.continues) joined = joined.trimEnd();
    else joined += separator(tokenizer, joined, part);
    const start = joined.length;
    joined += part.text;
    spans.push([start, joined.length]);
  }
  // What continues a word has taken away the space before it.
  const within = spans.map(([start, end], i) => {
    const limit = spans[i + 1]?.[0] ?? joined.length;
    return [Math.min(start, limit), Math.min(end, limit)] as const;
  });
  return { text: joined, spans: within };
}

function separator(tokenizer: WordPieceTokenizer, before: string, { text, apart = false }: TextPart): '' | ' ' {
  const [left, right] = [lastWords(before), firstWords(text)];
  if (left === '' || right === '') return '';
  const ids = (part: string) => [...tokenizer.encode(part, { addSpecialTokens: false }).ids];
  const expected = [...ids(left), ...ids(right)].join();
  const choices = apart ? ([' ', ''] as const) : (['', ' '] as const);
  return choices.find((between) => ids(left + between + right).join() === expected) ?? ' ';
}

/** Where text may be cut without changing its pieces, whatever a tokenizer does to other characters. */
const SPACE = /[\p{Zs}\t\n\r\u2028\u2029]/u;
/** Units that are looked at: longer words than this are one [UNK] in any case. */
const MOST_UNITS = 256;

/** The end of a text, back to its last space. */
function lastWords(text: string): string {
  const end = text.slice(-MOST_UNITS);
  let at = end.length;
  while (at > 0 && !SPACE.test(end[at - 1])) at--;
  return end.slice(at);
}

/** The beginning of a text, up to its first space. */
function firstWords(text: string): string {
  const beginning = text.slice(0, MOST_UNITS);
  const at = beginning.search(SPACE);
  return at < 0 ? beginning : beginning.slice(0, at);
}
