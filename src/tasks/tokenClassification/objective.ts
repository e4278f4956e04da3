/** Fine-tuning an encoder with a classifier of its tokens: cross entropy of each word's tag, at its first piece. */
import type { ModelDescription } from '../../checkpoint/modelFolder.js';
import { float32Tensor, int32Tensor } from '../../engine/tensors.js';
import type { Node } from '../../graph/graph.js';
import { type EncoderInputs, encoderInputs } from '../../models/encoder.js';
import { BATCH, LENGTH, TOKENS } from '../../nn/layers.js';
import { ParameterScope } from '../../nn/parameters.js';
import type { BatchFormat } from '../../training/graphPhase.js';
import type { Objective } from '../../training/objective.js';
import { predictionLoss } from '../../training/predictionLoss.js';
import { headObjective } from '../headObjective.js';
import { encoderFeeds, tokenSizes } from '../tokenRows.js';
import type { TaggingBatch } from './rows.js';

interface TaggingInputs {
  readonly encoder: EncoderInputs;
  /** int32 [B, S] */
  readonly labels: Node;
  /** float32 [B, S]: 0 where no label is learned */
  readonly weights: Node;
}

const TAGGING_BATCHES: BatchFormat<TaggingBatch, TaggingInputs> = {
  declare: (g) => ({
    encoder: encoderInputs(new ParameterScope(g)),
    labels: g.input('labels', 'int32', [BATCH, LENGTH]),
    weights: g.input('labelWeights', 'float32', [BATCH, LENGTH]),
  }),
  feeds: (batch) => ({
    ...encoderFeeds(batch),
    labels: int32Tensor(batch.labels, [batch.batchSize, batch.length]),
    labelWeights: float32Tensor(batch.labelWeights, [batch.batchSize, batch.length]),
  }),
  sizes: tokenSizes,
};

/**
 * @param model            the encoder with its classifier of tokens, labels set
 * @param layerRateDecay   what each layer's learning rate is of the one above, above 0, at most 1
 * @param files            what is kept beside the model, by file name
 */
export function taggingObjective(
  model: ModelDescription,
  options: { layerRateDecay: number; files?: Readonly<Record<string, string>> },
): Objective<TaggingBatch> {
  const { labels = [] } = model;
  return headObjective({
    name: 'token-classification',
    model,
    format: TAGGING_BATCHES,
    loss: 'tag',
    per: 'token',
    build(g, { logits }, inputs) {
      g.output('logits', logits); // [B, S, labels]
      const flat = g.reshape(logits, [TOKENS, labels.length]);
      const asked = { labels: g.reshape(inputs.labels, [TOKENS]), weights: g.reshape(inputs.weights, [TOKENS]) };
      return predictionLoss(g, 'tag', flat, asked);
    },
    counts: ({ labelWeights }) => ({ tag: labelWeights.reduce((count, one) => count + one, 0) }),
    ...options,
  });
}
