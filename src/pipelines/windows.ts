/** Long texts as overlapping windows, each token's prediction taken from the window that shows more around it. */
import type { Encoding } from '../text/encoding.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';

/** Most tokens that two neighbouring windows share. */
const MAX_OVERLAP = 64;

/** A piece of a text that a model can take, and which of its predictions count. */
export interface TextWindow {
  readonly encoding: Encoding;
  /** Predictions from position `keepFrom` to `keepTo` (exclusive) are used: every token of the text exactly once. */
  readonly keepFrom: number;
  readonly keepTo: number;
}

/**
 * Cuts a text into windows of at most `maxLength` tokens that overlap by a quarter (at most 64 tokens). In an overlap the
 * first half is taken from the earlier window and the second from the later one: each token then has the most context.
 */
export function textWindows(tokenizer: WordPieceTokenizer, text: string, maxLength: number): TextWindow[] {
  const size = maxLength - 2; // beside [CLS] and [SEP]
  const overlap = Math.min(MAX_OVERLAP, Math.floor(size / 4));
  const first = tokenizer.encode(text, { maxLength, stride: overlap });
  const encodings = [first, ...first.overflow];
  const half = Math.floor(overlap / 2);
  return encodings.map((encoding, index) => {
    const isLast = index === encodings.length - 1;
    const end = encoding.length - 1; // the position of [SEP]
    return { encoding, keepFrom: 1 + (index > 0 ? half : 0), keepTo: isLast ? end : end - (overlap - half) };
  });
}
