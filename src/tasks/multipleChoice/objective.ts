/**
 * Fine-tuning for multiple choice: the head gives each row one logit, and the softmax is over the rows of a question.
 *
 *   L = mean over questions of −log softmax_c(z_c)[answer]
 */
import type { ModelDescription } from '../../checkpoint/modelFolder.js';
import { float32Tensor, int32Tensor } from '../../engine/tensors.js';
import type { Node } from '../../graph/graph.js';
import { type EncoderInputs, encoderInputs } from '../../models/encoder.js';
import { ParameterScope } from '../../nn/parameters.js';
import type { BatchFormat } from '../../training/graphPhase.js';
import type { Objective } from '../../training/objective.js';
import { predictionLoss } from '../../training/predictionLoss.js';
import { headObjective } from '../headObjective.js';
import { encoderFeeds, tokenSizes } from '../tokenRows.js';
import type { ChoiceBatch } from './batches.js';

const QUESTIONS = 'questions';

interface ChoiceInputs {
  readonly encoder: EncoderInputs;
  /** Row of each choice, int32 [Q, C]: the graph cannot know that there are Q·C rows. */
  readonly choiceRows: Node;
  /** float32 [Q, C] */
  readonly choiceBias: Node;
  /** int32 [Q] */
  readonly labels: Node;
  /** float32 [Q] */
  readonly weights: Node;
}

const batchFormat = (numChoices: number): BatchFormat<ChoiceBatch, ChoiceInputs> => ({
  declare: (g) => ({
    encoder: encoderInputs(new ParameterScope(g)),
    choiceRows: g.input('choiceRows', 'int32', [QUESTIONS, numChoices]),
    choiceBias: g.input('choiceBias', 'float32', [QUESTIONS, numChoices]),
    labels: g.input('labels', 'int32', [QUESTIONS]),
    weights: g.input('rowWeights', 'float32', [QUESTIONS]),
  }),
  feeds: (batch) => ({
    ...encoderFeeds(batch),
    choiceRows: int32Tensor(
      Int32Array.from({ length: batch.batchSize }, (_, row) => row),
      [batch.numQuestions, numChoices],
    ),
    choiceBias: float32Tensor(batch.choiceBias, [batch.numQuestions, numChoices]),
    labels: int32Tensor(batch.answers),
    rowWeights: float32Tensor(new Float32Array(batch.numQuestions).fill(1)),
  }),
  sizes: (batch) => tokenSizes(batch).set(QUESTIONS, batch.numQuestions),
});

/**
 * @param model       the encoder with its head of multiple choice
 * @param numChoices  the most that a question has
 */
export function choiceObjective(
  model: ModelDescription,
  { numChoices, layerRateDecay }: { numChoices: number; layerRateDecay: number },
): Objective<ChoiceBatch> {
  return headObjective({
    name: 'multiple-choice',
    model,
    format: batchFormat(numChoices),
    loss: 'label',
    build(g, { logits: ofRows }, { choiceRows, choiceBias, labels, weights }) {
      const ofChoices = g.reshape(g.gather(ofRows, choiceRows), [QUESTIONS, numChoices]); // [B, 1] → [Q, C]
      const logits = g.add(ofChoices, choiceBias);
      g.output('logits', logits);
      return predictionLoss(g, 'label', logits, { labels, weights });
    },
    counts: ({ numQuestions }) => ({ label: numQuestions }),
    rowsOfExample: numChoices,
    layerRateDecay,
  });
}
