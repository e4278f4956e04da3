import type { TextChunk } from './chunkCache.js';
import { ChunkKind } from './words.js';

/** Whitespace that normalisation leaves whitespace: not the controls among it, which cleaning removes. */
const SPACES = new Set([
  ...[9, 10, 13, 32, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000],
  ...Array.from({ length: 11 }, (_, i) => 0x2000 + i),
]);

/**
 * Finds chunks for a tokenizer whose added words are looked for in normalised text. Such a word may hold punctuation or
 * ideographs, so it can cross the chunks of `ChunkScanner`; runs of text without whitespace it cannot cross, and these
 * repeat often enough to be remembered.
 */
export class RunScanner implements TextChunk {
  start = 0;
  end = 0;
  readonly kind = ChunkKind.mixed;
  readonly #isWhole: boolean;
  #text = '';
  #limit = 0;

  /** @param isWhole  one chunk is all of the text, for added words with whitespace in them */
  constructor(isWhole: boolean) {
    this.#isWhole = isWhole;
  }

  /** As ChunkScanner. */
  reset(text: string, from = 0, to = text.length): void {
    this.#text = text;
    this.end = from;
    this.#limit = to;
  }

  /** As ChunkScanner. */
  next(): boolean {
    const text = this.#text;
    const limit = this.#limit;
    let i = this.end;
    if (!this.#isWhole) while (i < limit && isSpace(text.charCodeAt(i))) i++;
    this.start = i;
    this.end = i;
    if (i >= limit) return false;
    if (this.#isWhole) i = limit;
    else while (i < limit && !isSpace(text.charCodeAt(i))) i++;
    this.end = i;
    return true;
  }

  normalizedUnits(): undefined {
    return undefined;
  }
}

function isSpace(unit: number): boolean {
  return unit <= 32 ? SPACES.has(unit) : unit >= 0xa0 && unit <= 0x3000 && SPACES.has(unit);
}
