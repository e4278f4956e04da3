import { EXTENDER, PUNCTUATION, WHITESPACE } from './characters.js';
import { type NormalizationSettings, normalize } from './normalization.js';

const SEPARATOR = new RegExp(`[${WHITESPACE}${PUNCTUATION}]`, 'gu');
const IS_PUNCTUATION = new RegExp(`^[${PUNCTUATION}]$`, 'u');
const IS_EXTENDER = new RegExp(`[${EXTENDER}\\p{Cs}]`, 'u');

/**
 * Cuts normalised text into words as BERT does: at whitespace, and around every punctuation sign, each a word of its own.
 * @param visit  called with the start and end (exclusive) of each word, in UTF-16 units of `text`
 */
export function forEachWord(text: string, visit: (start: number, end: number) => void): void {
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

/** What a chunk of raw text is. */
export const ChunkKind = {
  /** Characters that normalise one by one into parts of one word; never fewer normalised characters than raw ones. */
  word: 0,
  /** One UTF-16 unit that is a word of its own: punctuation or an ideograph. */
  isolated: 1,
  /** Anything else (marks, emoji, removed characters), up to the next whitespace; any number of words, even none. */
  mixed: 2,
} as const;

// Longest chunk normalised unit by unit; the units become arguments of one call.
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
    if (this.end - this.start > MAX_UNITS) return undefined;
    this.#units.length = 0;
    for (let i = this.start; i < this.end; i++) {
      const unit = this.#normalized[this.#text.charCodeAt(i)];
      if (unit === 0) return undefined;
      this.#units.push(unit);
    }
    return String.fromCharCode.apply(null, this.#units);
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
