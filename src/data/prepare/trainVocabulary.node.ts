/** Trains a WordPiece vocabulary on files, read as `pleiad prepare` reads them. */

import { SettingsError } from '../../errors/errors.js';
import { countLetters } from '../../text/alphabet.js';
import { PieceBuffer } from '../../text/pieceBuffer.js';
import { PUBLISHED_NORMALIZATION, WordPieceTokenizer } from '../../text/tokenizer.js';
import { VocabularyTrainer } from '../../text/vocabularyTraining.js';
import { encodingLabel } from './encodings.node.js';
import { withGuess, withPlace } from './inputErrors.node.js';
import { type InputFile, listInputs, noText, type SkippedFile } from './inputs.node.js';
import { type ReadSettings, readUnits } from './readUnits.node.js';
import { UnitTexts } from './sampleTexts.node.js';
import { wholeFiles } from './slices.node.js';
import type { UnitCounts } from './unit.js';

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
  /** The field of a JSON record, or the column of a CSV, TSV or Parquet file, that holds the text. Default `text`. */
  readonly field?: string;
  /** As of `prepareCorpus`. Default `utf-8`. */
  readonly encoding?: string;
  /** Default: stop with an error. */
  readonly invalidUtf8?: 'error' | 'replace';
  readonly onProgress?: (progress: VocabularyProgress) => void;
}

export type VocabularyProgress =
  | { readonly stage: 'reading'; readonly textBytes: number; readonly fraction: number }
  | { readonly stage: 'merging'; readonly tokens: number; readonly size: number };

export interface TrainedVocabulary extends UnitCounts {
  readonly tokenizer: WordPieceTokenizer;
  readonly distinctWords: number;
  readonly characters: VocabularyCharacters;
  /** Words of the text, each counted as often as it occurs, and those that the vocabulary cannot spell: each one [UNK]. */
  readonly words: number;
  readonly unknownWords: number;
  /** What the caller should know before using it, in sentences. */
  readonly warnings: readonly string[];
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
  const encoding = encodingLabel(settings.encoding);
  if (encoding.problem) throw new SettingsError([encoding.problem]);
  const own = settings.out === undefined ? [] : [settings.out];
  const { files, skipped, warnings } = await listInputs(settings.inputs, own, { field, encoding: encoding.label });
  const trainer = new VocabularyTrainer(normalizationOf(settings));
  const counts = await readAll(files, { field, invalidUtf8 }, (text) => trainer.add(text), onProgress);
  const { textBytes } = counts;
  if (trainer.wordCounts().size === 0) throw noText(settings.inputs, textBytes);
  const tokens = trainer.train({
    size: settings.size,
    minFrequency: settings.minFrequency,
    alphabetLimit: settings.alphabetLimit,
    onProgress: (numTokens, size) => onProgress?.({ stage: 'merging', tokens: numTokens, size }),
  });
  const tokenizer = WordPieceTokenizer.fromVocabulary(tokens, trainer.settings);
  const words = trainer.wordCounts();
  const known = knownWords(words, tokenizer);
  return {
    tokenizer,
    ...counts,
    distinctWords: words.size,
    characters: charactersIn(tokens, words),
    ...known,
    skipped,
    warnings: [...warnings, ...known.warnings],
  };
}

function normalizationOf(settings: TrainVocabularySettings) {
  const { cased = false, published = false, preserveHangul = !published } = settings;
  const tearHangul = !preserveHangul;
  // Only the removal of accents can tear Hangul, so who asks for that asks for it.
  const { stripAccents = (published || tearHangul) && !cased } = settings;
  return { ...(published && PUBLISHED_NORMALIZATION), lowercase: !cased, stripAccents, tearHangul };
}

async function readAll(
  files: readonly InputFile[],
  settings: ReadSettings,
  take: (text: string) => void,
  onProgress: TrainVocabularySettings['onProgress'],
): Promise<UnitCounts> {
  const diskBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const slices = wholeFiles(files, { documentPer: 'blankLine' });
  const reader = new UnitTexts(take, settings);
  const counts = { textBytes: 0, recordsWithoutText: 0, replacedCharacters: 0 };
  try {
    for await (const { unit, next, diskBytes: done } of readUnits(slices, settings)) {
      const read = await reader.read(unit).catch(async (error) => {
        throw await withPlace(error, unit, files[next.file], settings.field);
      });
      counts.textBytes += read.textBytes;
      counts.recordsWithoutText += read.recordsWithoutText;
      counts.replacedCharacters += read.replacedCharacters;
      onProgress?.({ stage: 'reading', textBytes: counts.textBytes, fraction: done / diskBytes });
    }
  } catch (error) {
    throw await withGuess(error, files);
  }
  return counts;
}

/** From this share on, words that cannot be spelled are worth a warning. */
const MANY_UNKNOWN = 0.03;

/** How many words the vocabulary can spell, and what to do where too many it cannot. */
function knownWords(
  counts: ReadonlyMap<string, number>,
  tokenizer: WordPieceTokenizer,
): Pick<TrainedVocabulary, 'words' | 'unknownWords' | 'warnings'> {
  const sink = new PieceBuffer();
  let words = 0;
  let unknownWords = 0;
  for (const [word, count] of counts) {
    sink.clear();
    tokenizer.appendIds(word, sink);
    words += count;
    if (sink.ids.subarray(0, sink.length).includes(tokenizer.unkId)) unknownWords += count;
  }
  const share = (100 * unknownWords) / words;
  const warning = `${unknownWords.toLocaleString('en-US')} of ${words.toLocaleString('en-US')} words (${share.toFixed(1)} %) have characters that the vocabulary leaves out, and become [UNK]. Keep more characters (--alphabet-limit), in a larger vocabulary (--size)`;
  return { words, unknownWords, warnings: unknownWords > MANY_UNKNOWN * words ? [warning] : [] };
}

function charactersIn(tokens: readonly string[], words: ReadonlyMap<string, number>): VocabularyCharacters {
  const vocabulary = new Set(tokens);
  const letters = countLetters(words);
  const kept = letters.filter(({ letter }) => vocabulary.has(letter));
  const sum = (of: typeof letters) => of.reduce((total, { count }) => total + count, 0);
  return { distinct: letters.length, kept: kept.length, coverage: sum(kept) / sum(letters) };
}
