import { SettingsError } from '../errors/errors.js';
import { type NormalizationSettings, normalize } from './normalization.js';
import { unsliced } from './unsliced.js';
import { ChunkKind, ChunkScanner, forEachWord } from './words.js';

/** Chunks that are not words (a paragraph without spaces, say) seldom come again: above this length they are counted at once. */
const MAX_CHUNK_LENGTH = 64;

/**
 * Counts the normalised words of a stream of text. Memory grows with the number of distinct words only.
 * Raw chunks are counted, and normalised once each when the counts are asked for.
 */
export class WordCounter {
  readonly #settings: NormalizationSettings;
  readonly #maxDistinct: number;
  readonly #maxCharsPerWord: number;
  readonly #scanner: ChunkScanner;
  readonly #chunks = new Map<string, number>();
  readonly #words = new Map<string, number>();
  #pruneBelow = 2;

  /**
   * @param maxDistinct      when more distinct words than this are held, the rarest are forgotten: those counted once, at
   *                         the next overflow those counted less than three times, and so on (lossy counting, Manku and
   *                         Motwani 2002). Rare words lose counts then, frequent ones hardly any.
   * @param maxCharsPerWord  longer words are cut as the tokenizer cuts them; with `cutLongWords: false` they are not
   *                         counted, since the tokenizer makes them [UNK] anyway
   */
  constructor(settings: NormalizationSettings, { maxDistinct = Number.POSITIVE_INFINITY, maxCharsPerWord = 100 } = {}) {
    if (!(maxDistinct >= 1)) throw new SettingsError([`maxDistinctWords is ${maxDistinct}; expected at least 1`]);
    this.#settings = settings;
    this.#maxDistinct = maxDistinct;
    this.#maxCharsPerWord = maxCharsPerWord;
    this.#scanner = new ChunkScanner(settings);
  }

  /** Counts the words of a text. Texts must be cut at whitespace. */
  add(text: string): void {
    const scanner = this.#scanner;
    const chunks = this.#chunks;
    scanner.reset(text);
    while (scanner.next()) {
      const length = scanner.end - scanner.start;
      // Normalising never makes a plain chunk shorter.
      const isUnknown = !this.#settings.cutLongWords && length > this.#maxCharsPerWord;
      if (scanner.kind === ChunkKind.word && isUnknown) continue;
      if (length > MAX_CHUNK_LENGTH) {
        this.#countWords(text.slice(scanner.start, scanner.end), 1);
      } else {
        const chunk = text.slice(scanner.start, scanner.end);
        const count = chunks.get(chunk);
        chunks.set(count === undefined ? unsliced(chunk) : chunk, (count ?? 0) + 1);
      }
    }
    this.#prune();
  }

  /** Adds the counts of another counter with the same settings, such as another worker's. */
  merge(counts: Iterable<readonly [word: string, count: number]>): void {
    for (const [word, count] of counts) this.#words.set(word, (this.#words.get(word) ?? 0) + count);
    this.#prune();
  }

  /** Counts by normalised word. */
  counts(): ReadonlyMap<string, number> {
    for (const [chunk, count] of this.#chunks) this.#countWords(chunk, count);
    this.#chunks.clear();
    return this.#words;
  }

  #countWords(chunk: string, count: number): void {
    const text = normalize(chunk, this.#settings);
    const { cutLongWords } = this.#settings;
    const countWord = (start: number, end: number) => {
      if (!cutLongWords && end - start > this.#maxCharsPerWord) return;
      const word = text.slice(start, end);
      this.#words.set(word, (this.#words.get(word) ?? 0) + count);
    };
    forEachWord(text, countWord, cutLongWords ? this.#maxCharsPerWord : undefined);
  }

  #prune(): void {
    if (this.#chunks.size + this.#words.size <= this.#maxDistinct) return;
    const words = this.counts() as Map<string, number>;
    for (; words.size > this.#maxDistinct; this.#pruneBelow++) {
      for (const [word, count] of words) if (count < this.#pruneBelow) words.delete(word);
    }
  }
}
