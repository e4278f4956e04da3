/**
 * Which ids stand for a piece of text. Two kinds do not: blank lines of a vocabulary, which take an id and are met by no
 * text (published Chinese and Japanese vocabularies have them), and rows of a word table that was padded beyond the
 * vocabulary, as to a multiple of 8. Neither may be proposed, sampled or drawn: there is nothing to show for it.
 */

/** Whether an id stands for a piece, a special token included. @param tokens  the vocabulary in id order */
export function isPiece(tokens: readonly string[], id: number): boolean {
  const token = tokens[id];
  return token !== undefined && token.trim() !== '';
}

/**
 * The ids that stand for no piece.
 * @param tokens  the vocabulary in id order
 * @param rows    of the word table. Default: as many as there are tokens.
 */
export function absentIds(tokens: readonly string[], rows = tokens.length): Set<number> {
  const absent = new Set<number>();
  for (let id = 0; id < rows; id++) if (!isPiece(tokens, id)) absent.add(id);
  return absent;
}
