/** `feature-extraction`: what an encoder makes of a text, of each token or of the whole. */
import { z } from 'zod';
import type { Pipeline, PipelineCall, WorkOptions } from './definition.js';
import { ENCODERS, HIDDEN_STATES, POOLINGS, type Pooling, vectorsOf } from './pooling.js';
import { type TextPair, textOrPair } from './textInput.js';

export interface FeatureExtractionOptions {
  /** `cls`: the vector of [CLS]. `mean`, `max`: over all tokens, [CLS] and [SEP] included. Default `none`: a vector for each token. */
  readonly pooling?: Pooling;
  /** Whether each vector is scaled to length 1. Default false. */
  readonly normalize?: boolean;
}

/** The vector of the text, float32 [H], where there is a pooling; else one for each token, [CLS] and [SEP] included. */
export type Features = Float32Array | Float32Array[];

/** Where the pooling is known, so is what comes. */
export interface FeatureCall extends PipelineCall<string | TextPair, FeatureExtractionOptions, Features> {
  (input: string | TextPair, options: FeatureExtractionOptions & WorkOptions & Pooled): Promise<Float32Array>;
  (
    inputs: readonly (string | TextPair)[],
    options: FeatureExtractionOptions & WorkOptions & Pooled,
  ): Promise<Float32Array[]>;
  (input: string | TextPair, options: FeatureExtractionOptions & WorkOptions & EachToken): Promise<Float32Array[]>;
  (
    inputs: readonly (string | TextPair)[],
    options: FeatureExtractionOptions & WorkOptions & EachToken,
  ): Promise<Float32Array[][]>;
}
type Pooled = { readonly pooling: Exclude<Pooling, 'none'> };
type EachToken = { readonly pooling: 'none' };

export interface FeatureExtractionTypes {
  readonly alias: never;
  readonly input: string | TextPair;
  readonly options: FeatureExtractionOptions;
  readonly output: Features;
  readonly call: FeatureCall;
}

const vector = z.instanceof(Float32Array);

export const featureExtraction: Pipeline<FeatureExtractionTypes> = {
  name: 'feature-extraction',
  aliases: [],
  summary: 'vectors of texts, or of their tokens',
  wants: ENCODERS,
  input: textOrPair,
  options: z.strictObject({ pooling: z.enum(POOLINGS).optional(), normalize: z.boolean().optional() }),
  output: z.union([vector, z.array(vector)]),
  async load(model) {
    await model.prepare(HIDDEN_STATES);
    return async (inputs, { pooling = 'none', normalize = false }, watch) => {
      const vectors = await vectorsOf(model, inputs, { pooling, normalize }, watch);
      return pooling === 'none' ? vectors : vectors.map(([only]) => only);
    };
  },
};
