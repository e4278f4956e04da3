/** Fine-tuning an encoder with the head of its class: one loss, read from the head's outputs. */
import { headSettings, type ModelDescription } from '../checkpoint/modelFolder.js';
import type { GraphBuilder, Node } from '../graph/graph.js';
import { type EncoderInputs, encode } from '../models/encoder.js';
import { addHead, MODEL_CLASSES } from '../models/heads.js';
import type { EncodedScope } from '../models/modelGraph.js';
import { type BatchFormat, type Build, GraphPhase } from '../training/graphPhase.js';
import { average, type LossCounts, type LossSpec, type Objective, type TokenBatch } from '../training/objective.js';
import { layerwiseGroups } from '../training/parameterGroup.js';

export interface HeadObjective<B extends TokenBatch, I> {
  readonly name: string;
  /** The encoder with its head, labels set. */
  readonly model: ModelDescription;
  readonly format: BatchFormat<B, I & { readonly encoder: EncoderInputs }>;
  /** Of the loss, such as `label`. */
  readonly loss: string;
  /** What the loss is averaged over. Default `row`. */
  readonly per?: LossSpec['per'];
  /**
   * The loss as a sum, from the head's outputs; names `<loss>LossSum`, and what an evaluation reads, as outputs of the graph.
   */
  build(g: GraphBuilder, outputs: Readonly<Record<string, Node>>, inputs: I): Node;
  /** Over how many rows or tokens the loss is taken. */
  counts(batch: B): LossCounts;
  /** Token rows of one row of the data. Default 1. */
  readonly rowsOfExample?: number;
  /** What each layer's learning rate is of the one above, above 0, at most 1. */
  readonly layerRateDecay: number;
  /** What is kept beside the model, by file name. */
  readonly files?: Readonly<Record<string, string>>;
}

type EncoderBuild = Pick<Build<unknown>, 'root' | 'dropout'> & { readonly encoder: EncoderInputs };

/** A model's encoder over a batch, as it is trained. */
export function encodedBatch(
  { architecture, config }: ModelDescription,
  { root, dropout, encoder }: EncoderBuild,
): EncodedScope {
  const backbone = root.within(MODEL_CLASSES[architecture].family);
  const embeddings = backbone.within('embeddings');
  const encoded = encode(backbone, embeddings, encoder, config, dropout);
  return { scope: root, embeddings, dropout, inputs: encoder, ...encoded };
}

/** What a model's head says of a batch, as it is trained. */
export function headOutputs(model: ModelDescription, build: EncoderBuild): Readonly<Record<string, Node>> {
  return addHead(model.architecture, encodedBatch(model, build), model.config, headSettings(model));
}

export function headObjective<B extends TokenBatch, I>(definition: HeadObjective<B, I>): Objective<B> {
  const { name, model, format, loss: lossName, layerRateDecay, files } = definition;
  const phase = new GraphPhase(format, {
    name,
    rowsOfExample: definition.rowsOfExample,
    build({ g, root, dropout, inputs }) {
      const outputs = headOutputs(model, { root, dropout, encoder: inputs.encoder });
      return [{ name: lossName, sum: definition.build(g, outputs, inputs), weight: 1 }];
    },
    counts: (batch) => definition.counts(batch),
  });
  const parameters = phase.parameters();
  return {
    name,
    parameters,
    models: [{ ...model, folder: 'model', tensors: new Map(parameters.map((each) => [each.name, each.name])), files }],
    phases: [phase],
    losses: [{ name: lossName, per: definition.per ?? 'row', weight: 1 }],
    groupOf: layerwiseGroups(layerRateDecay, model.config.numHiddenLayers),
    metrics: (totals) => {
      const count = totals.count(lossName);
      const loss = average(totals, `${lossName}LossSum`, count) ?? Number.NaN;
      return { loss, accuracy: average(totals, `${lossName}Correct`, count), totalLoss: loss };
    },
  };
}
