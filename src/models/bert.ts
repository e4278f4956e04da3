/**
 * BERT's heads (Devlin et al. 2019, arXiv 1810.04805): masked LM, and next-sentence prediction on the pooled [CLS].
 * Names and shapes as in the published checkpoints (transformers' BertForMaskedLM and BertForPreTraining).
 */
import type { Node } from '../graph/graph.js';
import { linear } from '../nn/layers.js';
import type { ParameterScope } from '../nn/parameters.js';
import type { EncoderConfig } from './config.js';
import { tiedLogits, transform } from './vocabularyHead.js';

/**
 * Masked-LM head at the given hidden states: dense H→H, GELU, layer norm, product with the word table.
 * @param scope   scope of `cls.predictions.*`
 * @param hidden  float32 [M, H], only the slots to predict
 * @returns       logits float32 [M, V]
 */
export function bertMaskedLmHead(
  scope: ParameterScope,
  embeddings: ParameterScope,
  hidden: Node,
  config: EncoderConfig,
): Node {
  const predictions = scope.within('cls').within('predictions');
  const transformed = transform(predictions.within('transform'), hidden, config.hiddenSize, config);
  return tiedLogits(predictions, embeddings, transformed, config);
}

/**
 * BERT's pooler: tanh of a dense layer on [CLS].
 * @param scope  scope of `bert.pooler.*`
 * @param first  hidden states of [CLS], float32 [B, H]
 * @returns      float32 [B, H]
 */
export function pooler(scope: ParameterScope, first: Node, { hiddenSize }: EncoderConfig): Node {
  return scope.graph.tanh(linear(scope.within('bert').within('pooler').within('dense'), first, hiddenSize));
}

/**
 * Next-sentence head: pooler, dense H→2. Devlin et al. §3.1, task 2.
 * @param scope  scope of `bert.pooler.*` and `cls.seq_relationship.*`
 * @param first  hidden states of [CLS], float32 [B, H]
 * @returns      logits float32 [B, 2]: of "B follows A" and of "B is from elsewhere", in transformers' order
 */
export function nextSentenceHead(scope: ParameterScope, first: Node, config: EncoderConfig): Node {
  return linear(scope.within('cls').within('seq_relationship'), pooler(scope, first, config), 2);
}
