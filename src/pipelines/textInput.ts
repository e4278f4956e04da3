/** Inputs that are one text or a pair of texts, and the rows that they make. */
import { z } from 'zod';
import type { ModelRow } from '../pretrained/model.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';

/** A pair is what a model reads as two texts: a premise and a hypothesis, two sentences to compare. */
export interface TextPair {
  readonly text: string;
  readonly textPair: string;
}

export const textOrPair: z.ZodType<string | TextPair> = z
  .union([z.string(), z.strictObject({ text: z.string(), textPair: z.string() })])
  .describe('a text, or { text, textPair }');

/** What does not fit a row is cut off. */
export function rowOfText(tokenizer: WordPieceTokenizer, input: string | TextPair, maxLength: number): ModelRow {
  const { text, textPair } = typeof input === 'string' ? { text: input, textPair: undefined } : input;
  const { ids, typeIds } = tokenizer.encode(text, { pair: textPair, maxLength });
  return { ids, typeIds };
}
