/**
 * Fine-tuning an encoder to find answers: the mean of the cross entropies of start and end over the tokens of a window, [CLS]
 * standing for "no answer" (google-research/bert, run_squad.py). With ELECTRA's own head the end is predicted given the true
 * start, and half of the cross entropy of "is there an answer" is added (google-research/electra, finetune/qa/qa_tasks.py).
 */
import { headSettings, type ModelDescription } from '../../checkpoint/modelFolder.js';
import { float32Tensor, int32Tensor } from '../../engine/tensors.js';
import type { GraphBuilder, Node } from '../../graph/graph.js';
import { type EncoderInputs, encoderInputs } from '../../models/encoder.js';
import type { QuestionAnsweringHead } from '../../models/heads.js';
import { answerBeam, jointAnswers } from '../../models/jointAnswerHead.js';
import { BATCH, LENGTH } from '../../nn/layers.js';
import { ParameterScope } from '../../nn/parameters.js';
import { type BatchFormat, type Build, GraphPhase } from '../../training/graphPhase.js';
import { average, type LossSpec, type Objective, totalLoss } from '../../training/objective.js';
import { layerwiseGroups } from '../../training/parameterGroup.js';
import { predictionLoss } from '../../training/predictionLoss.js';
import { encodedBatch, headOutputs } from '../headObjective.js';
import { encoderFeeds, type PaddedRows, padRows, tokenSizes } from '../tokenRows.js';
import type { LearnedRow } from './encodedQuestions.js';

export interface QuestionBatch extends PaddedRows {
  /** Positions in each row, [B] each. */
  readonly startPositions: Int32Array;
  readonly endPositions: Int32Array;
}

/** @param length  tokens of a row with its padding. Default: as many as the longest needs */
export function batchOfQuestions(rows: readonly LearnedRow[], padId: number, length?: number): QuestionBatch {
  return {
    ...padRows(rows, padId, length),
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

/** Of each head; the weights are those of the released code. */
const LOSSES: Readonly<Record<QuestionAnsweringHead, readonly LossSpec[]>> = {
  standard: [
    { name: 'start', per: 'row', weight: 0.5 },
    { name: 'end', per: 'row', weight: 0.5 },
  ],
  joint: [
    { name: 'start', per: 'row', weight: 0.5 },
    { name: 'end', per: 'row', weight: 0.5 },
    { name: 'noAnswer', per: 'row', weight: 0.5 },
  ],
};

/** The sum of each loss over the rows, by name; names outputs for the evaluation on the way. */
type Sums = Readonly<Record<string, Node>>;

function standardSums(model: ModelDescription, { g, root, dropout, inputs }: Build<QuestionInputs>): Sums {
  const { startLogits, endLogits } = headOutputs(model, { root, dropout, encoder: inputs.encoder }); // [B, S]
  // Padding is no answer: a row's loss does not depend on the rows that it is padded beside.
  const padding = g.reshape(inputs.encoder.attentionBias, [BATCH, LENGTH]);
  const [start, end] = [startLogits, endLogits].map((logits) => g.add(logits, padding));
  g.output('startLogits', start);
  g.output('endLogits', end);
  const { weights, startPositions, endPositions } = inputs;
  return {
    start: predictionLoss(g, 'start', start, { labels: startPositions, weights }),
    end: predictionLoss(g, 'end', end, { labels: endPositions, weights }),
  };
}

function jointSums(model: ModelDescription, { g, root, dropout, inputs }: Build<QuestionInputs>): Sums {
  const { encoder, weights, startPositions, endPositions } = inputs;
  const { hidden } = encodedBatch(model, { root, dropout, encoder });
  const joint = jointAnswers(root, hidden, encoder);
  for (const [name, node] of Object.entries(answerBeam(root, joint, encoder))) g.output(name, node);
  const start = joint.startLogits;
  const end = joint.endLogits(startPositions);
  const none = joint.noAnswerLogits;
  const isNone = g.cast(g.equal(startPositions, g.scalar(0, 'int32')), 'float32');
  // −ln sigmoid(z) where there is no answer, else −ln (1 − sigmoid(z))
  const noneLosses = g.sub(g.softplus(none), g.mul(none, isNone)); // [B]
  const saysNone = g.cast(g.less(g.scalar(0), none), 'float32');
  const sums = {
    start: predictionLoss(g, 'start', start, { labels: startPositions, weights }),
    end: predictionLoss(g, 'end', end, { labels: endPositions, weights }),
    noAnswer: g.reduceSum(g.mul(noneLosses, weights)),
  };
  g.output('noAnswerLossSum', sums.noAnswer);
  g.output('noAnswerCorrect', g.reduceSum(g.mul(g.cast(g.equal(saysNone, isNone), 'float32'), weights)));
  const positions = g.add(g.softmaxCrossEntropy(start, startPositions), g.softmaxCrossEntropy(end, endPositions));
  g.output('rowLosses', half(g, g.add(positions, noneLosses))); // [B]
  return sums;
}

const half = (g: GraphBuilder, x: Node) => g.mul(x, g.scalar(0.5));

/**
 * @param model            the encoder with its head for answers
 * @param layerRateDecay   what each layer's learning rate is of the one above, above 0, at most 1
 * @param files            what is kept beside the model, by file name
 */
export function questionObjective(
  model: ModelDescription,
  { layerRateDecay, files }: { layerRateDecay: number; files?: Readonly<Record<string, string>> },
): Objective<QuestionBatch> {
  const { questionAnsweringHead } = headSettings(model);
  const losses = LOSSES[questionAnsweringHead];
  const sumsOf = questionAnsweringHead === 'joint' ? jointSums : standardSums;
  const phase = new GraphPhase(QUESTION_BATCHES, {
    name: 'question-answering',
    build(build) {
      const sums = sumsOf(model, build);
      return losses.map(({ name, weight }) => ({ name, sum: sums[name], weight }));
    },
    counts: ({ batchSize }) => Object.fromEntries(losses.map(({ name }) => [name, batchSize])),
  });
  const parameters = phase.parameters();
  return {
    name: 'question-answering',
    parameters,
    models: [{ ...model, folder: 'model', tensors: new Map(parameters.map(({ name }) => [name, name])), files }],
    phases: [phase],
    losses,
    groupOf: layerwiseGroups(layerRateDecay, model.config.numHiddenLayers),
    metrics: (totals) => {
      const loss = totalLoss(losses, totals);
      const accuracies = losses.map(
        ({ name }) => [`${name}Accuracy`, average(totals, `${name}Correct`, totals.count(name))] as const,
      );
      return { loss, ...Object.fromEntries(accuracies), totalLoss: loss };
    },
  };
}
