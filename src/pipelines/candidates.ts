/** What a masked LM may propose: the rows of its word table that stand for a piece of text. */
import { isPiece } from '../text/pieces.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';

/**
 * Whether an id may be proposed: neither a special token, nor a row that stands for no piece. The share of probability that
 * a model gives to those stays with them, as in transformers: what is left out does not make the others surer.
 */
export function isCandidate({ tokens, specialIds }: WordPieceTokenizer, id: number): boolean {
  return isPiece(tokens, id) && !specialIds.has(id);
}
