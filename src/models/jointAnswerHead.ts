/**
 * ELECTRA's own head for question answering (google-research/electra, finetune/qa/qa_tasks.py; paper arXiv 2003.10555,
 * appendix B): the end of an answer is predicted given its start, and a classifier says whether there is an answer.
 *
 *   P(s) = softmax_s(w₁·h_s)                                      s over the context and [CLS], which stands for "no answer"
 *   P(e | s) = softmax_e(w₂·GELU(W [h_s; h_e]))
 *   P(no answer) = sigmoid(w₃·GELU(V [h_CLS; Σ_s P(s)·h_s]))
 *
 * Training is told the start; in use the ends of the `BEAM_SIZE` likeliest starts are looked at.
 */
import type { Node } from '../graph/graph.js';
import { BATCH, LENGTH, linear, TOKENS } from '../nn/layers.js';
import type { ParameterScope } from '../nn/parameters.js';
import type { EncoderInputs } from './encoder.js';
import { firstTokens } from './modelGraph.js';

/** Starts whose ends are looked at in use. */
export const BEAM_SIZE = 20;
/** Units of the hidden layers. */
const HIDDEN = 512;
/** What is added to logits of positions that can be no answer: their probability is then exactly 0 in float32. */
const EXCLUDED = -10_000;

export interface JointAnswers {
  /** Float32 [B, S]; at the question and at padding far below all others. */
  readonly startLogits: Node;
  /** Above 0 for "no answer", float32 [B]. */
  readonly noAnswerLogits: Node;
  /**
   * Logits of the end given the start, float32 [B, S].
   * @param starts  int32 [B]
   */
  endLogits(starts: Node): Node;
}

/**
 * @param scope   scope of `qa_start`, `qa_hidden`, `qa_end`, `qa_answerable_hidden` and `qa_answerable`
 * @param hidden  float32 [B·S, H]
 */
export function jointAnswers(scope: ParameterScope, hidden: Node, inputs: EncoderInputs): JointAnswers {
  const g = scope.graph;
  const H = hidden.shape[1] as number;
  const layer = (name: string, x: Node, size: number) => linear(scope.within(name), x, size, 'glorotUniform');
  const excluded = exclusion(scope, inputs); // [B, S]
  const byRow = g.reshape(hidden, [BATCH, LENGTH, H]);
  const startLogits = g.add(g.reshape(layer('qa_start', hidden, 1), [BATCH, LENGTH]), excluded);

  // W [h_s; h_e] = W_s h_s + W_e h_e: the second part is the same for every start.
  const weight = scope.within('qa_hidden').get('weight', [HIDDEN, 2 * H], 'glorotUniform');
  const ofStarts = g.slice(weight, 1, 0, H); // [512, H]
  const ofEnds = g.linear(
    hidden,
    g.slice(weight, 1, H, 2 * H),
    scope.within('qa_hidden').get('bias', [HIDDEN], 'zeros'),
  );
  const endParts = g.reshape(ofEnds, [BATCH, LENGTH, HIDDEN]);
  const endLogits = (starts: Node) => {
    const chosen = g.cast(isAt(scope, starts, inputs), 'float32'); // [B, S]
    const hiddenOfStart = g.reshape(g.matmul(g.reshape(chosen, [BATCH, 1, LENGTH]), byRow), [BATCH, H]);
    const startPart = g.reshape(g.matmul(hiddenOfStart, ofStarts, { transposeB: true }), [BATCH, 1, HIDDEN]);
    const joint = g.reshape(g.gelu(g.add(endParts, startPart)), [TOKENS, HIDDEN]);
    return g.add(g.reshape(layer('qa_end', joint, 1), [BATCH, LENGTH]), excluded);
  };

  const likely = g.reshape(g.softmax(startLogits), [BATCH, 1, LENGTH]);
  const summary = g.reshape(g.matmul(likely, byRow), [BATCH, H]);
  const answerable = g.gelu(
    layer('qa_answerable_hidden', g.concat([firstTokens(g, hidden), summary], 1), HIDDEN), // [B, 512]
  );
  return { startLogits, endLogits, noAnswerLogits: g.reshape(layer('qa_answerable', answerable, 1), [BATCH]) };
}

/** The outputs of the head in use. */
export interface AnswerBeam {
  /** Float32 [B, S]. */
  readonly startLogits: Node;
  /** Positions of the likeliest starts, the best first, float32 [B, K]. Rows of fewer positions repeat some. */
  readonly beamStarts: Node;
  /** Logits of the end given each of them, float32 [B, S, K]. */
  readonly beamEndLogits: Node;
  /** Float32 [B]. */
  readonly noAnswerLogits: Node;
}

/** @param size  of the beam */
export function answerBeam(
  scope: ParameterScope,
  { startLogits, endLogits, noAnswerLogits }: JointAnswers,
  inputs: EncoderInputs,
  size = BEAM_SIZE,
): AnswerBeam {
  const g = scope.graph;
  const starts: Node[] = [];
  const ends: Node[] = [];
  let left = startLogits;
  // One start after another: all at once would hold a hidden layer for every pair of positions.
  for (let k = 0; k < size; k++) {
    const best = g.argMax(left); // [B]
    left = g.where(isAt(scope, best, inputs), g.scalar(Number.NEGATIVE_INFINITY), left);
    starts.push(g.reshape(g.cast(best, 'float32'), [BATCH, 1]));
    ends.push(g.reshape(endLogits(best), [BATCH, LENGTH, 1]));
  }
  return { startLogits, beamStarts: g.concat(starts, 1), beamEndLogits: g.concat(ends, 2), noAnswerLogits };
}

/** Whether a position is that of the row. @param positions  int32 [B]. @returns bool [B, S] */
function isAt({ graph: g }: ParameterScope, positions: Node, { positionIds }: EncoderInputs): Node {
  return g.equal(g.reshape(positions, [BATCH, 1]), g.reshape(positionIds, [1, LENGTH]));
}

/** 0 at the context (segment 1) and at [CLS], the first token; far below at the question and at padding. [B, S] */
function exclusion({ graph: g }: ParameterScope, { tokenTypeIds, positionIds, attentionBias }: EncoderInputs): Node {
  const ofQuestion = g.equal(g.reshape(tokenTypeIds, [BATCH, LENGTH]), g.scalar(0, 'int32'));
  const afterFirst = g.less(g.scalar(0, 'int32'), g.reshape(positionIds, [1, LENGTH]));
  const outside = g.mul(g.cast(ofQuestion, 'float32'), g.cast(afterFirst, 'float32'));
  return g.add(g.mul(outside, g.scalar(EXCLUDED)), g.reshape(attentionBias, [BATCH, LENGTH]));
}
