/** How much of a text a vocabulary does not know, whether that is worth a word, and why it most likely is so. */

import { stripsAccents } from './normalization.js';
import { WordPieceTokenizer } from './tokenizer.js';
import type { TokenizerSettings } from './tokenizerSettings.js';

export interface UnknownCount {
  /** Tokens that are [UNK]. */
  readonly unknown: number;
  /** All tokens, special ones that frame a text not counted. */
  readonly tokens: number;
}

export interface UnknownWarning extends UnknownCount {
  /** How many tokens are [UNK], and why most likely. */
  readonly message: string;
  /** What to do about it, a full sentence. */
  readonly advice: string;
}

/** From this share of [UNK] on, a text is no longer the one that the vocabulary was made for. */
const MUCH = 0.03;
/** Another way to read the text is the cause when it leaves no more of the [UNK] than this. */
const HEALED = 0.5;
/** Of unknown letters so many must be of one script for it to be the cause. */
const MOST = 0.5;
/** A vocabulary knows a script when so many of its tokens are in it. */
const KNOWN_SCRIPT = 0.01;
/** UTF-16 units of the text that are looked at for the cause. */
const SAMPLE_UNITS = 1 << 18;

const SCRIPTS =
  'Latin Cyrillic Greek Hangul Han Hiragana Katakana Arabic Hebrew Devanagari Bengali Tamil Telugu Kannada Malayalam Gujarati Gurmukhi Sinhala Thai Lao Khmer Myanmar Tibetan Georgian Armenian Ethiopic Mongolian'.split(
    ' ',
  );
const SCRIPT_PATTERNS = SCRIPTS.map((name) => [name, new RegExp(`\\p{Script=${name}}`, 'gu')] as const);

/** Counts the tokens of texts; [UNK] that is written in a text is not unknown. */
export function countUnknown(texts: readonly string[], tokenizer: WordPieceTokenizer): UnknownCount {
  let unknown = 0;
  let tokens = 0;
  for (const text of texts) {
    tokens += tokenizer.encode(text, { addSpecialTokens: false }).ids.length;
    unknown += unknownWords(text, tokenizer).length;
  }
  return { unknown, tokens };
}

/** The stretches of a text that are [UNK]. */
function unknownWords(text: string, tokenizer: WordPieceTokenizer): string[] {
  const { ids, offsets } = tokenizer.encode(text, { addSpecialTokens: false });
  const words: string[] = [];
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] !== tokenizer.unkId) continue;
    const word = text.slice(offsets[2 * i], offsets[2 * i + 1]);
    if (word !== tokenizer.settings.specialTokens.unk) words.push(word);
  }
  return words;
}

/**
 * Judges a count.
 * @param tokenizer  what the tokens were made with
 * @param texts      some of the text, for the likely cause; without any the cause stays general
 * @param what       what the tokens are of, such as "the text"
 * @returns undefined when no more is unknown than in any text
 */
export function unknownWarning(
  { unknown, tokens }: UnknownCount,
  tokenizer: WordPieceTokenizer,
  { texts = [], what }: { readonly texts?: readonly string[]; readonly what?: string } = {},
): UnknownWarning | undefined {
  if (unknown === 0 || unknown < MUCH * tokens) return undefined;
  const { cause, advice } = likelyCause(sampleOf(texts), tokenizer);
  const share = `${(100 * unknown) / tokens >= 10 ? Math.round((100 * unknown) / tokens) : ((100 * unknown) / tokens).toFixed(1)} %`;
  const of = what === undefined ? '' : ` of ${what}`;
  const are = tokens === 1 ? 'token' : 'tokens';
  const message = `${unknown.toLocaleString('en-US')} of ${tokens.toLocaleString('en-US')} ${are}${of} ${unknown === 1 ? 'is' : 'are'} ${tokenizer.settings.specialTokens.unk} (${share}): ${cause}`;
  return { unknown, tokens, message, advice };
}

/** As one line: what, why, and what to do. */
export function unknownWarningText({ message, advice }: UnknownWarning): string {
  return `${message}. ${advice}`;
}

function sampleOf(texts: readonly string[]): string[] {
  let left = SAMPLE_UNITS;
  const sample: string[] = [];
  for (const text of texts) {
    if (left <= 0) break;
    sample.push(text.slice(0, left));
    left -= text.length;
  }
  return sample;
}

interface Cause {
  readonly cause: string;
  readonly advice: string;
}

