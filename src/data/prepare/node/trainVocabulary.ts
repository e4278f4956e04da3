/** Trains a WordPiece vocabulary on files, read as `pleiad prepare` reads them. */

import { SettingsError } from '../../../errors.js';
import { PieceBuffer } from '../../../text/pieceBuffer.js';
import { WordPieceTokenizer } from '../../../text/tokenizer.js';
import { VocabularyTrainer } from '../../../text/vocabularyTraining.js';
import type { UnitCounts } from '../unit.js';
import { encodingLabel } from './encodings.js';
import { withGuess, withPlace } from './inputErrors.js';
import { type InputFile, listInputs, noText, type SkippedFile } from './inputs.js';
import { type ReadSettings, readUnits } from './readUnits.js';
import { UnitTexts } from './sampleTexts.js';
import { wholeFiles } from './slices.js';

export interface TrainVocabularySettings {
  /** Files, and folders of files. */
  readonly inputs: readonly string[];
  /** Where the caller is going to save it, which is not read. */
  readonly out?: string;
  /** Tokens of the vocabulary, special ones included. */
  readonly size: number;
  /** Keep upper case and accents. Default false. */
  readonly cased?: boolean;
  /** Keep Hangul syllables whole. Default true; false tears them into jamo as uncased BERT does. */
  readonly preserveHangul?: boolean;
  /** A pair of pieces met less often is not merged. Default 2. */
  readonly minFrequency?: number;
  /** Distinct characters to keep. Default: as many as make up 99.95 % of the text, at least 1000. */
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
  /** Words of the text, each counted as often as it occurs, and those that the vocabulary cannot spell: each one [UNK]. */
  readonly words: number;
  readonly unknownWords: number;
  /** What the caller should know before using it, in sentences. */
  readonly warnings: readonly string[];
  readonly skipped: readonly SkippedFile[];
}

/** Share of all characters that the default alphabet covers, and the fewest it holds. */
const ALPHABET_SHARE = 0.9995;
const LEAST_ALPHABET = 1000;

/**
 * @throws DataError      for a missing, empty or damaged file, naming it
 * @throws SettingsError  when the size has no room for the alphabet, or a setting is out of range
 */
export async function trainVocabulary(settings: TrainVocabularySettings): Promise<TrainedVocabulary> {
  const { cased = false, preserveHangul = true, field = 'text', invalidUtf8 = 'error', onProgress } = settings;
  const normalization = { lowercase: !cased, tearHangul: !preserveHangul };
  const encoding = encodingLabel(settings.encoding);
  if (encoding.problem) throw new SettingsError([encoding.problem]);
  const own = settings.out === undefined ? [] : [settings.out];
  const { files, skipped, warnings } = await listInputs(settings.inputs, own, { field, encoding: encoding.label });
  const trainer = new VocabularyTrainer(normalization);
  const counts = await readAll(files, { field, invalidUtf8 }, (text) => trainer.add(text), onProgress);
  const { textBytes } = counts;
  if (trainer.wordCounts().size === 0) throw noText(settings.inputs, textBytes);
  const tokens = trainer.train({
    size: settings.size,
    minFrequency: settings.minFrequency,
    alphabetLimit: settings.alphabetLimit ?? coveringAlphabet(trainer.wordCounts()),
    onProgress: (numTokens, size) => onProgress?.({ stage: 'merging', tokens: numTokens, size }),
  });
  const tokenizer = WordPieceTokenizer.fromVocabulary(tokens, normalization);
  const known = knownWords(trainer.wordCounts(), tokenizer);
  const distinctWords = trainer.wordCounts().size;
  return { tokenizer, ...counts, distinctWords, ...known, skipped, warnings: [...warnings, ...known.warnings] };
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

/** How many of the most frequent characters make up `ALPHABET_SHARE` of the text. */
function coveringAlphabet(words: ReadonlyMap<string, number>): number {
  const counts = new Map<string, number>();
  let total = 0;
  for (const [word, count] of words) {
    for (const character of word) {
      counts.set(character, (counts.get(character) ?? 0) + count);
      total += count;
    }
  }
  let covered = 0;
  let needed = 0;
  for (const count of [...counts.values()].sort((a, b) => b - a)) {
    if (covered >= ALPHABET_SHARE * total) break;
    covered += count;
    needed++;
  }
  return Math.max(LEAST_ALPHABET, needed);
}
