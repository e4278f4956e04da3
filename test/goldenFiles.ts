/** Reads the golden files (test/golden/README.md) into what the objectives take. */

import { readFileSync } from 'node:fs';
import type { MaskedBatch } from '../src/data/maskedBatch.js';
import { spanTargets } from '../src/data/masking/spanTargets.js';
import { decodeSafetensors } from '../src/formats/safetensors.js';
import type { EncoderConfig } from '../src/models/config.js';
import type { SpanBoundaryConfig } from '../src/models/spanbert.js';
import type { SpanBertConfig } from '../src/pretraining/spanbert.js';
import { PLAIN_ELECTRA, type TestConfig, type TestName } from '../src/pretraining/testConfig.js';

interface PublishedConfig {
  vocab_size: number;
  /** BERT has none. */
  embedding_size?: number;
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
  config(objective: TestName): TestConfig;
}

function encoderConfigOf(published: PublishedConfig): EncoderConfig {
  return {
    vocabSize: published.vocab_size,
    embeddingSize: published.embedding_size ?? published.hidden_size,
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

function readFiles<J>(name: string): { json: J; tensors: ReadonlyMap<string, GoldenTensor> } {
  const file = (ending: string) => readFileSync(new URL(`./golden/${name}${ending}`, import.meta.url));
  const decoded = decodeSafetensors(file('.safetensors'));
  return {
    json: JSON.parse(file('.json').toString()) as J,
    tensors: new Map([...decoded.tensors].map(([key, tensor]) => [key, tensor as unknown as GoldenTensor])),
  };
}

/** @param prefix  of the batch's tensors */
function readBatch(
  { batch, length }: { batch: number; length: number },
  tensors: ReadonlyMap<string, GoldenTensor>,
  prefix = '',
): MaskedBatch {
  const ints = (key: string) => tensors.get(prefix + key)!.data as Int32Array;
  const maskedPositions = ints('masked_positions');
  return {
    batchSize: batch,
    length,
    inputIds: ints('input_ids'),
    maskedInputIds: ints('masked_input_ids'),
    tokenTypeIds: ints('token_type_ids'),
    attentionMask: ints('attention_mask'),
    maskedPositions,
    maskedIds: ints('masked_ids'),
    maskedWeights: new Float32Array(maskedPositions.length).fill(1),
  };
}

export function readGolden(name: (typeof GOLDEN_NAMES)[number]): Golden {
  const { json, tensors } = readFiles<GoldenJson>(name);
  return {
    json,
    tensors,
    uniforms: tensors.get('uniforms')!.data as Float32Array,
    batch: readBatch(json, tensors),
    config: (objective) => ({
      ...PLAIN_ELECTRA,
      objective,
      discriminator: encoderConfigOf(json.discriminatorConfig),
      generator: encoderConfigOf(json.generatorConfig),
      mlmWeight: json.mlmWeight,
      discWeight: json.discWeight,
    }),
  };
}

interface SpanBertGoldenJson {
  config: PublishedConfig;
  specialIds: { cls: number; sep: number };
  batch: number;
  length: number;
  maxSpanTargets: number;
  positionSize: number;
  variants: Record<
    string,
    {
      rows: 'single' | 'pair';
      endpoints: SpanBoundaryConfig['endpoints'];
      edgeSpans: SpanBoundaryConfig['edgeSpans'];
      sboWeight: number;
      losses: { mlm: number; sbo: number; nsp?: number; total: number };
    }
  >;
}

export const SPANBERT_VARIANTS = ['reference', 'edges', 'internal', 'nextSentence'] as const;

/** One variant of the SpanBERT step. */
export interface SpanBertGolden {
  readonly losses: SpanBertGoldenJson['variants'][string]['losses'];
  readonly config: SpanBertConfig & { readonly spanBoundary: SpanBoundaryConfig };
  /** With the span targets that our own code finds. */
  readonly batch: MaskedBatch;
  /** Parameters, under their published names. */
  readonly parameters: ReadonlyMap<string, GoldenTensor>;
  /** `mlm_logits`, `sbo_logits`, `left` …, `gradient.<parameter>`. */
  readonly results: ReadonlyMap<string, GoldenTensor>;
}

export function readSpanBertGolden(name: (typeof SPANBERT_VARIANTS)[number]): SpanBertGolden {
  const { json, tensors } = readFiles<SpanBertGoldenJson>('spanbert');
  const { rows, endpoints, edgeSpans, sboWeight, losses } = json.variants[name];
  const { maxSpanTargets, positionSize, specialIds } = json;
  const spanBoundary: SpanBoundaryConfig = { maxSpanTargets, positionSize, endpoints, edgeSpans };
  const batch = readBatch(json, tensors, `${rows}.`);
  const isPair = rows === 'pair';
  const prefix = `${name}.`;
  return {
    losses,
    config: {
      encoder: encoderConfigOf(json.config),
      spanBoundary,
      nextSentence: isPair,
      mlmWeight: 1,
      sboWeight,
      initialization: 'corrected',
    },
    batch: {
      ...batch,
      spanTargets: spanTargets(batch, { clsId: specialIds.cls, sepId: specialIds.sep }, spanBoundary),
      ...(isPair && {
        nextSentence: {
          labels: tensors.get('pair.next_sentence_labels')!.data as Int32Array,
          weights: tensors.get('pair.next_sentence_weights')!.data as Float32Array,
        },
      }),
    },
    parameters: new Map([...tensors].filter(([key]) => /^(bert|cls|sbo)\./.test(key))),
    results: new Map(
      [...tensors].filter(([key]) => key.startsWith(prefix)).map(([key, tensor]) => [key.slice(prefix.length), tensor]),
    ),
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
