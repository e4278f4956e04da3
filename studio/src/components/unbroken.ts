/** Words that no line may part: a browser breaks a line beside any button, also between a word and its comma. */

export interface Run {
  /** Words `from` to `to`, exclusive. */
  readonly from: number;
  readonly to: number;
}

/** Runs of words with nothing between them. */
export function unbroken(words: readonly { readonly start: number; readonly end: number }[]): Run[] {
  const starts = [...words.keys()].filter((i) => i === 0 || words[i].start > words[i - 1].end);
  return starts.map((from, i) => ({ from, to: starts[i + 1] ?? words.length }));
}
