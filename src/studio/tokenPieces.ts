/** A text as the pieces of a tokenizer, for a reader to look at. */
import type { WordPieceTokenizer } from '../text/tokenizer.js';

export interface ShownPiece {
  readonly token: string;
  readonly id: number;
  /** UTF-16 offsets in the text. */
  readonly start: number;
  readonly end: number;
  readonly isUnknown: boolean;
}

export function tokenPieces(tokenizer: WordPieceTokenizer, text: string): ShownPiece[] {
  const { ids, tokens, offsets, specialTokensMask } = tokenizer.encode(text);
  return tokens.flatMap((token, i) =>
    specialTokensMask[i] === 1
      ? []
      : [
          {
            token,
            id: ids[i],
            start: offsets[2 * i],
            end: offsets[2 * i + 1],
            isUnknown: ids[i] === tokenizer.unkId,
          },
        ],
  );
}
