import { SettingsError } from '../errors/errors.js';
import { type AddedToken, type AddedTokenInput, addedToken } from './addedTokens.js';
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
  /**
   * Further tokens of the vocabulary that are looked for in a text: words that a user added, and special tokens (those
   * above as well) that are matched in a way of their own.
   */
  addedTokens: readonly AddedToken[];
  /** Ids from here on are of added tokens alone: WordPiece never makes them of a part of a word. Default: none are. */
  wordPieceSize?: number;
}

/** What a caller may leave out. */
export type TokenizerOptions = Partial<Omit<TokenizerSettings, 'specialTokens' | 'addedTokens'>> & {
  specialTokens?: Partial<SpecialTokens>;
  addedTokens?: readonly AddedTokenInput[];
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
    addedTokens: (options.addedTokens ?? []).map(addedToken),
  };
  const problems: string[] = [];
  if (!Number.isInteger(settings.maxCharsPerWord) || settings.maxCharsPerWord < 1) {
    problems.push(`maxCharsPerWord is ${settings.maxCharsPerWord}; expected a whole number of at least 1`);
  }
  const { wordPieceSize } = settings;
  if (wordPieceSize !== undefined && !(Number.isInteger(wordPieceSize) && wordPieceSize >= 1)) {
    problems.push(`wordPieceSize is ${wordPieceSize}; expected a whole number of at least 1`);
  }
  const names = [...Object.values(settings.specialTokens), ...settings.additionalSpecialTokens];
  if (names.some((name) => name === '')) problems.push('a special token is empty; expected text such as [MASK]');
  if (settings.addedTokens.some(({ content }) => content === '')) problems.push('an added token is empty');
  if (problems.length > 0) throw new SettingsError(problems);
  return settings;
}

/** All tokens that are looked for in texts: special ones first, then words; each once. */
export function addedTokensOf(settings: TokenizerSettings): AddedToken[] {
  const special = [...Object.values(settings.specialTokens), ...settings.additionalSpecialTokens];
  const byContent = new Map(special.map((content) => [content, addedToken({ content, special: true })]));
  for (const token of settings.addedTokens) byContent.set(token.content, token);
  return [...byContent.values()].sort((a, b) => Number(b.special) - Number(a.special));
}

/** The special tokens beside the five. */
export function additionalSpecialTokensOf(settings: TokenizerSettings): string[] {
  const { specialTokens, additionalSpecialTokens, addedTokens } = settings;
  const five = Object.values(specialTokens);
  const special = addedTokens.filter((token) => token.special).map(({ content }) => content);
  return [...new Set([...additionalSpecialTokens, ...special.filter((content) => !five.includes(content))])];
}
