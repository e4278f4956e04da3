/** Fine-tuning an encoder with a classifier of its tokens: cross entropy of each word's tag, at its first piece. */
import { headSettings, type ModelDescription } from '../../checkpoint/modelFolder.js';
import { float32Tensor, int32Tensor } from '../../engine/tensors.js';
import type { Node } from '../../graph/graph.js';
import { type EncoderInputs, encode, encoderInputs } from '../../models/encoder.js';
import { addHead, MODEL_CLASSES } from '../../models/heads.js';
import { BATCH, LENGTH, TOKENS } from '../../nn/layers.js';
import { ParameterScope } from '../../nn/parameters.js';
import { type BatchFormat, GraphPhase } from '../../training/graphPhase.js';
import { average, type LossSpec, type Objective } from '../../training/objective.js';
import { layerwiseGroups } from '../../training/parameterGroup.js';
import { predictionLoss } from '../../training/predictionLoss.js';
import { encoderFeeds } from '../tokenRows.js';
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
  sizes: ({ batchSize, length }) =>
    new Map([
      [BATCH, batchSize],
      [LENGTH, length],
    ]),
};

const LOSSES: readonly LossSpec[] = [{ name: 'tag', per: 'token', weight: 1 }];

/**
 * @param model            the encoder with its classifier of tokens, labels set
 * @param layerRateDecay   what each layer's learning rate is of the one above, above 0, at most 1
 * @param files            what is kept beside the model, by file name
 */
export function taggingObjective(
  model: ModelDescription,
  { layerRateDecay, files }: { layerRateDecay: number; files?: Readonly<Record<string, string>> },
): Objective<TaggingBatch> {
  const { architecture, config, labels = [] } = model;
  const phase = new GraphPhase(TAGGING_BATCHES, {
    name: 'token-classification',
    build({ g, root, dropout, inputs }) {
      const backbone = root.within(MODEL_CLASSES[architecture].family);
      const embeddings = backbone.within('embeddings');
      const encoded = encode(backbone, embeddings, inputs.encoder, config, dropout);
      const scope = { scope: root, embeddings, dropout, ...encoded };
      const { logits } = addHead(architecture, scope, config, headSettings(model));
      g.output('logits', logits); // [B, S, labels]
      const flat = g.reshape(logits, [TOKENS, labels.length]);
      const asked = { labels: g.reshape(inputs.labels, [TOKENS]), weights: g.reshape(inputs.weights, [TOKENS]) };
      return [{ name: 'tag', sum: predictionLoss(g, 'tag', flat, asked), weight: 1 }];
    },
    counts: ({ labelWeights }) => ({ tag: labelWeights.reduce((count, one) => count + one, 0) }),
  });
  const parameters = phase.parameters();
  return {
    name: 'token-classification',
    parameters,
    models: [{ ...model, folder: 'model', tensors: new Map(parameters.map(({ name }) => [name, name])), files }],
    phases: [phase],
    losses: LOSSES,
    groupOf: layerwiseGroups(layerRateDecay, config.numHiddenLayers),
    metrics: (totals) => {
      const loss = average(totals, 'tagLossSum', totals.count('tag')) ?? Number.NaN;
      return { loss, accuracy: average(totals, 'tagCorrect', totals.count('tag')), totalLoss: loss };
    },
  };
}
