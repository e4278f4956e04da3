/** How long inputs are: their texts for the limits, their tokens for the queue's budget. */
import type { PipelineName } from '../pipelines/registry.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';

/** All texts of an input, wherever they stand in it. */
export function textsOf(input: unknown): string[] {
  if (typeof input === 'string') return [input];
  if (typeof input !== 'object' || input === null) return [];
  return Object.values(input).flatMap(textsOf);
}

/** Pipelines that cut a text to a row; the others read a long one in windows. */
const CUTTING: ReadonlySet<PipelineName> = new Set<PipelineName>([
  'text-classification',
  'feature-extraction',
  'sentence-similarity',
  'zero-shot-classification',
  'multiple-choice',
  'relation',
]);

/** Beyond so many characters pieces are not counted but reckoned: a budget needs no exact number of what fills it anyway. */
const COUNTED = 4096;

/** [CLS], [SEP] and, of a pair, the second [SEP]. */
const SPECIAL_TOKENS = 3;

/** Pieces of a text, without special tokens. */
export function countPieces(tokenizer: WordPieceTokenizer, text: string): number {
  return tokenizer.encode(text, { addSpecialTokens: false, parseSpecialTokens: false }).length;
}

/**
 * Tokens that the model reads of an input, cut where it cuts; each label of a zero-shot call reads the text once more.
 * @param labels  of a zero-shot call
 */
export function inputLength(
  pipeline: PipelineName,
  input: unknown,
  { tokenizer, maxLength }: { readonly tokenizer: WordPieceTokenizer; readonly maxLength: number },
  labels = 1,
): number {
  const pieces = textsOf(input).map((text) => {
    const begin = text.slice(0, COUNTED);
    return Math.ceil((countPieces(tokenizer, begin) * text.length) / Math.max(1, begin.length));
  });
  if (pipeline === 'sentence-similarity') return sum(pieces.map((count) => Math.min(count + 2, maxLength)));
  const tokens = sum(pieces) + SPECIAL_TOKENS - (pieces.length === 1 ? 1 : 0);
  return (CUTTING.has(pipeline) ? Math.min(tokens, maxLength) : tokens) * labels;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
