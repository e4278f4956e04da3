/**
 * BERT's character classes (google-research/bert, tokenization.py), spelled as regular expression source so that they can
 * be put together. The categories are those of the running JavaScript engine's Unicode version: characters assigned
 * recently (a few dozen marks and punctuation signs of historic scripts) may be classed newer than in older tokenizers.
 */

/** ASCII signs that Unicode does not call punctuation, such as `$` and `^`, count as punctuation too. */
export const PUNCTUATION = '!-\\/:-@\\[-`\\{-~\\p{P}';

export const WHITESPACE = '\\p{White_Space}';

/**
 * What cleaning removes: NUL, U+FFFD, controls other than tab, line feed and carriage return, format, private use and lone
 * surrogates. Unassigned code points stay, as in the tokenizers package; the original BERT removes them.
 */
export const REMOVED = '\\0-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\p{Cf}\\p{Co}\\p{Cs}\\ufffd';

/**
 * CJK ideographs, each of which BERT makes a word of its own. The tokenizers package starts extension E at U+2B920
 * instead of U+2B820; we follow the original code.
 */
export const IDEOGRAPH =
  '\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff\\u{20000}-\\u{2a6df}\\u{2a700}-\\u{2b73f}\\u{2b740}-\\u{2b81f}\\u{2b820}-\\u{2ceaf}\\u{2f800}-\\u{2fa1f}';

/**
 * Characters that NFC may join to the one before: marks, Hangul vowels and final consonants, and the Kirat Rai vowels,
 * the only composing letters outside Hangul (Unicode 16). Text may be cut before any other character and its parts
 * normalised apart.
 */
export const EXTENDER = '\\p{M}\\u1160-\\u11ff\\u{16d63}-\\u{16d6a}';
