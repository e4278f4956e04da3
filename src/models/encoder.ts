/** The BERT encoder (post-LN, exact GELU) that ELECTRA's two halves share in form; parameters carry published names. */
import type { Node } from '../graph/graph.js';
import {
  attentionBias,
  BATCH,
  type Dropout,
  LENGTH,
  layerNorm,
  linear,
  TOKENS,
  transformerLayer,
} from '../nn/layers.js';
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
}

export interface EncoderOutputs {
  /** float32 [B·S, H] */
  readonly hidden: Node;
  /** Attention weights of each layer, float32 [B, A, S, S]. */
  readonly attentions: readonly Node[];
  /** What each layer reads and the last writes, float32 [B·S, H]. */
  readonly hiddenStates: readonly Node[];
}

/** Declares the inputs `inputIds`, `tokenTypeIds`, `attentionMask` (int32 [B, S]) and `positionIds` (int32 [S]). */
export function encoderInputs(scope: ParameterScope): EncoderInputs & { attentionMask: Node } {
  const g = scope.graph;
  const attentionMask = g.input('attentionMask', 'int32', [BATCH, LENGTH]);
  return {
    inputIds: g.reshape(g.input('inputIds', 'int32', [BATCH, LENGTH]), [TOKENS]),
    tokenTypeIds: g.reshape(g.input('tokenTypeIds', 'int32', [BATCH, LENGTH]), [TOKENS]),
    positionIds: g.input('positionIds', 'int32', [LENGTH]),
    attentionBias: attentionBias(g, attentionMask),
    attentionMask,
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
): Node {
  const g = embeddings.graph;
  const { embeddingSize: E } = config;
  const words = g.gather(wordEmbeddings(embeddings, config), inputs.inputIds); // [B·S, E]
  const positionTable = embeddings.get(
    'position_embeddings.weight',
    [config.maxPositionEmbeddings, E],
    'truncatedNormal',
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
  projectionInitializer: Initializer = 'truncatedNormal',
): EncoderOutputs {
  let hidden = embed(embeddings, inputs, config, dropout);
  if (config.embeddingSize !== config.hiddenSize) {
    hidden = linear(backbone.within('embeddings_project'), hidden, config.hiddenSize, projectionInitializer);
  }
  const hiddenStates = [hidden];
  const attentions: Node[] = [];
  for (let i = 0; i < config.numHiddenLayers; i++) {
    const layer = transformerLayer(
      backbone.within(`encoder.layer.${i}`),
      hidden,
      inputs.attentionBias,
      config,
      dropout,
    );
    hidden = layer.hidden;
    hiddenStates.push(hidden);
    attentions.push(layer.weights);
  }
  return { hidden, hiddenStates, attentions };
}
