/** OpenAI's `/v1/embeddings`: what clients of all languages have. Vectors are of length 1, as OpenAI's are. */
import { z } from 'zod';
import { invalid } from '../servingErrors.js';
import { type Route, route } from './route.js';
import { base64Of, numbersOf, shortened } from './vectors.js';

const embeddings = route({
  path: '/v1/embeddings',
  group: 'openai',
  summary: 'vectors of texts, of length 1',
  task: 'feature-extraction',
  body: z.strictObject({
    model: z.string(),
    input: z.union([z.string(), z.array(z.string()).min(1), z.array(z.number()), z.array(z.array(z.number()))]),
    encoding_format: z.enum(['float', 'base64']).nullish(),
    dimensions: z.number().int().min(1).nullish(),
    user: z.string().nullish(),
  }),
  response: z.object({
    object: z.literal('list'),
    data: z.array(
      z.object({
        object: z.literal('embedding'),
        index: z.number(),
        embedding: z.union([z.array(z.number()), z.string()]),
      }),
    ),
    model: z.string(),
    usage: z.object({ prompt_tokens: z.number(), total_tokens: z.number() }),
  }),
  parse: ({ input }) => {
    const all = Array.isArray(input) ? input : [input];
    if (!all.every((each) => typeof each === 'string')) {
      throw invalid(
        'input has numbers; expected a text or a list of texts, since token ids are those of another tokenizer',
      );
    }
    return { inputs: all, options: { pooling: 'mean', normalize: true } };
  },
  shape: (results, { encoding_format, dimensions }, { model, lengths }) => {
    const tokens = lengths.reduce((sum, length) => sum + length, 0);
    return {
      object: 'list',
      data: (results as Float32Array[]).map((vector, index) => {
        const short = shortened(vector, dimensions ?? undefined, true);
        const embedding = encoding_format === 'base64' ? base64Of(short) : numbersOf(short);
        return { object: 'embedding', index, embedding };
      }),
      model: model.id,
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    };
  },
});

export const OPENAI_ROUTES: readonly Route[] = [embeddings];