const OTHER_TEXT: Cause = {
  cause: 'the vocabulary does not know the text; most likely it is of another language, casing or normalisation',
  advice: 'Use a vocabulary that was made of such text, or make one with `pleiad vocab`',
};

function likelyCause(texts: readonly string[], tokenizer: WordPieceTokenizer): Cause {
  const words = texts.flatMap((text) => unknownWords(text, tokenizer));
  if (words.length === 0) return OTHER_TEXT;
  return (
    otherScript(words, tokenizer) ??
    otherReading(texts, words.length, tokenizer) ??
    longWords(words, tokenizer) ??
    missingCharacters(words, tokenizer)
  );
}

function otherScript(words: readonly string[], { tokens }: WordPieceTokenizer): Cause | undefined {
  const text = words.join('');
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  const [script, count] = SCRIPT_PATTERNS.map(
    ([name, pattern]) => [name, text.match(pattern)?.length ?? 0] as const,
  ).reduce((a, b) => (b[1] > a[1] ? b : a));
  if (count === 0 || count < MOST * letters) return undefined;
  const pattern = new RegExp(`\\p{Script=${script}}`, 'u');
  const known = tokens.filter((token) => pattern.test(token)).length;
  if (known >= KNOWN_SCRIPT * tokens.length) return undefined;
  return {
    cause: `they are mostly in ${script} script, of which the vocabulary has ${known === 0 ? 'nothing' : `only ${known} tokens`}; it is of another language`,
    advice: OTHER_TEXT.advice,
  };
}

/** Other ways to read a text, each with what it says of this one when it knows more. */
const READINGS: readonly {
  change(settings: TokenizerSettings): Partial<TokenizerSettings> | undefined;
  cause: string;
  advice: string;
}[] = [
  {
    change: ({ lowercase }) => (lowercase ? { lowercase: false, stripAccents: undefined } : undefined),
    cause: 'the tokenizer lower-cases the text, and the vocabulary is cased',
    advice: 'Read it as cased (--cased)',
  },
  {
    change: ({ lowercase }) => (lowercase ? undefined : { lowercase: true, stripAccents: undefined }),
    cause: 'the tokenizer keeps upper case and accents, and the vocabulary is lower case',
    advice: 'Read it as uncased (--uncased)',
  },
  {
    change: (settings) => ({ stripAccents: !stripsAccents(settings) }),
    cause: 'accents are treated otherwise than in the vocabulary',
    advice: 'Set strip_accents in its tokenizer_config.json as it was when the vocabulary was made',
  },
  {
    change: ({ nfc, tearHangul }) => ({ nfc: !nfc, tearHangul: !tearHangul }),
    cause: 'composed characters, such as Hangul syllables, are treated otherwise than in the vocabulary',
    advice: 'Use the tokenizer.json that belongs to the vocabulary, which says how text is normalised',
  },
];

function otherReading(texts: readonly string[], unknown: number, tokenizer: WordPieceTokenizer): Cause | undefined {
  const { tokens, settings } = tokenizer;
  for (const { change, cause, advice } of READINGS) {
    const changed = change(settings);
    if (!changed) continue;
    const other = WordPieceTokenizer.fromVocabulary(tokens, { ...settings, ...changed });
    if (countUnknown(texts, other).unknown <= HEALED * unknown) return { cause, advice };
  }
  return undefined;
}

function longWords(words: readonly string[], { settings }: WordPieceTokenizer): Cause | undefined {
  const long = words.filter((word) => word.length > settings.maxCharsPerWord).length;
  if (long < MOST * words.length) return undefined;
  return {
    cause: `they are words of more than ${settings.maxCharsPerWord} characters, such as addresses, encoded data, or text without spaces`,
    advice: 'Take such stretches out of the text',
  };
}

/** Characters shown. */
const SHOWN = 5;

function missingCharacters(words: readonly string[], { tokens }: WordPieceTokenizer): Cause {
  const known = new Set(tokens.flatMap((token) => [...token]));
  const counts = new Map<string, number>();
  for (const word of words) {
    for (const character of word) if (!known.has(character)) counts.set(character, (counts.get(character) ?? 0) + 1);
  }
  if (counts.size === 0) return OTHER_TEXT;
  const most = [...counts].sort((a, b) => b[1] - a[1]).slice(0, SHOWN);
  return {
    cause: `the vocabulary has no ${most.map(([character]) => character).join(' ')}${counts.size > SHOWN ? ` and ${counts.size - SHOWN} other characters` : ''} of the text`,
    advice: OTHER_TEXT.advice,
  };
}
