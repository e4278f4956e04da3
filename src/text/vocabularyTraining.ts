/**
 * WordPiece vocabulary training as everybody does it today: byte-pair-encoding merges, with `##` before every piece that
 * continues a word (the tokenizers package's WordPieceTrainer; Google's own trainer was never released).
 */

import { DataError, SettingsError } from '../errors.js';
import { settingName } from '../settingNames.js';
import { DEFAULT_NORMALIZATION, type NormalizationSettings } from './normalization.js';
import { mergePairs, type SymbolWords } from './pairMerging.js';
import { DEFAULT_SPECIAL_TOKENS } from './tokenizerSettings.js';
import { WordCounter } from './wordCounts.js';
import { CONTINUATION_PREFIX } from './wordpiece.js';

/** What `VocabularyTrainer.train` makes. */
export interface VocabularyOptions {
  /** Number of tokens, special ones and alphabet counted. Fewer come out when the text has no more frequent pairs. */
  size: number;
  /** A pair of pieces met less often is not merged. Default 2. */
  minFrequency?: number;
  /**
   * Keep only this many distinct characters, the most frequent ones; words with others become [UNK]. Default 1000. A
   * character may take two places, at a word's start and, with `##`, inside one. Korean text uses about 2,000 different
   * syllables and Chinese many more: raise it for them.
   */
  alphabetLimit?: number;
  /** First tokens of the vocabulary. Default [PAD] [UNK] [CLS] [SEP] [MASK]. */
  specialTokens?: readonly string[];
  /** Called now and then with the number of tokens so far. */
  onProgress?: (numTokens: number, size: number) => void;
}

/** Tokens between two progress reports. */
const PROGRESS_STEP = 256;

/** Learns a WordPiece vocabulary from a stream of text; memory is bounded by the number of distinct words. */
export class VocabularyTrainer {
  readonly #counter: WordCounter;

  /**
   * @param settings  normalisation that the tokenizer will use, plus `maxDistinctWords` (default: no bound; see
   *                  WordCounter) and `maxCharsPerWord` (default 100; the tokenizers package counts longer words too)
   */
  constructor(settings: Partial<NormalizationSettings> & { maxDistinctWords?: number; maxCharsPerWord?: number } = {}) {
    const { maxDistinctWords, maxCharsPerWord, ...normalization } = settings;
    const given = Object.fromEntries(Object.entries(normalization).filter(([, value]) => value !== undefined));
    this.#counter = new WordCounter(
      { ...DEFAULT_NORMALIZATION, ...given },
      { maxDistinct: maxDistinctWords, maxCharsPerWord },
    );
  }

  /** Counts the words of a text. Cut a corpus into texts at whitespace only. */
  add(text: string): void {
    this.#counter.add(text);
  }

  /** Adds `wordCounts()` of another trainer with the same settings, such as one in a worker. */
  merge(counts: Iterable<readonly [word: string, count: number]>): void {
    this.#counter.merge(counts);
  }

  /** Counts so far by normalised word; can be sent between workers. */
  wordCounts(): ReadonlyMap<string, number> {
    return this.#counter.counts();
  }

  /**
   * Learns the vocabulary: special tokens, the alphabet by code point, its `##` forms, then merged pieces from the most
   * frequent. Equal counts go by the ids of the pair (the tokenizers package: by chance), so the same counts always give the
   * same vocabulary. The counts stay; training again with other options is possible.
   * @throws DataError when no word was counted; SettingsError when `size` has no room for special tokens and alphabet
   */
  train(options: VocabularyOptions): string[] {
    const { size, minFrequency = 2, alphabetLimit = 1000, onProgress } = options;
    const specialTokens = options.specialTokens ?? Object.values(DEFAULT_SPECIAL_TOKENS);
    checkOptions(size, minFrequency, alphabetLimit, specialTokens);
    const counts = this.wordCounts();
    if (counts.size === 0) {
      throw new DataError('the text holds no words to make a vocabulary of', {
        subject: 'vocabulary training',
        found: 0,
        expected: 'at least one word',
        advice: 'Check that the files are not empty and are text in UTF-8',
      });
    }
    const vocabulary = new Map<string, number>(specialTokens.map((token, id) => [token, id]));
    const words = toSymbols(counts, alphabetOf(counts, alphabetLimit), vocabulary);
    if (vocabulary.size > size) {
      throw new SettingsError([
        `vocabulary size is ${size}, but special tokens and alphabet alone are ${vocabulary.size}; raise the size or lower ${settingName('alphabetLimit')} (${alphabetLimit})`,
      ]);
    }
    const tokens = [...vocabulary.keys()];
    mergePairs(words, minFrequency, (left, right) => {
      if (tokens.length >= size) return undefined;
      const token = tokens[left] + tokens[right].slice(CONTINUATION_PREFIX.length);
      const existing = vocabulary.get(token);
      if (existing !== undefined) return existing;
      vocabulary.set(token, tokens.length);
      tokens.push(token);
      if (tokens.length % PROGRESS_STEP === 0) onProgress?.(tokens.length, size);
      return tokens.length - 1;
    });
    onProgress?.(tokens.length, size);
    return tokens;
  }
}

