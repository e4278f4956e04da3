import { EXTENDER, IDEOGRAPH, REMOVED, REMOVED_CAREFULLY, SPACES_CAREFULLY, WHITESPACE } from './characters.js';

/** What happens to text before it is cut into words. */
export interface NormalizationSettings {
  /** Compose to NFC first, so that text typed or stored decomposed (macOS file names) meets the same pieces. Default true; published tokenizers: false. */
  nfc: boolean;
  /** Remove control characters and turn every kind of whitespace into a space. Default true. */
  cleanText: boolean;
  /**
   * Clean carefully: keep the format characters that tell words apart (ZWNJ, ZWJ, tags of flags, signs over numbers), and
   * part words at U+200B, form feeds and next-line marks. Default true; published tokenizers: false, which removes them all.
   */
  keepFormat: boolean;
  /** Make each CJK ideograph a word. Default true. */
  handleChineseChars: boolean;
  /** Lower-case, character by character. Default true. */
  lowercase: boolean;
  /**
   * Remove accents: all nonspacing marks, which are also the vowel signs, tone marks and voicing marks of many scripts.
   * Default false. Said to be undefined: exactly when lower-casing, as published.
   */
  stripAccents?: boolean;
  /**
   * Leave text decomposed after removing accents, as uncased BERT does: Hangul syllables fall apart into jamo, and a
   * vocabulary of syllables then finds nothing. Default false: what accent removal took apart is composed again.
   */
  tearHangul: boolean;
  /**
   * Cut a word that is longer than a word may be (`maxCharsPerWord`) into several, so that text without spaces (Thai, Lao,
   * Khmer, kana) is read. Default true; published tokenizers: false, which makes it one [UNK].
   */
  cutLongWords: boolean;
}

/** Our defaults, for a vocabulary of our own: lower case, and nothing else that a script tells words apart by is removed. */
export const DEFAULT_NORMALIZATION: NormalizationSettings = {
  nfc: true,
  cleanText: true,
  keepFormat: true,
  handleChineseChars: true,
  lowercase: true,
  stripAccents: false,
  tearHangul: false,
  cutLongWords: true,
};

/** What uncased BERT and ELECTRA were published with; for cased models set `lowercase: false`. */
export const PUBLISHED_NORMALIZATION: NormalizationSettings = {
  nfc: false,
  cleanText: true,
  keepFormat: false,
  handleChineseChars: true,
  lowercase: true,
  stripAccents: undefined,
  tearHangul: true,
  cutLongWords: false,
};

/** Whether these are the steps of the published BERT, whichever of its flags are set. */
export function isPublishedNormalization(settings: NormalizationSettings): boolean {
  const { nfc, cleanText, keepFormat, tearHangul, cutLongWords } = settings;
  return !nfc && cleanText && !keepFormat && !cutLongWords && (tearHangul || !stripsAccents(settings));
}

/** Whether accents are removed; follows `lowercase` unless it was said. */
export function stripsAccents(settings: NormalizationSettings): boolean {
  return settings.stripAccents ?? settings.lowercase;
}

/**
 * Normalised text that remembers where it came from: UTF-16 unit i of `text` stands for units starts[i] to ends[i]
 * (exclusive) of the original. Both arrays never decrease.
 */
export interface AlignedText {
  text: string;
  starts: ArrayLike<number>;
  ends: ArrayLike<number>;
}

const CLEANED = new RegExp(`[${REMOVED}${WHITESPACE}]`, 'gu');
const SPACE = new RegExp(`[${WHITESPACE}]`, 'u');
const CLEANED_CAREFULLY = new RegExp(`[${REMOVED_CAREFULLY}\\p{Cs}]|(?! )[${SPACES_CAREFULLY}]`, 'gu');
const SPACE_CAREFULLY = new RegExp(`[${SPACES_CAREFULLY}]`, 'u');
const KEPT_CONTROLS = '\t\n\r';
// Unicode's stream-safe text has at most 30 marks in a row (UAX #15 §13); an open end overflows the engine's stack on a
// million of them.
const COMPOSABLE = new RegExp(`[^${EXTENDER}]?[${EXTENDER}]{1,30}|[^${EXTENDER}\\0-\\x7f]`, 'gu');
const IDEOGRAPHS = new RegExp(`[${IDEOGRAPH}]`, 'gu');
const NOT_ASCII = /[^\0-\x7f]/gu;
const NONSPACING_MARK = /\p{Mn}/gu;
const LONE_SURROGATE = /\p{Cs}/gu;
const LOWERED = /[A-Z]|[^\0-\x7f]/gu;

