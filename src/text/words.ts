import { EXTENDER, IDEOGRAPH, PUNCTUATION, WHITESPACE } from './characters.js';
import { type NormalizationSettings, normalize } from './normalization.js';

const SEPARATOR = new RegExp(`[${WHITESPACE}${PUNCTUATION}]`, 'gu');
const IS_PUNCTUATION = new RegExp(`^[${PUNCTUATION}]$`, 'u');
const IS_EXTENDER = new RegExp(`[${EXTENDER}\\p{Cs}]`, 'u');

const IS_IDEOGRAPH = new RegExp(`^[${IDEOGRAPH}]$`, 'u');

/** Called with the start and end (exclusive) of each word, in UTF-16 units. */
export type WordVisitor = (start: number, end: number) => void;

/**
 * Cuts normalised text into words as BERT does: at whitespace, and around every punctuation sign, each a word of its own.
 * @param limit  longer words are cut into several of at most so many code points. Default: none is
 */
export function forEachWord(text: string, visitWord: WordVisitor, limit = Number.POSITIVE_INFINITY): void {
  const visit = (start: number, end: number) => {
    if (end - start <= limit) visitWord(start, end);
    else forEachPart(text.slice(start, end), limit, (from, to) => visitWord(start + from, start + to));
  };
  // Looking for what ends words: a pattern for words themselves overflows the engine's stack on one of a million letters.
  let start = 0;
  SEPARATOR.lastIndex = 0;
  for (let match = SEPARATOR.exec(text); match; match = SEPARATOR.exec(text)) {
    const end = match.index;
    if (end > start) visit(start, end);
    start = end + match[0].length;
    if (IS_PUNCTUATION.test(match[0])) visit(end, start);
  }
  if (text.length > start) visit(start, text.length);
}

/**
 * Regular expression of what a word of more than `limit` code points is cut into: parts of that length, but no mark is
 * parted from its letter. In what JavaScript and Oniguruma both mean the same by, since `tokenizer.json` says it too.
 */
export function wordPart(limit: number): string {
  return `.{1,${limit}}(?!\\p{M})|.{1,${limit}}`;
}

/** Cuts one word into parts of at most `limit` code points. */
export function forEachPart(word: string, limit: number, visit: WordVisitor): void {
  if (word.length <= limit) {
    visit(0, word.length);
    return;
  }
  for (const { index, 0: part } of word.matchAll(new RegExp(wordPart(limit), 'gu'))) visit(index, index + part.length);
}

/** Whether a character is always a word of its own, so that no piece inside a word can have it. */
export function isAlwaysAlone(character: string, { handleChineseChars }: NormalizationSettings): boolean {
  return IS_PUNCTUATION.test(character) || (handleChineseChars && IS_IDEOGRAPH.test(character));
}

/** What a chunk of raw text is. */
export const ChunkKind = {
  /** Characters that normalise one by one into parts of one word; never fewer normalised characters than raw ones. */
  word: 0,
  /** One UTF-16 unit that is a word of its own: punctuation or an ideograph. */
  isolated: 1,
  /** Anything else (marks, emoji, removed characters), up to the next whitespace; any number of words, even none. */
  mixed: 2,
} as const;

// So many units at a time become arguments of one call.
const MAX_UNITS = 1024;

// Classes of a UTF-16 unit; 0 is "not classified yet".
const SPACE = 1;
const PLAIN = 2;
const ISOLATED = 3;
const CONTEXTUAL = 4;

/**
 * Finds chunks of *raw* text that can be normalised and tokenized apart from each other, with the same result as the
 * whole text at once. Most chunks are words, so a table from chunk to pieces makes normalisation a rare event: this is
 * where the tokenizer's speed comes from.
 *
 * The obvious way, to normalise everything first and cut afterwards, costs several passes over the text.
 */
export class ChunkScanner {
  /** Bounds and kind of the current chunk, set by `next()`. */
  start = 0;
  end = 0;
  kind: number = ChunkKind.word;
  readonly #settings: NormalizationSettings;
  /** Class of each UTF-16 unit, filled when first met. */
  readonly #classes = new Uint8Array(0x10000);
  /** What a plain unit normalises to, 0 when that is more than one unit. */
  readonly #normalized = new Uint16Array(0x10000);
  #text = '';
  #limit = 0;
  readonly #units: number[] = [];

  constructor(settings: NormalizationSettings) {
    this.#settings = settings;
  }

  /** Starts over at units from..to (exclusive) of `text`; what lies outside is not looked at. */
  reset(text: string, from = 0, to = text.length): void {
    this.#text = text;
    this.end = from;
    this.#limit = to;
  }

  /** Moves to the next chunk; false at the end. Whitespace lies between chunks. */
  next(): boolean {
    const text = this.#text;
    const limit = this.#limit;
    const classes = this.#classes;
    let i = this.end;
    let kind = SPACE;
    for (; i < limit; i++) {
      kind = classes[text.charCodeAt(i)] || this.#classify(text.charCodeAt(i));
      if (kind !== SPACE) break;
    }
    this.start = i;
    if (i >= limit) {
      this.end = i;
      return false;
    }
    while (kind === PLAIN) {
      i++;
      if (i >= limit) break;
      kind = classes[text.charCodeAt(i)] || this.#classify(text.charCodeAt(i));
    }
    // A mark can change what punctuation before it is ("<" and U+0338 make "≮", no punctuation), so that one is no boundary.
    const isolatedHere = kind === ISOLATED && i < limit;
    const contextual = isolatedHere
      ? i + 1 < limit && this.#classOf(i + 1) === CONTEXTUAL
      : kind === CONTEXTUAL && i < limit;
    if (contextual) {
      while (i < limit && this.#classOf(i) !== SPACE) i++;
      this.kind = ChunkKind.mixed;
    } else if (isolatedHere && i === this.start) {
      i++;
      this.kind = ChunkKind.isolated;
    } else {
      this.kind = ChunkKind.word;
    }
    this.end = i;
    return true;
  }

  #classOf(index: number): number {
    const unit = this.#text.charCodeAt(index);
    return this.#classes[unit] || this.#classify(unit);
  }

  /**
   * The normalised form of a chunk of kind `word` when it has as many units as the chunk, each standing for the unit at its
   * place, as nearly always; otherwise undefined.
   */
  normalizedUnits(): string | undefined {
    let normalized = '';
    for (let from = this.start; from < this.end; from += MAX_UNITS) {
      this.#units.length = 0;
      for (let i = from; i < Math.min(this.end, from + MAX_UNITS); i++) {
        const unit = this.#normalized[this.#text.charCodeAt(i)];
        if (unit === 0) return undefined;
        this.#units.push(unit);
      }
      normalized += String.fromCharCode.apply(null, this.#units);
    }
    return normalized;
  }

  #classify(unit: number): number {
    const character = String.fromCharCode(unit);
    const normalized = normalize(character, this.#settings);
    const kind = classify(character, normalized);
    this.#classes[unit] = kind;
    if (kind === PLAIN && normalized.length === 1) this.#normalized[unit] = normalized.charCodeAt(0);
    return kind;
  }
}

function classify(character: string, normalized: string): number {
  if (IS_EXTENDER.test(character) || normalized === '') return CONTEXTUAL;
  const words: string[] = [];
  forEachWord(normalized, (start, end) => words.push(normalized.slice(start, end)));
  if (words.length === 0) return SPACE;
  if (words.length > 1) return CONTEXTUAL;
  const setApart = words[0] !== normalized;
  if (IS_PUNCTUATION.test(words[0]) || setApart) return words[0].length === 1 ? ISOLATED : CONTEXTUAL;
  return PLAIN;
}
