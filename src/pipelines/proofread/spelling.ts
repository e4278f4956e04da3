/** Words of a vocabulary that differ from a written one by one slip: a letter more, less, another, or two exchanged. */
import { isPiece } from '../../text/pieces.js';
import type { WordPieceTokenizer } from '../../text/tokenizer.js';

export interface KnownWord {
  readonly id: number;
  readonly text: string;
}

const SHORTEST = 3;

export class SpellingNeighbours {
  /** Whole words of letters, by length. */
  readonly #byLength = new Map<number, KnownWord[]>();
  readonly #found = new Map<string, KnownWord[]>();

  constructor(tokenizer: WordPieceTokenizer) {
    tokenizer.tokens.forEach((text, id) => {
      if (tokenizer.isContinuation(id) || tokenizer.specialIds.has(id) || !isPiece(tokenizer.tokens, id)) return;
      if (!/^\p{L}+$/u.test(text) || text.length < SHORTEST) return;
      const others = this.#byLength.get(text.length) ?? [];
      others.push({ id, text });
      this.#byLength.set(text.length, others);
    });
  }

  /** @param word  in the case of the vocabulary */
  of(word: string): readonly KnownWord[] {
    const known = this.#found.get(word);
    if (known) return known;
    const lengths = word.length < SHORTEST ? [] : [word.length - 1, word.length, word.length + 1];
    const found = lengths
      .flatMap((length) => this.#byLength.get(length) ?? [])
      .filter(({ text }) => text !== word && isOneSlip(text, word));
    this.#found.set(word, found);
    return found;
  }
}

/** Whether two different words are one slip apart: optimal string alignment distance 1 (Damerau 1964). */
export function isOneSlip(one: string, other: string): boolean {
  let start = 0;
  while (start < one.length && one[start] === other[start]) start++;
  const [a, b] = [one.slice(start), other.slice(start)];
  if (a.length === b.length) {
    return a.slice(1) === b.slice(1) || (a[0] === b[1] && a[1] === b[0] && a.length > 1 && a.slice(2) === b.slice(2));
  }
  return a.length > b.length ? a.slice(1) === b : a === b.slice(1);
}
