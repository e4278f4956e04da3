/** Trains a WordPiece vocabulary on files, read as `pleiad prepare` reads them. */

import { countLetters } from '../../../text/alphabet.js';
import { PUBLISHED_NORMALIZATION, WordPieceTokenizer } from '../../../text/tokenizer.js';
import { VocabularyTrainer } from '../../../text/vocabularyTraining.js';
import { errorInFile, LineError, tokenizeTextUnit, UnitCollector } from '../tokenizeUnit.js';
import type { Unit } from '../unit.js';
import { listInputs, noText, type SkippedFile } from './inputs.js';
import { readUnits } from './readUnits.js';
import { wholeFiles } from './slices.js';

export interface TrainVocabularySettings {
  /** Files, and folders of files. */
  readonly inputs: readonly string[];
  /** Where the caller is going to save it, which is not read. */
  readonly out?: string;
  /** Tokens of the vocabulary, special ones included. */
  readonly size: number;
  /** Keep upper case. Default false. */
  readonly cased?: boolean;
  /**
   * Remove accents, and with them every other nonspacing mark: vowel signs, tone marks, voicing marks. Default false; true
   * for lower case with `published` or `preserveHangul: false`.
   */
  readonly stripAccents?: boolean;
  /** Where accents are removed, keep Hangul syllables whole instead of tearing them into jamo. Default true, `published` false. */
  readonly preserveHangul?: boolean;
  /** Do to text exactly what the published BERT and ELECTRA do, cased or uncased. Default false. */
  readonly published?: boolean;
  /** A pair of pieces met less often is not merged. Default 2. */
  readonly minFrequency?: number;
  /** Distinct characters to keep. Default: follows the size and the text, see `chooseAlphabet`. */
  readonly alphabetLimit?: number;
  /** The field of a JSONL line or the Parquet column that holds the text. Default `text`. */
  readonly field?: string;
  /** Default: stop with an error. */
  readonly invalidUtf8?: 'error' | 'replace';
  readonly onProgress?: (progress: VocabularyProgress) => void;
}

export type VocabularyProgress =
  | { readonly stage: 'reading'; readonly textBytes: number; readonly fraction: number }
  | { readonly stage: 'merging'; readonly tokens: number; readonly size: number };

export interface TrainedVocabulary {
  readonly tokenizer: WordPieceTokenizer;
  /** Of text read, after decompression. */
  readonly textBytes: number;
  readonly distinctWords: number;
  readonly characters: VocabularyCharacters;
  readonly skipped: readonly SkippedFile[];
}

export interface VocabularyCharacters {
  /** Different characters of the text. */
  readonly distinct: number;
  /** Of these, in the vocabulary; words with others are [UNK]. */
  readonly kept: number;
  /** Part of the text that the kept ones make up, 0 to 1. */
  readonly coverage: number;
}

/**
 * @throws DataError      for a missing, empty or damaged file, naming it
 * @throws SettingsError  when the size has no room for the alphabet, or a setting is out of range
 */
export async function trainVocabulary(settings: TrainVocabularySettings): Promise<TrainedVocabulary> {
  const { field = 'text', invalidUtf8 = 'error', onProgress } = settings;
  const { files, skipped } = await listInputs(settings.inputs, settings.out === undefined ? [] : [settings.out]);
  const diskBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const trainer = new VocabularyTrainer(normalizationOf(settings));
  const reader = new UnitReader(trainer, { field, invalidUtf8 });
  let textBytes = 0;
  for await (const unit of readUnits(wholeFiles(files, { documentPer: 'blankLine' }), field)) {
    textBytes += await reader.read(unit.unit);
    onProgress?.({ stage: 'reading', textBytes, fraction: unit.diskBytes / diskBytes });
  }
  if (trainer.wordCounts().size === 0) throw noText(settings.inputs, textBytes);
  const tokens = trainer.train({
    size: settings.size,
    minFrequency: settings.minFrequency,
    alphabetLimit: settings.alphabetLimit,
    onProgress: (numTokens, size) => onProgress?.({ stage: 'merging', tokens: numTokens, size }),
  });
  return {
    tokenizer: WordPieceTokenizer.fromVocabulary(tokens, trainer.settings),
    textBytes,
    distinctWords: trainer.wordCounts().size,
    characters: charactersIn(tokens, trainer.wordCounts()),
    skipped,
  };
}

function normalizationOf(settings: TrainVocabularySettings) {
  const { cased = false, published = false, preserveHangul = !published } = settings;
  const tearHangul = !preserveHangul;
  // Only the removal of accents can tear Hangul, so who asks for that asks for it.
  const { stripAccents = (published || tearHangul) && !cased } = settings;
  return { ...(published && PUBLISHED_NORMALIZATION), lowercase: !cased, stripAccents, tearHangul };
}

/** Gives the text of units to a vocabulary trainer. */
class UnitReader {
  readonly #collector: UnitCollector;
  #file = '';
  #lines = 0;

  constructor(
    private readonly trainer: VocabularyTrainer,
    private readonly settings: { field: string; invalidUtf8: 'error' | 'replace' },
  ) {
    // Documents are found, decoded and checked as for shards; what would be tokenized is counted instead.
    const counter = { vocabSize: 1, appendIds: (text: string) => trainer.add(text) };
    this.#collector = new UnitCollector(counter, 0);
  }

  /** @returns bytes of text */
  async read(unit: Unit): Promise<number> {
    if (unit.file !== this.#file) {
      this.#file = unit.file;
      this.#lines = 0;
    }
    if (unit.kind === 'parquet') {
      const { openParquet, readParquetTexts } = await import('./parquet.js');
      const opened = await openParquet(unit.path, this.settings.field);
      const texts = await readParquetTexts(opened, unit.path, this.settings.field, unit);
      for (const text of texts) this.trainer.add(text);
      return texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    }
    try {
      const { lines, textBytes } = tokenizeTextUnit(unit, this.#collector, this.settings);
      this.#lines += lines;
      return textBytes;
    } catch (error) {
      if (!(error instanceof LineError)) throw error;
      throw errorInFile(error, unit.file, this.#lines, this.settings.field);
    }
  }
}

function charactersIn(tokens: readonly string[], words: ReadonlyMap<string, number>): VocabularyCharacters {
  const vocabulary = new Set(tokens);
  const letters = countLetters(words);
  const kept = letters.filter(({ letter }) => vocabulary.has(letter));
  const sum = (of: typeof letters) => of.reduce((total, { count }) => total + count, 0);
  return { distinct: letters.length, kept: kept.length, coverage: sum(kept) / sum(letters) };
}
