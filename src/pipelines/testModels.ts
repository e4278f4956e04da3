/** Tiny models with random weights, for tests of pipelines. */

import { headSettings, type ModelDescription } from '../checkpoint/modelFolder.js';
import { createInterpreterEngine } from '../engine/interpreterEngine.js';
import { elementCount } from '../graph/dimensions.js';
import { type Architecture, type EncoderConfig, encoderConfig } from '../models/config.js';
import { modelForUse, predictsTokens } from '../models/heads.js';
import type { ModelGraph } from '../models/modelGraph.js';
import { Model, type ModelParts } from '../pretrained/model.js';
import { RandomStream } from '../random/philox.js';
import { WordPieceTokenizer } from '../text/tokenizer.js';

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

/** Random weights of a model, large enough for predictions to differ, and the graph that gives its outputs directly. */
export interface TestModel {
  readonly graph: ModelGraph;
  readonly weights: ReadonlyMap<string, Float32Array>;
  /** On the reference interpreter. */
  model(changes?: Partial<ModelParts>): Model;
}

export function testModel(
  architecture: Architecture,
  changes: Partial<ModelDescription> = {},
  /** How its weights differ from random ones, by name. */
  values: (name: string, random: Float32Array) => Float32Array = (_, random) => random,
): TestModel {
  const { config = TEST_CONFIG, spanBoundary } = changes;
  const description = { ...changes, architecture, config };
  const positions = predictsTokens(architecture);
  const graph = modelForUse({ architecture, config, head: headSettings(description), spanBoundary, positions });
  const weights = new Map(
    graph.parameters.map(({ name, shape }, index) => {
      const random = new RandomStream(3, 'test', index);
      const size = elementCount(shape);
      return [
        name,
        values(
          name,
          Float32Array.from({ length: size }, () => random.normal() * 0.7),
        ),
      ];
    }),
  );
  const tensors = new Map([...weights].map(([name, data]) => [name, { shape: [data.length], data }]));
  return {
    graph,
    weights,
    model: (parts = {}) =>
      new Model({ description, tensors, engine: createInterpreterEngine(), tokenizer: TEST_TOKENIZER, ...parts }),
  };
}
