/**
 * ELECTRA's two halves (Clark et al. 2020, arXiv 2003.10555 §2): a generator that proposes tokens at masked slots and a
 * discriminator that says for every token whether it was replaced. Names and shapes as in the published checkpoints.
 */
import type { Node } from '../graph/graph.js';
import { linear } from '../nn/layers.js';
import type { Initializer, ParameterScope } from '../nn/parameters.js';
import type { EncoderConfig } from './config.js';
import { tiedLogits, transform } from './vocabularyHead.js';

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
  const transformed = transform(scope.within('generator_predictions'), hidden, config.embeddingSize, config);
  return tiedLogits(scope.within('generator_lm_head'), embeddings, transformed, config);
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
