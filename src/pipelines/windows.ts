/** Long texts as overlapping windows, each token's prediction taken from the window that shows more around it. */
import type { Encoding } from '../text/encoding.js';
import { pieceWindows, windowOverlap } from '../text/pieceWindows.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';

/** A piece of a text that a model can take, and which of its predictions count. */
export interface TextWindow {
  readonly encoding: Encoding;
  /** Predictions from position `keepFrom` to `keepTo` (exclusive) are used: every token of the text exactly once. */
  readonly keepFrom: number;
  readonly keepTo: number;
}

/** Cuts a text into windows of at most `maxLength` tokens, see `pieceWindows`. */
export function textWindows(tokenizer: WordPieceTokenizer, text: string, maxLength: number): TextWindow[] {
  const size = maxLength - 2; // beside [CLS] and [SEP]
  const first = tokenizer.encode(text, { maxLength, stride: windowOverlap(size) });
  const encodings = [first, ...first.overflow];
  return pieceWindows(numberOfPieces(encodings, size), size).map(({ from, keepFrom, keepTo }, index) => ({
    encoding: encodings[index],
    keepFrom: 1 + keepFrom - from,
    keepTo: 1 + keepTo - from,
  }));
}

/** Of a text, by its windows. */
function numberOfPieces(windows: readonly Encoding[], size: number): number {
  const last = windows[windows.length - 1];
  return (windows.length - 1) * (size - windowOverlap(size)) + last.length - 2;
}
