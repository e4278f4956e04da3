import { DataError } from '../../errors/errors.js';
import type { Model } from '../../pretrained/model.js';
import type { WordPieceTokenizer } from '../../text/tokenizer.js';

/** @throws DataError when a model came without a tokenizer */
export function requireTokenizer({ tokenizer, description }: Model): WordPieceTokenizer {
  if (tokenizer) return tokenizer;
  throw new DataError(`this ${description.architecture} has no tokenizer`, {
    subject: 'tokenizer',
    expected: 'tokenizer.json or vocab.txt beside the weights',
    advice: 'Put the files of its tokenizer into its folder',
  });
}
