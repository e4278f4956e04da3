/** How KorQuAD's official script compares an answer with a reference: by its characters, as Korean words take particles. */
import { overlapF1, PUNCTUATION, pythonWords } from './squadText.js';

/** Quotation marks and brackets that part words; all other ASCII punctuation vanishes. */
const PARTING = /['"《》<>〈〉()‘’]/g;

function koreanWords(answer: string): string[] {
  return pythonWords(answer.replace(PARTING, ' ').toLowerCase().replace(PUNCTUATION, ''));
}

/** 1 or 0. */
export function koreanMatch(predicted: string, reference: string): number {
  return koreanWords(predicted).join(' ') === koreanWords(reference).join(' ') ? 1 : 0;
}

/** F1 of characters, white space aside; a character is a code point. */
export function characterF1(predicted: string, reference: string): number {
  const [a, b] = [predicted, reference].map((text) => koreanWords(text).flatMap((word) => [...word]));
  return overlapF1(a, b);
}
