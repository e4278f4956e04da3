import { DataError } from '../errors/errors.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import type { Model } from './model.js';

/**
 * The tokenizer of a model that reads texts.
 * @throws DataError when it came without one
 */
export function requireTokenizer({ tokenizer, source }: Model): WordPieceTokenizer {
  if (tokenizer) return tokenizer;
  throw new DataError(`${source} has no tokenizer, which a pipeline needs to read texts`, {
    subject: source,
    expected: 'a tokenizer',
    advice: 'Give one beside the model (tokenizer)',
  });
}
