/** A text as a page shows it: its pieces, one after another. */
import type { Encoding } from '../../text/encoding.js';
import type { WordPieceTokenizer } from '../../text/tokenizer.js';

export interface StudioToken {
  /** As the vocabulary has it, with `##` where it continues a word. */
  readonly piece: string;
  /** As the text has it. */
  readonly text: string;
  readonly id: number;
  /** UTF-16 offsets in the text. */
  readonly start: number;
  readonly end: number;
  /** Number of its word in the text, from 0. */
  readonly word: number;
  readonly continues: boolean;
}

/** Longest text that a page shows piece by piece, in tokens with [CLS] and [SEP]. */
export const LONGEST_SHOWN = 128;

/** Without [CLS] and [SEP]: token i stands at position i + 1 of the row. */
export function studioTokens(tokenizer: WordPieceTokenizer, text: string, encoding: Encoding): StudioToken[] {
  const { ids, offsets, wordIds, specialTokensMask } = encoding;
  return [...ids.keys()]
    .filter((position) => specialTokensMask[position] === 0)
    .map((position) => {
      const [start, end] = [offsets[2 * position], offsets[2 * position + 1]];
      const id = ids[position];
      return {
        piece: tokenizer.idToToken(id),
        text: text.slice(start, end),
        id,
        start,
        end,
        word: wordIds[position],
        continues: tokenizer.isContinuation(id),
      };
    });
}
