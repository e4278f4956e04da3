/** The pieces of a text in a model's vocabulary. */
import { z } from 'zod';
import { requireTokenizer } from '../../pretrained/requireTokenizer.js';
import { studioCall } from '../studioCall.js';
import { type StudioToken, studioTokens } from './tokens.js';

export interface TokenizedText {
  readonly tokens: readonly StudioToken[];
  readonly vocabSize: number;
}

export const tokenize = studioCall({
  input: z.object({
    model: z.string(),
    role: z.enum(['generator', 'discriminator', 'model']),
    text: z.string().max(20_000),
  }),
  run: (models, { model: id, role, text }): Promise<TokenizedText> =>
    models.withModel(id, role, async (model) => {
      const tokenizer = requireTokenizer(model);
      return { tokens: studioTokens(tokenizer, text, tokenizer.encode(text)), vocabSize: tokenizer.vocabSize };
    }),
});
