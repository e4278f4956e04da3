/**
 * ELECTRA's two halves (Clark et al. 2020, arXiv 2003.10555 §2): a generator that proposes tokens at masked slots and a
 * discriminator that says for every token whether it was replaced. Names and shapes as in the published checkpoints.
 */
import { type Graph, GraphBuilder, type Node } from '../graph/graph.js';
import { BATCH, Dropout, LENGTH, layerNorm, linear } from '../nn/layers.js';
import { type Initializer, ParameterScope, type ParameterSpec } from '../nn/parameters.js';
import type { EncoderConfig } from './config.js';
import { encode, encoderInputs, wordEmbeddings } from './encoder.js';

/** Number of masked slots in a batch, over all rows. */
export const MASKED = 'masked';

/**
 * Masked-LM head at the given hidden states: dense H→E, GELU, layer norm, product with the word table.
 * @param scope   scope of `generator_predictions.*` and `generator_lm_head.bias`
 * @param hidden  float32 [M, H], only the slots to predict
 * @returns       logits float32 [M, V]
 */
export function maskedLmHead(
  scope: ParameterScope,
  embeddings: ParameterScope,
  hidden: Node,
  config: EncoderConfig,
): Node {
  const predictions = scope.within('generator_predictions');
  const transformed = scope.graph.gelu(linear(predictions.within('dense'), hidden, config.embeddingSize));
  const normalized = layerNorm(predictions.within('LayerNorm'), transformed, config.layerNormEps);
  const bias = scope.get('generator_lm_head.bias', [config.vocabSize], 'zeros');
  return scope.graph.linear(normalized, wordEmbeddings(embeddings, config), bias);
}

/**
 * Replaced-token head: dense H→H, GELU, dense H→1.
 * @param scope   scope of `discriminator_predictions.*`
 * @param hidden  float32 [T, H]
 * @returns       logits float32 [T], above 0 for "replaced"
 */
export function replacedTokenHead(
  scope: ParameterScope,
  hidden: Node,
  config: EncoderConfig,
  outputInitializer: Initializer = 'truncatedNormal',
): Node {
  const predictions = scope.within('discriminator_predictions');
  const transformed = scope.graph.gelu(linear(predictions.within('dense'), hidden, config.hiddenSize));
  const logits = linear(predictions.within('dense_prediction'), transformed, 1, outputInitializer); // [T, 1]
  return scope.graph.reshape(logits, [hidden.shape[0]]);
}

/** A model for use alone: its graph and the parameters it needs, under their published names. */
export interface ModelGraph {
  readonly graph: Graph;
  readonly parameters: readonly ParameterSpec[];
}

/** Builds a graph around one encoder; `finish` adds the head and names the outputs. */
function modelGraph(config: EncoderConfig, finish: (scope: ParameterScope, hidden: Node) => void): ModelGraph {
  const scope = new ParameterScope(new GraphBuilder());
  const backbone = scope.within('electra');
  const { hidden } = encode(backbone, backbone.within('embeddings'), encoderInputs(scope), config, new Dropout(false));
  finish(scope, hidden);
  return { graph: scope.graph.build(), parameters: scope.specs };
}

/** The encoder alone. Output `hidden` float32 [B, S, H]. */
export function encoderGraph(config: EncoderConfig): ModelGraph {
  return modelGraph(config, ({ graph: g }, hidden) =>
    g.output('hidden', g.reshape(hidden, [BATCH, LENGTH, config.hiddenSize])),
  );
}

/** ElectraForPreTraining. Output `logits` float32 [B, S], above 0 for "replaced". */
export function discriminatorGraph(config: EncoderConfig): ModelGraph {
  return modelGraph(config, (scope, hidden) => {
    scope.graph.output('logits', scope.graph.reshape(replacedTokenHead(scope, hidden, config), [BATCH, LENGTH]));
  });
}

/**
 * ElectraForMaskedLM at chosen slots. Further input `positions` int32 [M], as row·S + position; output `logits` float32
 * [M, V].
 */
export function generatorGraph(config: EncoderConfig): ModelGraph {
  return modelGraph(config, (scope, hidden) => {
    const g = scope.graph;
    const slots = g.gather(hidden, g.input('positions', 'int32', [MASKED]));
    g.output('logits', maskedLmHead(scope, scope.within('electra').within('embeddings'), slots, config));
  });
}
