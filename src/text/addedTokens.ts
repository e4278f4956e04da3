/** Tokens that are looked for in a text as they are written, before it is cut into words and pieces. */
import { WHITESPACE } from './characters.js';
import { LiteralMatcher } from './literalMatcher.js';

/**
 * A token beside the pieces, with the fields of the tokenizers package (there `single_word`): a word that a user added, or
 * a special token that is matched in a way of its own.
 */
export interface AddedToken {
  readonly content: string;
  /** Means something to the model and is no word: it is no candidate, `decode` leaves it out, corpora do not have it. Default false. */
  readonly special: boolean;
  /** Looked for in the normalised text, itself normalised: in an uncased tokenizer, whatever the case. Default: unless special. */
  readonly normalized: boolean;
  /** Only where no letter, digit, mark or underscore stands beside it. Default false. */
  readonly singleWord: boolean;
  /** Takes the whitespace before it as well. Default false. Our offsets are those of the token alone. */
  readonly lstrip: boolean;
  /** Takes the whitespace behind it as well. Default false. */
  readonly rstrip: boolean;
}

/** As `AddedToken`, with what is left out at its default. */
export type AddedTokenInput = Pick<AddedToken, 'content'> & Partial<AddedToken>;

/** With the defaults of the tokenizers package. */
export function addedToken({ content, special = false, ...flags }: AddedTokenInput): AddedToken {
  const { normalized = !special, singleWord = false, lstrip = false, rstrip = false } = flags;
  return { content, special, normalized, singleWord, lstrip, rstrip };
}

/** Whether a token is matched as special tokens are by default, so that its content says it all. */
export function isPlainSpecial({ special, normalized, singleWord, lstrip, rstrip }: AddedToken): boolean {
  return special && !normalized && !singleWord && !lstrip && !rstrip;
}

/** What is looked for, and what it stands for. */
export interface SoughtToken extends Pick<AddedToken, 'singleWord' | 'lstrip' | 'rstrip'> {
  /** The content, or what normalisation makes of it. */
  readonly literal: string;
  readonly id: number;
}

/** A letter, digit, mark or underscore: `\w` of the regular expressions that the tokenizers package uses. */
const WORD_CHARACTER = '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]';
const STARTS_WITH_WORD = new RegExp(`^${WORD_CHARACTER}`, 'u');
const IS_WORD = new RegExp(`^${WORD_CHARACTER}$`, 'u');
const IS_SPACE = new RegExp(`[${WHITESPACE}]`, 'u');

/**
 * Cuts text at added tokens, in the order and with the choices of the tokenizers package (added_vocabulary.rs,
 * find_matches): of tokens that begin at one place the longest, also when it is then refused for standing within a word.
 */
export class AddedTokenSplitter {
  readonly #tokens: readonly SoughtToken[];
  readonly #matcher: LiteralMatcher;

  constructor(tokens: readonly SoughtToken[]) {
    this.#tokens = tokens;
    this.#matcher = new LiteralMatcher(tokens.map(({ literal }) => literal));
  }

  /**
   * Calls back for the parts of `text` in order.
   * @param onText   start and end (exclusive) of what lies between tokens, never empty
   * @param onToken  id, start and end of a token
   */
  split(
    text: string,
    onText: (start: number, end: number) => void,
    onToken: (id: number, start: number, end: number) => void,
  ): void {
    let from = 0;
    this.#matcher.find(text, (number, start, end) => {
      const { id, singleWord, lstrip, rstrip } = this.#tokens[number];
      if (singleWord && touchesWord(text, start, end)) return;
      const textEnd = lstrip ? Math.max(from, spaceStart(text, start)) : start;
      const next = rstrip ? spaceEnd(text, end) : end;
      if (from < textEnd) onText(from, textEnd);
      // A token of whitespace may have been taken along by the one before it.
      if (textEnd < next) onToken(id, start, end);
      from = next;
    });
    if (from < text.length) onText(from, text.length);
  }
}

/** A splitter for these tokens; undefined where there is none to look for. */
export function splitterFor(tokens: readonly SoughtToken[]): AddedTokenSplitter | undefined {
  // No text in UTF-8 holds half a surrogate pair, so it is not found in the middle of a character here.
  const sought = tokens.filter(({ literal }) => literal !== '' && !/\p{Cs}/u.test(literal));
  return sought.length > 0 ? new AddedTokenSplitter(sought) : undefined;
}

function touchesWord(text: string, start: number, end: number): boolean {
  const before = start > 0 && IS_WORD.test(characterBefore(text, start));
  return before || STARTS_WITH_WORD.test(text.slice(end, end + 2));
}

function characterBefore(text: string, index: number): string {
  const pair = text.slice(Math.max(0, index - 2), index);
  return pair.codePointAt(0)! > 0xffff ? pair : text[index - 1];
}

function spaceStart(text: string, end: number): number {
  let start = end;
  while (start > 0 && IS_SPACE.test(text[start - 1])) start--;
  return start;
}

function spaceEnd(text: string, start: number): number {
  let end = start;
  while (end < text.length && IS_SPACE.test(text[end])) end++;
  return end;
}
