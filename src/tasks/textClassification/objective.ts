/** Fine-tuning an encoder with a classifier on it: cross entropy of each row's label. */

import type { ModelDescription } from '../../checkpoint/modelFolder.js';
import { headSettings } from '../../checkpoint/modelFolder.js';
import { float32Tensor, int32Tensor } from '../../engine/tensors.js';
import type { Node } from '../../graph/graph.js';
import { type EncoderInputs, encode, encoderInputs } from '../../models/encoder.js';
import { addHead, MODEL_CLASSES } from '../../models/heads.js';
import { BATCH, LENGTH } from '../../nn/layers.js';
import { ParameterScope } from '../../nn/parameters.js';
import { type BatchFormat, GraphPhase } from '../../training/graphPhase.js';
import { average, type LossSpec, type Objective } from '../../training/objective.js';
import { layerwiseGroups } from '../../training/parameterGroup.js';
import { predictionLoss } from '../../training/predictionLoss.js';
import { encoderFeeds } from '../tokenRows.js';
import type { ClassificationBatch } from './batches.js';

interface ClassificationInputs {
  readonly encoder: EncoderInputs;
  /** int32 [B] */
  readonly labels: Node;
  /** float32 [B] */
  readonly weights: Node;
}

const CLASSIFICATION_BATCHES: BatchFormat<ClassificationBatch, ClassificationInputs> = {
  declare: (g) => ({
    encoder: encoderInputs(new ParameterScope(g)),
    labels: g.input('labels', 'int32', [BATCH]),
    weights: g.input('rowWeights', 'float32', [BATCH]),
  }),
  feeds: (batch) => ({
    ...encoderFeeds(batch),
    labels: int32Tensor(batch.labels),
    rowWeights: float32Tensor(new Float32Array(batch.batchSize).fill(1)),
  }),
  sizes: ({ batchSize, length }) =>
    new Map([
      [BATCH, batchSize],
      [LENGTH, length],
    ]),
};

const LOSSES: readonly LossSpec[] = [{ name: 'label', per: 'row', weight: 1 }];

/**
 * @param model            the encoder with its classifier, labels set
 * @param layerRateDecay   what each layer's learning rate is of the one above, above 0, at most 1
 * @param files            what is kept beside the model, by file name
 */
export function classificationObjective(
  model: ModelDescription,
  { layerRateDecay, files }: { layerRateDecay: number; files?: Readonly<Record<string, string>> },
): Objective<ClassificationBatch> {
  const { architecture, config } = model;
  const phase = new GraphPhase(CLASSIFICATION_BATCHES, {
    name: 'text-classification',
    build({ g, root, dropout, inputs }) {
      const backbone = root.within(MODEL_CLASSES[architecture].family);
      const embeddings = backbone.within('embeddings');
      const encoded = encode(backbone, embeddings, inputs.encoder, config, dropout);
      const scope = { scope: root, embeddings, dropout, ...encoded };
      const { logits } = addHead(architecture, scope, config, headSettings(model));
      g.output('logits', logits); // [B, labels]
      return [{ name: 'label', sum: predictionLoss(g, 'label', logits, inputs), weight: 1 }];
    },
    counts: ({ batchSize }) => ({ label: batchSize }),
  });
  const parameters = phase.parameters();
  return {
    name: 'text-classification',
    parameters,
    models: [{ ...model, folder: 'model', tensors: new Map(parameters.map(({ name }) => [name, name])), files }],
    phases: [phase],
    losses: LOSSES,
    groupOf: layerwiseGroups(layerRateDecay, config.numHiddenLayers),
    metrics: (totals) => {
      const loss = average(totals, 'labelLossSum', totals.count('label')) ?? Number.NaN;
      return { loss, accuracy: average(totals, 'labelCorrect', totals.count('label')), totalLoss: loss };
    },
  };
}
