/** Fine-tuning an encoder with a classifier on it: the loss of each row's target, by the problem type. */
import { headSettings, type ModelDescription } from '../../checkpoint/modelFolder.js';
import { float32Tensor } from '../../engine/tensors.js';
import type { Node } from '../../graph/graph.js';
import { type EncoderInputs, encoderInputs } from '../../models/encoder.js';
import { BATCH } from '../../nn/layers.js';
import { ParameterScope } from '../../nn/parameters.js';
import type { BatchFormat } from '../../training/graphPhase.js';
import type { Objective } from '../../training/objective.js';
import { headObjective } from '../headObjective.js';
import { encoderFeeds, tokenSizes } from '../tokenRows.js';
import type { ClassificationBatch } from './batches.js';
import type { Problem } from './problem.js';
import { problemOf } from './problems.js';
import { problemTypeOf } from './problemType.js';

interface ClassificationInputs {
  readonly encoder: EncoderInputs;
  /** As the problem has them. */
  readonly labels: Node;
  /** float32 [B] */
  readonly weights: Node;
}

const batchFormat = (problem: Problem, numLabels: number): BatchFormat<ClassificationBatch, ClassificationInputs> => ({
  declare: (g) => ({
    encoder: encoderInputs(new ParameterScope(g)),
    labels: problem.declare(g, numLabels),
    weights: g.input('rowWeights', 'float32', [BATCH]),
  }),
  feeds: (batch) => ({
    ...encoderFeeds(batch),
    labels: problem.tensor(batch.targets, numLabels),
    rowWeights: float32Tensor(batch.weights),
  }),
  sizes: tokenSizes,
});

/**
 * @param model            the encoder with its classifier, labels and problem type set
 * @param layerRateDecay   what each layer's learning rate is of the one above, above 0, at most 1
 * @param files            what is kept beside the model, by file name
 */
export function classificationObjective(
  model: ModelDescription,
  options: { layerRateDecay: number; files?: Readonly<Record<string, string>> },
): Objective<ClassificationBatch> {
  const problem = problemOf(problemTypeOf(model));
  const { numLabels } = headSettings(model);
  return headObjective({
    name: 'text-classification',
    model,
    format: batchFormat(problem, numLabels),
    loss: 'label',
    build(g, { logits }, inputs) {
      g.output('logits', logits); // [B, labels]
      return problem.loss(g, logits, inputs);
    },
    counts: ({ weights }) => ({
      label: weights.reduce((sum, weight) => sum + weight, 0) * problem.termsOfRow(numLabels),
    }),
    ...options,
  });
}
