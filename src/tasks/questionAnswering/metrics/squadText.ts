/**
 * How SQuAD's official scripts compare an answer with a reference (evaluate-v1.1.py, evaluate-v2.0.py, MRQA): lower case, no
 * ASCII punctuation, no articles, one space between words. Python's `\w`, `\b` and `split()` know Unicode and not the same of
 * it as JavaScript's, so both are spelled out.
 */

/** string.punctuation */
export const PUNCTUATION = /[!-/:-@[-`{-~]/g;
/** `\b(a|an|the)\b`: a word character of Python's is a letter, a number or _; a combining mark is none. */
const ARTICLES = /(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu;
/** What str.isspace() takes for white space, and with it split(). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: Python counts the separators of ASCII
const SPACES = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;

/** The words of a text by Python's `split()`. */
export function pythonWords(text: string): string[] {
  return text.split(SPACES).filter((word) => word !== '');
}

/** The words of an answer as they are compared. */
export function answerWords(answer: string): string[] {
  return pythonWords(answer.toLowerCase().replace(PUNCTUATION, '').replace(ARTICLES, ' '));
}

/** An answer as it is compared. */
export function normalizedAnswer(answer: string): string {
  return answerWords(answer).join(' ');
}

/** Entries that two lists have in common, each as often as it is in both. */
export function numCommon(a: readonly string[], b: readonly string[]): number {
  const left = new Map<string, number>();
  for (const entry of a) left.set(entry, (left.get(entry) ?? 0) + 1);
  let common = 0;
  for (const entry of b) {
    const count = left.get(entry) ?? 0;
    if (count === 0) continue;
    left.set(entry, count - 1);
    common++;
  }
  return common;
}

/** F1 of the words (or characters) of a prediction: 2PR / (P + R), in the order of the scripts; 0 where nothing is common. */
export function overlapF1(predicted: readonly string[], reference: readonly string[]): number {
  const common = numCommon(predicted, reference);
  if (common === 0) return 0;
  const precision = common / predicted.length;
  const recall = common / reference.length;
  return (2 * precision * recall) / (precision + recall);
}

/** As evaluate-v2.0.py: where either has no words, 1 if both have none. */
export function answerF1(predicted: string, reference: string): number {
  const [a, b] = [answerWords(predicted), answerWords(reference)];
  if (a.length === 0 || b.length === 0) return a.length === b.length ? 1 : 0;
  return overlapF1(a, b);
}

/** 1 or 0. */
export function exactMatch(predicted: string, reference: string): number {
  return normalizedAnswer(predicted) === normalizedAnswer(reference) ? 1 : 0;
}
