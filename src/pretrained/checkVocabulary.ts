/** Whether a tokenizer and a model belong together. */
import { CheckpointError } from '../errors/errors.js';
import { joinFirst } from '../errors/joinFirst.js';
import type { EncoderConfig } from '../models/config.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';

/** @throws CheckpointError when a tokenizer has tokens that the model has no embedding of */
export function checkVocabulary(tokenizer: WordPieceTokenizer, config: EncoderConfig, source: string): void {
  const { numUsedIds } = tokenizer;
  if (numUsedIds <= config.vocabSize) return;
  const without = tokenizer.tokens.slice(config.vocabSize, numUsedIds).map((token) => JSON.stringify(token));
  throw new CheckpointError(
    `${source}: the tokenizer has ${numUsedIds} tokens, the model ${config.vocabSize}, so none for ${joinFirst(without, 3)}`,
    {
      subject: source,
      found: numUsedIds,
      expected: `at most ${config.vocabSize} tokens`,
      advice: 'Use the tokenizer that the model was trained with',
    },
  );
}
