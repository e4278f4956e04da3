/**
 * Blank lines: lines that show nothing. google-research/electra (build_pretraining_dataset.py) strips every Unicode space off
 * a line before it looks whether something is left; characters that Unicode gives no shape by default (zero-width spaces,
 * joiners, direction marks, the Hangul filler, a byte order mark) show nothing either.
 */

/** Python's `str.isspace`: JavaScript's `\s`, NEL and four separators of ASCII. The newline alone ends lines. */
const SPACES = '[^\\S\\n]|[\\x1c-\\x1f\\x85]';
/** `Default_Ignorable_Code_Point` of the basic plane, written out: the property needs a slower kind of expression. */
const IGNORABLE =
  '\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufff8';
const BLANK = `(?:${SPACES}|[${IGNORABLE}])`;
const BLANK_CHARACTER = new RegExp(`^${BLANK}$`);
const BLANK_LINE = new RegExp(`\\n${BLANK}*\\n`, 'g');

const NEWLINE = 0x0a;

/** Ends of documents in a text, each with the start of the next. */
export function* blankLineEnds(text: string): Generator<[end: number, next: number]> {
  for (const { index, 0: blank } of text.matchAll(BLANK_LINE)) yield [index, index + blank.length];
}

/** Whether a line with only this character shows nothing; false for the newline. */
export function isBlankCharacter(codePoint: number): boolean {
  if (codePoint < 0x80) return codePoint !== NEWLINE && isBlankByte(codePoint);
  return BLANK_CHARACTER.test(String.fromCodePoint(codePoint));
}

function isBlankByte(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d) || (byte >= 0x1c && byte <= 0x1f);
}

/** Bytes of the blank character that ends just before `end`; 0 when there is another, a newline or nothing. */
export function blankBefore(bytes: Uint8Array, end: number): number {
  if (end === 0) return 0;
  const last = bytes[end - 1];
  if (last < 0x80) return last !== NEWLINE && isBlankByte(last) ? 1 : 0;
  let start = end - 1;
  while (start > 0 && end - start < 4 && (bytes[start] & 0xc0) === 0x80) start--;
  const decoder = new Utf8Character();
  for (let i = start; i < end; i++) {
    const codePoint = decoder.push(bytes[i]);
    if (codePoint !== undefined) return i === end - 1 && isBlankCharacter(codePoint) ? end - start : 0;
  }
  return 0;
}

/** Decodes one character after another from bytes that come one by one. */
export class Utf8Character {
  #codePoint = 0;
  #missing = 0;

  /** @returns the code point that the byte completes, -1 for a byte that belongs to none, undefined when more are needed */
  push(byte: number): number | undefined {
    if (this.#missing > 0 && (byte & 0xc0) === 0x80) {
      this.#codePoint = (this.#codePoint << 6) | (byte & 0x3f);
      return --this.#missing === 0 ? this.#whole() : undefined;
    }
    this.#missing = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : byte >= 0xc0 ? 1 : 0;
    if (this.#missing === 0) return byte < 0x80 ? byte : -1;
    this.#codePoint = byte & (0x3f >> this.#missing);
    return undefined;
  }

  #whole(): number {
    return this.#codePoint <= 0x10ffff ? this.#codePoint : -1;
  }
}
