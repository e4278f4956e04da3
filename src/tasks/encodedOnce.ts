/** Rows of a task's data are encoded once: the number of steps, batches and notices come from the same ones. */
import type { WordPieceTokenizer } from '../text/tokenizer.js';

/** Remembers what was made last, for one tokenizer and one length of rows. */
export function encodedOnce<T>(
  encode: (tokenizer: WordPieceTokenizer, length: number) => T,
): (tokenizer: WordPieceTokenizer, length: number) => T {
  let known: { readonly key: string; readonly value: T } | undefined;
  return (tokenizer, length) => {
    const key = `${tokenizer.hash()} ${length}`;
    if (known?.key !== key) known = { key, value: encode(tokenizer, length) };
    return known.value;
  };
}
