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
 * What careful cleaning removes, beside lone surrogates: controls, private use, U+FFFD, and those format characters that change
 * nothing but the look of a line (soft hyphen, byte order mark, marks of direction, invisible operators). The others stay:
 * ZWNJ and ZWJ tell words apart in Persian, Malayalam, Sinhala and others and make one emoji of several; the signs over
 * Arabic numbers are seen; tags say whose flag it is. In code points, so that every reader of a `tokenizer.json` means the
 * same.
 */
export const REMOVED_CAREFULLY =
  '\\x00-\\x08\\x0e-\\x1f\\x7f\\u0080-\\u0084\\u0086-\\u009f\\u00ad\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2060-\\u206f' +
  '\\ue000-\\uf8ff\\ufeff\\ufff9-\\ufffb\\ufffd\\u{e0001}\\u{f0000}-\\u{ffffd}\\u{100000}-\\u{10fffd}';

/**
 * What careful cleaning turns into a space: Unicode's White_Space, and U+200B, which marks the ends of words in Khmer, Thai
 * and Burmese. BERT's cleaning joins the words at U+200B, at form feeds and at next-line marks.
 */
export const SPACES_CAREFULLY = '\\x09-\\x0d \\u0085\\u00a0\\u1680\\u2000-\\u200b\\u2028\\u2029\\u202f\\u205f\\u3000';

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