function checkOptions(
  size: number,
  minFrequency: number,
  alphabetLimit: number,
  specialTokens: readonly string[],
): void {
  const problems: string[] = [];
  const atLeast = (name: string, value: number, least: number) => {
    if (!Number.isInteger(value) || value < least) {
      problems.push(`${name} is ${value}; expected a whole number of at least ${least}`);
    }
  };
  atLeast('vocabulary size', size, 1);
  atLeast('minFrequency', minFrequency, 0);
  atLeast('alphabetLimit', alphabetLimit, 1);
  if (new Set(specialTokens).size !== specialTokens.length) {
    problems.push(`specialTokens has a token twice: ${specialTokens.join(' ')}`);
  }
  if (problems.length > 0) throw new SettingsError(problems);
}

/** The most frequent characters; equal counts by code point. */
function alphabetOf(counts: ReadonlyMap<string, number>, limit: number): Set<string> {
  const characters = new Map<string, number>();
  for (const [word, count] of counts) {
    for (const character of word) characters.set(character, (characters.get(character) ?? 0) + count);
  }
  const kept = [...characters]
    .sort(([a, countA], [b, countB]) => countB - countA || byCodePoint(a, b))
    .slice(0, limit)
    .map(([character]) => character);
  return new Set(kept.sort(byCodePoint));
}

const byCodePoint = (a: string, b: string): number => a.codePointAt(0)! - b.codePointAt(0)!;

/** Spells the words in ids, adding the alphabet to the vocabulary. Characters outside the alphabet are left out. */
function toSymbols(
  counts: ReadonlyMap<string, number>,
  alphabet: ReadonlySet<string>,
  vocabulary: Map<string, number>,
): SymbolWords {
  const addToken = (token: string) => {
    if (!vocabulary.has(token)) vocabulary.set(token, vocabulary.size);
  };
  const continuing = new Set<string>();
  let numSymbols = 0;
  for (const word of counts.keys()) {
    let isFirst = true;
    for (const character of word) {
      if (alphabet.has(character)) {
        numSymbols++;
        if (!isFirst) continuing.add(character);
      }
      isFirst = false;
    }
  }
  for (const character of alphabet) addToken(character);
  for (const character of [...continuing].sort(byCodePoint)) addToken(CONTINUATION_PREFIX + character);

  const words: SymbolWords = {
    symbols: new Int32Array(numSymbols),
    starts: new Int32Array(counts.size),
    lengths: new Int32Array(counts.size),
    counts: Float64Array.from(counts.values()),
  };
  let position = 0;
  let index = 0;
  for (const word of counts.keys()) {
    words.starts[index] = position;
    let isFirst = true;
    for (const character of word) {
      if (alphabet.has(character)) {
        words.symbols[position++] = vocabulary.get(isFirst ? character : CONTINUATION_PREFIX + character)!;
      }
      isFirst = false;
    }
    words.lengths[index] = position - words.starts[index];
    index++;
  }
  return words;
}
