/** Reads the golden ELECTRA files (test/golden/README.md) into what the objectives take. */
import { readFileSync } from 'node:fs';
import { decodeSafetensors } from '../src/checkpoint/safetensors.js';
import type { EncoderConfig } from '../src/models/config.js';
import type { ObjectiveConfig, ObjectiveName } from '../src/objectives/electra.js';
import type { MaskedBatch } from '../src/objectives/objective.js';

interface PublishedConfig {
  vocab_size: number;
  embedding_size: number;
  hidden_size: number;
  num_hidden_layers: number;
  num_attention_heads: number;
  intermediate_size: number;
  max_position_embeddings: number;
  type_vocab_size: number;
  layer_norm_eps: number;
}

interface GoldenJson {
  discriminatorConfig: PublishedConfig;
  generatorConfig: PublishedConfig;
  batch: number;
  length: number;
  mlmWeight: number;
  discWeight: number;
  losses: Record<string, Record<string, number>>;
}

export interface GoldenTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

export interface Golden {
  readonly json: GoldenJson;
  readonly tensors: ReadonlyMap<string, GoldenTensor>;
  readonly batch: MaskedBatch;
  readonly uniforms: Float32Array;
  config(objective: ObjectiveName): ObjectiveConfig;
}

function encoderConfigOf(published: PublishedConfig): EncoderConfig {
  return {
    vocabSize: published.vocab_size,
    embeddingSize: published.embedding_size,
    hiddenSize: published.hidden_size,
    numHiddenLayers: published.num_hidden_layers,
    numAttentionHeads: published.num_attention_heads,
    intermediateSize: published.intermediate_size,
    maxPositionEmbeddings: published.max_position_embeddings,
    typeVocabSize: published.type_vocab_size,
    layerNormEps: published.layer_norm_eps,
    hiddenDropoutProb: 0,
    attentionProbsDropoutProb: 0,
    initializerRange: 0.02,
    padTokenId: 0,
  };
}

export const GOLDEN_NAMES = ['electra-projected', 'electra-plain'] as const;

export function readGolden(name: (typeof GOLDEN_NAMES)[number]): Golden {
  const file = (ending: string) => readFileSync(new URL(`./golden/${name}${ending}`, import.meta.url));
  const json = JSON.parse(file('.json').toString()) as GoldenJson;
  const decoded = decodeSafetensors(file('.safetensors'));
  const tensors = new Map([...decoded.tensors].map(([key, tensor]) => [key, tensor as unknown as GoldenTensor]));
  const ints = (key: string) => tensors.get(key)!.data as Int32Array;
  const maskedPositions = ints('masked_positions');
  return {
    json,
    tensors,
    uniforms: tensors.get('uniforms')!.data as Float32Array,
    batch: {
      batchSize: json.batch,
      length: json.length,
      inputIds: ints('input_ids'),
      maskedInputIds: ints('masked_input_ids'),
      tokenTypeIds: ints('token_type_ids'),
      attentionMask: ints('attention_mask'),
      maskedPositions,
      maskedIds: ints('masked_ids'),
      maskedWeights: new Float32Array(maskedPositions.length).fill(1),
    },
    config: (objective) => ({
      objective,
      discriminator: encoderConfigOf(json.discriminatorConfig),
      generator: encoderConfigOf(json.generatorConfig),
      generatorKind: 'model',
      sharing: 'embeddings',
      proposals: 'sample',
      temperature: 1,
      disallowCorrect: false,
      mlmWeight: json.mlmWeight,
      discWeight: json.discWeight,
      duplicates: 'corrected',
      initialization: 'corrected',
    }),
  };
}

/** ‖a − b‖ / ‖b‖, or the absolute difference where b is (nearly) 0: key biases have a true gradient of 0. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let difference = 0;
  let size = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i] - expected[i]) ** 2;
    size += expected[i] ** 2;
  }
  return Math.sqrt(difference) / Math.max(Math.sqrt(size), 1e-2);
}
