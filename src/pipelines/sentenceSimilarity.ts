/** `sentence-similarity`: how near one sentence is to others, by the cosine of their vectors. */
import { z } from 'zod';
import type { Pipeline, PipelineCall } from './definition.js';
import { cosine, ENCODERS, HIDDEN_STATES, POOLINGS, type Pooling, vectorsOf } from './pooling.js';

/** One against many, as the hub's clients send it (`source_sentence` there). */
export interface SentencesInput {
  readonly sourceSentence: string;
  readonly sentences: readonly string[];
}

export interface SentenceSimilarityOptions {
  /** How a sentence's vector is made of those of its tokens. Default mean. */
  readonly pooling?: Exclude<Pooling, 'none'>;
}

export interface SentenceSimilarityTypes {
  readonly alias: never;
  readonly input: SentencesInput;
  readonly options: SentenceSimilarityOptions;
  /** Of each sentence, the cosine of its vector and that of the source, -1 to 1. */
  readonly output: number[];
  readonly call: PipelineCall<SentencesInput, SentenceSimilarityOptions, number[]>;
}

export const sentenceSimilarity: Pipeline<SentenceSimilarityTypes> = {
  name: 'sentence-similarity',
  aliases: [],
  summary: 'how near a sentence is to others',
  wants: ENCODERS,
  input: z
    .strictObject({ sourceSentence: z.string(), sentences: z.array(z.string()) })
    .describe('{ sourceSentence, sentences }'),
  options: z.strictObject({ pooling: z.enum(POOLINGS).exclude(['none']).optional() }),
  output: z.array(z.number()),
  async load(model) {
    await model.prepare(HIDDEN_STATES);
    return async (inputs, { pooling = 'mean' }, watch) => {
      // A sentence that stands in several comparisons is read once.
      const all = [...new Set(inputs.flatMap(({ sourceSentence, sentences }) => [sourceSentence, ...sentences]))];
      const vectors = await vectorsOf(model, all, { pooling, normalize: false }, watch);
      const vectorOf = new Map(all.map((text, i) => [text, vectors[i][0]]));
      return inputs.map(({ sourceSentence, sentences }) => {
        const source = vectorOf.get(sourceSentence)!;
        return sentences.map((sentence) => cosine(source, vectorOf.get(sentence)!));
      });
    };
  },
};
