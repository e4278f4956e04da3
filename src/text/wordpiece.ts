/** Prefix of a piece that continues a word. */
export const CONTINUATION_PREFIX = '##';

/**
 * Greedy longest-match-first WordPiece over one normalised word.
 * Wu et al., arXiv 1609.08144 §4.1, as in google-research/bert, tokenization.py (WordpieceTokenizer).
 */
export class WordPiece {
  readonly #initial = new Map<string, number>();
  readonly #continuing = new Map<string, number>();
  #maxInitialLength = 0;
  #maxContinuingLength = 0;
  readonly #unkId: number;
  readonly #maxCharsPerWord: number;

  /**
   * @param maxCharsPerWord  a word of more code points than this is one [UNK]
   */
  constructor(tokens: readonly string[], unkId: number, maxCharsPerWord: number) {
    this.#unkId = unkId;
    this.#maxCharsPerWord = maxCharsPerWord;
    tokens.forEach((token, id) => {
      if (token.startsWith(CONTINUATION_PREFIX) && token.length > CONTINUATION_PREFIX.length) {
        const piece = token.slice(CONTINUATION_PREFIX.length);
        this.#continuing.set(piece, id);
        this.#maxContinuingLength = Math.max(this.#maxContinuingLength, piece.length);
      } else if (token !== '') {
        this.#initial.set(token, id);
        this.#maxInitialLength = Math.max(this.#maxInitialLength, token.length);
      }
    });
  }

  /**
   * Appends the word's pieces to `out` as triples: id, start, end (UTF-16 units within the word). A word with any part
   * outside the vocabulary is a single [UNK].
   */
  split(word: string, out: number[]): void {
    const firstPiece = out.length;
    if (!this.#isTooLong(word)) {
      let start = 0;
      while (start < word.length) {
        const pieces = start === 0 ? this.#initial : this.#continuing;
        const longest = start === 0 ? this.#maxInitialLength : this.#maxContinuingLength;
        let end = Math.min(word.length, start + longest);
        let id: number | undefined;
        for (; end > start; end--) {
          id = pieces.get(word.slice(start, end));
          if (id !== undefined) break;
        }
        if (id === undefined) break;
        out.push(id, start, end);
        start = end;
      }
      if (start === word.length) return;
    }
    out.length = firstPiece;
    out.push(this.#unkId, 0, word.length);
  }

  #isTooLong(word: string): boolean {
    const limit = this.#maxCharsPerWord;
    if (word.length <= limit) return false;
    if (word.length > 2 * limit) return true;
    return [...word].length > limit;
  }
}