const remove = (): string => '';
const compose = (cluster: string): string => cluster.normalize('NFC');
const setApart = (ideograph: string): string => ` ${ideograph} `;
const withoutAccents = (character: string): string => character.normalize('NFD').replace(NONSPACING_MARK, '');
// One character at a time: a whole word's Σ would become ς at its end, which BERT's lower-casing does not do.
const lower = (character: string): string => character.toLowerCase();
function clean(character: string): string {
  const isSpace = KEPT_CONTROLS.includes(character) || (SPACE.test(character) && !/\p{Cc}/u.test(character));
  return isSpace ? ' ' : '';
}
const cleanCarefully = (character: string): string => (SPACE_CAREFULLY.test(character) ? ' ' : '');

/**
 * BERT's normalisation with an alignment to the original text.
 * google-research/bert, tokenization.py (BasicTokenizer), in the order of the tokenizers package's BertNormalizer:
 * NFC, cleaning, ideographs, accents, lower case. Departures, all on by default: NFC first, careful cleaning, accents kept,
 * and Hangul kept whole where they are not.
 * Lone surrogates, which no UTF-8 file can hold, are always dropped.
 */
export function normalizeAligned(text: string, settings: NormalizationSettings): AlignedText {
  let aligned = identity(text);
  if (settings.nfc) aligned = composeAligned(aligned);
  if (settings.cleanText && settings.keepFormat) aligned = replaceAligned(aligned, CLEANED_CAREFULLY, cleanCarefully);
  else if (settings.cleanText) aligned = replaceAligned(aligned, CLEANED, clean);
  else aligned = replaceAligned(aligned, LONE_SURROGATE, remove);
  if (settings.handleChineseChars) aligned = replaceAligned(aligned, IDEOGRAPHS, setApart);
  if (stripsAccents(settings)) {
    aligned = replaceAligned(aligned, NOT_ASCII, withoutAccents);
    if (!settings.tearHangul) aligned = composeAligned(aligned);
  }
  if (settings.lowercase) aligned = replaceAligned(aligned, LOWERED, lower);
  return aligned;
}

/** The normalised text alone. */
export function normalize(text: string, settings: NormalizationSettings): string {
  return normalizeAligned(text, settings).text;
}

function identity(text: string): AlignedText {
  const starts = new Array<number>(text.length);
  const ends = new Array<number>(text.length);
  for (let i = 0; i < text.length; i++) {
    starts[i] = i;
    ends[i] = i + 1;
  }
  // Both units of a surrogate pair stand for the whole pair.
  for (let i = 0; i + 1 < text.length; i++) {
    if (text.codePointAt(i)! > 0xffff) {
      ends[i] = i + 2;
      starts[i + 1] = i;
      i++;
    }
  }
  return { text, starts, ends };
}

function composeAligned(aligned: AlignedText): AlignedText {
  return aligned.text.normalize('NFC') === aligned.text ? aligned : replaceAligned(aligned, COMPOSABLE, compose);
}

/** Replaces each match; what replaces it stands for the whole of the match. Text outside the matches keeps its alignment. */
function replaceAligned(aligned: AlignedText, pattern: RegExp, replace: (match: string) => string): AlignedText {
  const { text, starts, ends } = aligned;
  let result = '';
  let copied = 0;
  let changed = false;
  const newStarts: number[] = [];
  const newEnds: number[] = [];
  const copyUntil = (end: number) => {
    for (let i = copied; i < end; i++) {
      newStarts.push(starts[i]);
      newEnds.push(ends[i]);
    }
    result += text.slice(copied, end);
  };
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    const replacement = replace(match[0]);
    if (replacement === match[0]) continue;
    copyUntil(match.index);
    copied = match.index + match[0].length;
    for (let i = 0; i < replacement.length; i++) {
      newStarts.push(starts[match.index]);
      newEnds.push(ends[copied - 1]);
    }
    result += replacement;
    changed = true;
  }
  if (!changed) return aligned;
  copyUntil(text.length);
  return { text: result, starts: newStarts, ends: newEnds };
}
