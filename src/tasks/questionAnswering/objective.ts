/**
 * Fine-tuning an encoder with a start and an end head: the mean of the cross entropies of both positions over all tokens of a
 * window, [CLS] standing for "no answer" (google-research/bert, run_squad.py).
 */
import type { ModelDescription } from '../../checkpoint/modelFolder.js';
import { float32Tensor, int32Tensor } from '../../engine/tensors.js';
import type { Node } from '../../graph/graph.js';
import { type EncoderInputs, encoderInputs } from '../../models/encoder.js';
import { BATCH, LENGTH } from '../../nn/layers.js';
import { ParameterScope } from '../../nn/parameters.js';
import { type BatchFormat, GraphPhase } from '../../training/graphPhase.js';
import { average, type LossSpec, type Objective, totalLoss } from '../../training/objective.js';
import { layerwiseGroups } from '../../training/parameterGroup.js';
import { predictionLoss } from '../../training/predictionLoss.js';
import { headOutputs } from '../headObjective.js';
import { encoderFeeds, type PaddedRows, padRows, tokenSizes } from '../tokenRows.js';
import type { LearnedRow } from './encodedQuestions.js';

export interface QuestionBatch extends PaddedRows {
  /** Positions in each row, [B] each. */
  readonly startPositions: Int32Array;
  readonly endPositions: Int32Array;
}

/** @param least  tokens of a row, at least */
export function batchOfQuestions(rows: readonly LearnedRow[], padId: number, least?: number): QuestionBatch {
  return {
    ...padRows(rows, padId, least),
    startPositions: Int32Array.from(rows, ({ startPosition }) => startPosition),
    endPositions: Int32Array.from(rows, ({ endPosition }) => endPosition),
  };
}

interface QuestionInputs {
  readonly encoder: EncoderInputs;
  /** int32 [B] */
  readonly startPositions: Node;
  readonly endPositions: Node;
  /** float32 [B] */
  readonly weights: Node;
}

const QUESTION_BATCHES: BatchFormat<QuestionBatch, QuestionInputs> = {
  declare: (g) => ({
    encoder: encoderInputs(new ParameterScope(g)),
    startPositions: g.input('startPositions', 'int32', [BATCH]),
    endPositions: g.input('endPositions', 'int32', [BATCH]),
    weights: g.input('rowWeights', 'float32', [BATCH]),
  }),
  feeds: (batch) => ({
    ...encoderFeeds(batch),
    startPositions: int32Tensor(batch.startPositions),
    endPositions: int32Tensor(batch.endPositions),
    rowWeights: float32Tensor(new Float32Array(batch.batchSize).fill(1)),
  }),
  sizes: tokenSizes,
};

const LOSSES: readonly LossSpec[] = [
  { name: 'start', per: 'row', weight: 0.5 },
  { name: 'end', per: 'row', weight: 0.5 },
];

/**
 * @param model            the encoder with its start and end head
 * @param layerRateDecay   what each layer's learning rate is of the one above, above 0, at most 1
 * @param files            what is kept beside the model, by file name
 */
export function questionObjective(
  model: ModelDescription,
  { layerRateDecay, files }: { layerRateDecay: number; files?: Readonly<Record<string, string>> },
): Objective<QuestionBatch> {
  const phase = new GraphPhase(QUESTION_BATCHES, {
    name: 'question-answering',
    build({ g, root, dropout, inputs }) {
      const { startLogits, endLogits } = headOutputs(model, { root, dropout, encoder: inputs.encoder }); // [B, S]
      // Padding is no answer: a row's loss does not depend on the rows that it is padded beside.
      const padding = g.reshape(inputs.encoder.attentionBias, [BATCH, LENGTH]);
      const [start, end] = [startLogits, endLogits].map((logits) => g.add(logits, padding));
      g.output('startLogits', start);
      g.output('endLogits', end);
      const { weights, startPositions, endPositions } = inputs;
      return [
        { name: 'start', sum: predictionLoss(g, 'start', start, { labels: startPositions, weights }), weight: 0.5 },
        { name: 'end', sum: predictionLoss(g, 'end', end, { labels: endPositions, weights }), weight: 0.5 },
      ];
    },
    counts: ({ batchSize }) => ({ start: batchSize, end: batchSize }),
  });
  const parameters = phase.parameters();
  return {
    name: 'question-answering',
    parameters,
    models: [{ ...model, folder: 'model', tensors: new Map(parameters.map(({ name }) => [name, name])), files }],
    phases: [phase],
    losses: LOSSES,
    groupOf: layerwiseGroups(layerRateDecay, model.config.numHiddenLayers),
    metrics: (totals) => {
      const loss = totalLoss(LOSSES, totals);
      const [startAccuracy, endAccuracy] = LOSSES.map(({ name }) =>
        average(totals, `${name}Correct`, totals.count(name)),
      );
      return { loss, startAccuracy, endAccuracy, totalLoss: loss };
    },
  };
}
