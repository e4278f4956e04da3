/** A tokenizer for looking at one text: every word of it is a token, and nothing has to be trained first. */

import { normalize } from './normalization.js';
import { WordPieceTokenizer } from './tokenizer.js';
import { DEFAULT_SPECIAL_TOKENS, resolveTokenizerSettings } from './tokenizerSettings.js';
import { forEachWord } from './words.js';

/** Cased, so that words look as they were written. */
export function wordVocabulary(text: string): WordPieceTokenizer {
  const settings = resolveTokenizerSettings({ lowercase: false });
  const normalized = normalize(text, settings);
  const tokens = new Set(Object.values(DEFAULT_SPECIAL_TOKENS));
  forEachWord(normalized, (start, end) => tokens.add(normalized.slice(start, end)), settings.maxCharsPerWord);
  return WordPieceTokenizer.fromVocabulary([...tokens], settings);
}
