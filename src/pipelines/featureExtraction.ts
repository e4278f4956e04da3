/** `feature-extraction`: what an encoder makes of a text, of each token or of the whole. */
import { z } from 'zod';
import type { RowOptions } from '../pretrained/model.js';
import { requireTokenizer } from '../pretrained/requireTokenizer.js';
import type { Pipeline, PipelineCall } from './definition.js';
import { rowOfText, type TextPair, textOrPair } from './textInput.js';

export const POOLINGS = ['cls', 'mean'] as const;
export type Pooling = (typeof POOLINGS)[number];

export interface FeatureExtractionOptions {
  /** `cls`: the vector of [CLS]. `mean`: the mean over all tokens, [CLS] and [SEP] included. Default: a vector for each token. */
  readonly pooling?: Pooling;
  /** Whether each vector is scaled to length 1. Default false. */
  readonly normalize?: boolean;
}

/** The vector of the text, float32 [H], where there is a pooling; else one for each token, [CLS] and [SEP] included. */
export type Features = Float32Array | Float32Array[];

/** Where the pooling is known, so is what comes. */
export interface FeatureCall extends PipelineCall<string | TextPair, FeatureExtractionOptions, Features> {
  (input: string | TextPair, options: FeatureExtractionOptions & { readonly pooling: Pooling }): Promise<Float32Array>;
  (
    inputs: readonly (string | TextPair)[],
    options: FeatureExtractionOptions & { readonly pooling: Pooling },
  ): Promise<Float32Array[]>;
}

export interface FeatureExtractionTypes {
  readonly alias: never;
  readonly input: string | TextPair;
  readonly options: FeatureExtractionOptions;
  readonly output: Features;
  readonly call: FeatureCall;
}

const vector = z.instanceof(Float32Array);
const HIDDEN: RowOptions = { outputs: ['lastHiddenState'] };

export const featureExtraction: Pipeline<FeatureExtractionTypes> = {
  name: 'feature-extraction',
  aliases: [],
  summary: 'vectors of texts, or of their tokens',
  wants: {
    architectures: ['ElectraModel', 'BertModel'],
    roles: ['discriminator', 'model', 'generator'],
    task: 'encoder',
  },
  input: textOrPair,
  options: z.strictObject({ pooling: z.enum(POOLINGS).optional(), normalize: z.boolean().optional() }),
  output: z.union([vector, z.array(vector)]),
  async load(model) {
    const tokenizer = requireTokenizer(model);
    await model.prepare(HIDDEN);
    const { hiddenSize } = model.description.config;
    return async (inputs, { pooling, normalize = false }) => {
      const results: Features[] = inputs.map(() => []);
      const rows = inputs.map((input) => rowOfText(tokenizer, input, model.maxLength));
      const finished = (values: Float32Array) => (normalize ? unit(values) : values);
      await model.forEachRow(rows, HIDDEN, (row, { lastHiddenState }) => {
        const count = lastHiddenState.length / hiddenSize;
        const token = (i: number) => lastHiddenState.slice(i * hiddenSize, (i + 1) * hiddenSize);
        if (pooling === 'mean') results[row] = finished(mean(lastHiddenState, hiddenSize));
        else if (pooling === 'cls') results[row] = finished(token(0));
        else results[row] = Array.from({ length: count }, (_, i) => finished(token(i)));
      });
      return results;
    };
  },
};

/** Mean over the tokens, in float64: [S·H] → [H]. */
function mean(hidden: Float32Array, hiddenSize: number): Float32Array {
  const count = hidden.length / hiddenSize;
  const sums = new Float64Array(hiddenSize);
  for (let i = 0; i < hidden.length; i++) sums[i % hiddenSize] += hidden[i];
  return Float32Array.from(sums, (sum) => sum / count);
}

/** x / ‖x‖₂; a vector of zeros stays one. */
function unit(values: Float32Array): Float32Array {
  const norm = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return norm === 0 ? values : values.map((value) => value / norm);
}
