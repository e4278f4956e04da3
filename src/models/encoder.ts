/** The BERT encoder (post-LN, exact GELU), which ELECTRA's two halves share in form; parameters carry published names. */
import type { Node } from '../graph/graph.js';
import {
  type AttentionStart,
  attentionBias,
  BATCH,
  type Dropout,
  LENGTH,
  layerNorm,
  linear,
  PACKED,
  type Packing,
  TOKENS,
  transformerLayer,
} from '../nn/layers.js';
import { identityStart, localKey, localQuery, sinusoidalPositions } from '../nn/localAttention.js';
import type { Initializer, ParameterScope } from '../nn/parameters.js';
import type { EncoderConfig } from './config.js';

/** What an encoder reads. Position ids are 0..S−1; they are fed because a graph knows no loop. */
export interface EncoderInputs {
  /** int32 [B·S] */
  readonly inputIds: Node;
  /** int32 [B·S] */
  readonly tokenTypeIds: Node;
  /** int32 [S] */
  readonly positionIds: Node;
  /** float32 [B, 1, 1, S] */
  readonly attentionBias: Node;
  /** Where rows run without their padding. */
  readonly packing?: Packing;
}

export interface EncoderOutputs {
  /** float32 [B·S, H] */
  readonly hidden: Node;
  /** Attention weights of each layer, float32 [B, A, S, S]. */
  readonly attentions: readonly Node[];
  /** What each layer reads and the last writes, float32 [B·S, H]. */
  readonly hiddenStates: readonly Node[];
}

/**
 * How weights start. `corrected`: truncated normal everywhere. `reference`: as google-research/electra, whose embedding
 * projection is Glorot-uniform. `local`: heads begin by attending to neighbours (nn/localAttention.ts).
 */
export type EncoderStart = 'local' | 'corrected' | 'reference';

const PROJECTION_STARTS: Readonly<Record<EncoderStart, Initializer>> = {
  local: identityStart,
  corrected: 'truncatedNormal',
  reference: 'glorotUniform',
};

/**
 * What a head reads from its neighbour must count from the first step, yet not drown the token itself: at 0.15/H a layer
 * adds about a seventh of the variance. Measured: 1/H keeps a model from learning even to copy its input, and the usual
 * 0.02² reaches the same loss in several times as many steps.
 */
const VALUE_VARIANCE = 0.15;

function attentionStart(config: EncoderConfig, layer: number, start: EncoderStart): AttentionStart | undefined {
  if (start !== 'local') return undefined;
  const heads = { layer, numHeads: config.numAttentionHeads, embeddingSize: config.embeddingSize };
  const deviation = Math.max(config.initializerRange, Math.sqrt(VALUE_VARIANCE / config.hiddenSize));
  return { query: localQuery(heads), key: localKey(heads), value: { deviation }, output: { deviation } };
}

/**
 * Declares the inputs `inputIds`, `tokenTypeIds`, `attentionMask` (int32 [B, S]) and `positionIds` (int32 [S]).
 * @param packed  whether rows run without their padding; further inputs are then `places` (int32 [T]) and `tokens` (int32 [B, S])
 */
export function encoderInputs(scope: ParameterScope, { packed = false } = {}): EncoderInputs {
  const g = scope.graph;
  const attentionMask = g.input('attentionMask', 'int32', [BATCH, LENGTH]);
  return {
    inputIds: g.reshape(g.input('inputIds', 'int32', [BATCH, LENGTH]), [TOKENS]),
    tokenTypeIds: g.reshape(g.input('tokenTypeIds', 'int32', [BATCH, LENGTH]), [TOKENS]),
    positionIds: g.input('positionIds', 'int32', [LENGTH]),
    attentionBias: attentionBias(g, attentionMask),
    ...(packed && {
      packing: {
        places: g.input('places', 'int32', [PACKED]),
        tokens: g.reshape(g.input('tokens', 'int32', [BATCH, LENGTH]), [TOKENS]),
      },
    }),
  };
}

/** The word embedding table [V, E] of an embeddings scope; also the output matrix of a tied masked-LM head. */
export function wordEmbeddings(embeddings: ParameterScope, config: EncoderConfig): Node {
  return embeddings.get('word_embeddings.weight', [config.vocabSize, config.embeddingSize], 'truncatedNormal');
}

/** Word + position + token-type embedding, layer norm, dropout: float32 [B·S, E]. */
export function embed(
  embeddings: ParameterScope,
  inputs: EncoderInputs,
  config: EncoderConfig,
  dropout: Dropout,
  start: EncoderStart = 'corrected',
): Node {
  const g = embeddings.graph;
  const { embeddingSize: E } = config;
  const words = g.gather(wordEmbeddings(embeddings, config), inputs.inputIds); // [B·S, E]
  const positionTable = embeddings.get(
    'position_embeddings.weight',
    [config.maxPositionEmbeddings, E],
    start === 'local' ? sinusoidalPositions(config.initializerRange) : 'truncatedNormal',
  );
  const typeTable = embeddings.get('token_type_embeddings.weight', [config.typeVocabSize, E], 'truncatedNormal');
  const positions = g.reshape(g.gather(positionTable, inputs.positionIds), [1, LENGTH, E]);
  const types = g.reshape(g.gather(typeTable, inputs.tokenTypeIds), [BATCH, LENGTH, E]);
  // Types and positions are the same for both halves: one node, and so one derivative, when the tables are shared.
  const where = g.reshape(g.add(types, positions), [TOKENS, E]);
  const normalized = layerNorm(embeddings.within('LayerNorm'), g.add(words, where), config.layerNormEps);
  return dropout.apply(g, normalized, config.hiddenDropoutProb);
}

/**
 * The encoder without a head.
 * @param backbone    scope of `encoder.layer.*` and `embeddings_project.*`
 * @param embeddings  scope of `word_embeddings` … `LayerNorm`, apart because it may be another half's
 */
export function encode(
  backbone: ParameterScope,
  embeddings: ParameterScope,
  inputs: EncoderInputs,
  config: EncoderConfig,
  dropout: Dropout,
  start: EncoderStart = 'corrected',
): EncoderOutputs {
  let hidden = embed(embeddings, inputs, config, dropout, start);
  if (config.embeddingSize !== config.hiddenSize) {
    hidden = linear(backbone.within('embeddings_project'), hidden, config.hiddenSize, PROJECTION_STARTS[start]);
  }
  const { packing } = inputs;
  const filledUp = (packed: Node) => (packing ? backbone.graph.gather(packed, packing.tokens) : packed);
  const hiddenStates = [hidden];
  if (packing) hidden = backbone.graph.gather(hidden, packing.places); // [T, H]
  const attentions: Node[] = [];
  for (let i = 0; i < config.numHiddenLayers; i++) {
    const layer = transformerLayer(
      backbone.within(`encoder.layer.${i}`),
      hidden,
      inputs.attentionBias,
      config,
      dropout,
      attentionStart(config, i, start),
      packing,
    );
    hidden = layer.hidden;
    hiddenStates.push(filledUp(hidden));
    attentions.push(layer.weights);
  }
  return { hidden: hiddenStates.at(-1)!, hiddenStates, attentions };
}
