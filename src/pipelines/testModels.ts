/** Tiny models with random weights, for tests of pipelines. */

import { createInterpreterEngine } from '../engine/interpreterEngine.js';
import { elementCount } from '../graph/dimensions.js';
import { type EncoderConfig, encoderConfig } from '../models/config.js';
import type { ModelGraph } from '../models/modelGraph.js';
import { RandomStream } from '../random/philox.js';
import { WordPieceTokenizer } from '../text/tokenizer.js';
import type { PipelineOptions } from './encoderModel.js';

const WORDS = [
  'the',
  'chef',
  'cook',
  '##ed',
  'ate',
  'meal',
  'a',
  'good',
  '.',
  '한국어',
  '한국',
  '##어',
  '안녕',
  'e',
  '##s',
];

export const TEST_TOKENIZER = WordPieceTokenizer.fromVocabulary([
  '[PAD]',
  '[UNK]',
  '[CLS]',
  '[SEP]',
  '[MASK]',
  ...WORDS,
]);

export const TEST_CONFIG: EncoderConfig = encoderConfig('tiny', TEST_TOKENIZER.vocabSize, {
  embeddingSize: 8,
  hiddenSize: 16,
  numHiddenLayers: 1,
  numAttentionHeads: 2,
  intermediateSize: 16,
  maxPositionEmbeddings: 24,
});

/** Random weights, large enough for predictions to differ. */
export function randomWeights({ parameters }: ModelGraph): Map<string, Float32Array> {
  return new Map(
    parameters.map(({ name, shape }, index) => {
      const random = new RandomStream(3, 'test', index);
      const size = elementCount(shape);
      return [name, Float32Array.from({ length: size }, () => random.normal() * 0.7)];
    }),
  );
}

/** Options around a model, on the reference interpreter. */
export function testOptions(model: ModelGraph, changes: Partial<PipelineOptions> = {}): PipelineOptions {
  const weights = randomWeights(model);
  return { engine: createInterpreterEngine(), tokenizer: TEST_TOKENIZER, config: TEST_CONFIG, weights, ...changes };
}
