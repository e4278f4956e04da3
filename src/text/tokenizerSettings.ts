import { SettingsError } from '../errors.js';
import { DEFAULT_NORMALIZATION, type NormalizationSettings } from './normalization.js';

/** The special tokens as the vocabulary writes them; their ids are looked up, never assumed. */
export interface SpecialTokens {
  pad: string;
  unk: string;
  cls: string;
  sep: string;
  mask: string;
}

/** Everything but the vocabulary that decides which ids a text gets. */
export interface TokenizerSettings extends NormalizationSettings {
  /** A word of more code points is cut into several, or with `cutLongWords: false` one [UNK]. Default 100; Google's ELECTRA code uses 200. */
  maxCharsPerWord: number;
  specialTokens: SpecialTokens;
  /** Further tokens of the vocabulary that are recognised where they are written in a text, such as `[E1]`. */
  additionalSpecialTokens: readonly string[];
}

/** What a caller may leave out. */
export type TokenizerOptions = Partial<Omit<TokenizerSettings, 'specialTokens'>> & {
  specialTokens?: Partial<SpecialTokens>;
};

/** BERT's special tokens. */
export const DEFAULT_SPECIAL_TOKENS: SpecialTokens = {
  pad: '[PAD]',
  unk: '[UNK]',
  cls: '[CLS]',
  sep: '[SEP]',
  mask: '[MASK]',
};

/**
 * Fills in the defaults, which are those of a vocabulary of our own.
 * @throws SettingsError naming every value out of range
 */
export function resolveTokenizerSettings(options: TokenizerOptions = {}): TokenizerSettings {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const settings: TokenizerSettings = {
    ...DEFAULT_NORMALIZATION,
    maxCharsPerWord: 100,
    additionalSpecialTokens: [],
    ...given,
    // Said to be undefined, as published files have it, it follows `lowercase`.
    ...('stripAccents' in options && { stripAccents: options.stripAccents }),
    specialTokens: { ...DEFAULT_SPECIAL_TOKENS, ...options.specialTokens },
  };
  const problems: string[] = [];
  if (!Number.isInteger(settings.maxCharsPerWord) || settings.maxCharsPerWord < 1) {
    problems.push(`maxCharsPerWord is ${settings.maxCharsPerWord}; expected a whole number of at least 1`);
  }
  const names = [...Object.values(settings.specialTokens), ...settings.additionalSpecialTokens];
  if (names.some((name) => name === '')) problems.push('a special token is empty; expected text such as [MASK]');
  if (problems.length > 0) throw new SettingsError(problems);
  return settings;
}
