/**
 * WordPiece vocabulary training as everybody does it today: byte-pair-encoding merges, with `##` before every piece that
 * continues a word (the tokenizers package's WordPieceTrainer; Google's own trainer was never released).
 */

import { DataError, SettingsError } from '../errors/errors.js';
import { settingName } from '../settings/settingNames.js';
import { type Alphabet, chooseAlphabet } from './alphabet.js';
import type { NormalizationSettings } from './normalization.js';
import { mergePairs, type SymbolWords } from './pairMerging.js';
import { DEFAULT_SPECIAL_TOKENS, resolveTokenizerSettings, type TokenizerSettings } from './tokenizerSettings.js';
import { WordCounter } from './wordCounts.js';
import { CONTINUATION_PREFIX } from './wordpiece.js';

/** What `VocabularyTrainer.train` makes. */
export interface VocabularyOptions {
  /** Number of tokens, special ones and alphabet counted. Fewer come out when the text has no more frequent pairs. */
  size: number;
  /** A pair of pieces met less often is not merged. Default 2. */
  minFrequency?: number;
  /**
   * Keep only this many distinct characters, the most frequent ones; words with others become [UNK]. A character takes one
   * place, and another one for its `##` form. Default: follows the size and the text, see `chooseAlphabet`.
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
  /** What the tokenizer of the vocabulary must do with text: give it to `WordPieceTokenizer.fromVocabulary`. */
  readonly settings: TokenizerSettings;
  readonly #counter: WordCounter;

  /**
   * @param settings  normalisation that the tokenizer will use, plus `maxDistinctWords` (default: no bound; see
   *                  WordCounter) and `maxCharsPerWord` (default 100). The defaults are those of the tokenizer.
   */
  constructor(settings: Partial<NormalizationSettings> & { maxDistinctWords?: number; maxCharsPerWord?: number } = {}) {
    const { maxDistinctWords, ...given } = settings;
    this.settings = resolveTokenizerSettings(given);
    const { maxCharsPerWord } = this.settings;
    this.#counter = new WordCounter(this.settings, { maxDistinct: maxDistinctWords, maxCharsPerWord });
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
    const { size, minFrequency = 2, alphabetLimit, onProgress } = options;
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
    const alphabet = chooseAlphabet(counts, size - vocabulary.size, this.settings, alphabetLimit);
    checkRoom(size, vocabulary.size, alphabet, alphabetLimit);
    const words = toSymbols(counts, alphabet, vocabulary);
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
  alphabetLimit: number | undefined,
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
  if (alphabetLimit !== undefined) atLeast('alphabetLimit', alphabetLimit, 1);
  if (new Set(specialTokens).size !== specialTokens.length) {
    problems.push(`specialTokens has a token twice: ${specialTokens.join(' ')}`);
  }
  if (problems.length > 0) throw new SettingsError(problems);
}

/** An alphabet that makes up less of the text makes no vocabulary, unless it was asked for. */
const LEAST_COVERAGE = 0.95;

function checkRoom(size: number, numSpecial: number, alphabet: Alphabet, limit: number | undefined): void {
  const kept = alphabet.letters.length + alphabet.continuing.length;
  const isTooSmall = limit === undefined ? alphabet.coverage < LEAST_COVERAGE : numSpecial + kept > size;
  if (!isTooSmall) return;
  const least = numSpecial + (limit === undefined ? alphabet.placesOfAll : kept);
  const lower =
    limit === undefined ? `give ${settingName('alphabetLimit')}` : `lower ${settingName('alphabetLimit')} (${limit})`;
  throw new SettingsError([
    `vocabulary size is ${size}, but special tokens and alphabet alone are ${least}; raise the size or ${lower}`,
  ]);
}

/** Spells the words in ids, adding the alphabet to the vocabulary. Characters outside the alphabet are left out. */
function toSymbols(
  counts: ReadonlyMap<string, number>,
  { letters, continuing }: Alphabet,
  vocabulary: Map<string, number>,
): SymbolWords {
  for (const token of [...letters, ...continuing.map((letter) => CONTINUATION_PREFIX + letter)]) {
    if (!vocabulary.has(token)) vocabulary.set(token, vocabulary.size);
  }
  const alphabet = new Set(letters);
  let numSymbols = 0;
  for (const word of counts.keys()) for (const letter of word) if (alphabet.has(letter)) numSymbols++;
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
    let prefix = '';
    for (const letter of word) {
      if (alphabet.has(letter)) words.symbols[position++] = vocabulary.get(prefix + letter)!;
      prefix = CONTINUATION_PREFIX;
    }
    words.lengths[index] = position - words.starts[index];
    index++;
  }
  return words;
}
