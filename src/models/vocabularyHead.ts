/** Predicting pieces: hidden states transformed and multiplied with the word table, as every masked-LM head here does. */
import type { Node } from '../graph/graph.js';
import { layerNorm, linear } from '../nn/layers.js';
import type { ParameterScope } from '../nn/parameters.js';
import type { EncoderConfig } from './config.js';
import { wordEmbeddings } from './encoder.js';

/** Number of masked slots in a batch, over all rows. */
export const MASKED = 'masked';

/** Dense → GELU → layer norm, [T, in] → [T, outputSize], with parameters `dense.*` and `LayerNorm.*`. */
export function transform(scope: ParameterScope, x: Node, outputSize: number, { layerNormEps }: EncoderConfig): Node {
  const activated = scope.graph.gelu(linear(scope.within('dense'), x, outputSize));
  return layerNorm(scope.within('LayerNorm'), activated, layerNormEps);
}

/**
 * Logits over the vocabulary: the output matrix is the word table, the bias is the head's own.
 * @param biasScope  scope of `bias`
 * @param x          float32 [M, E]
 * @returns          float32 [M, V]
 */
export function tiedLogits(
  biasScope: ParameterScope,
  embeddings: ParameterScope,
  x: Node,
  config: EncoderConfig,
): Node {
  const bias = biasScope.get('bias', [config.vocabSize], 'zeros');
  return biasScope.graph.linear(x, wordEmbeddings(embeddings, config), bias);
}
