/** What the main encoder learns of the corrupted text: replaced-token detection (paper §2) and its comparisons (§3.4). */
import type { GraphBuilder, Node } from '../graph/graph.js';
import { maskedLmHead, replacedTokenHead } from '../models/electra.js';
import { MASKED } from '../models/vocabularyHead.js';
import { BATCH, LENGTH, linear, TOKENS } from '../nn/layers.js';
import type { Initializer } from '../nn/parameters.js';
import { type ElectraBuild, encodeHalf, maskedLmLogits, scopes, slotLoss } from './electraGraph.js';

/**
 * Builds a loss as a sum, naming it and its counters as outputs.
 * @param corrupted   int32 [T]
 * @param isReplaced  where that differs from the text, float32 [T]
 */
export type MainLoss = (build: ElectraBuild, corrupted: Node, isReplaced: Node) => Node;

/** Binary cross entropy from logits: softplus(z) − z·label. */
function binaryCrossEntropy(g: GraphBuilder, logits: Node, labels: Node): Node {
  return g.sub(g.softplus(logits), g.mul(logits, labels));
}

/** L_Disc over all tokens. */
export const discriminatorLoss: MainLoss = (build, corrupted, isReplaced) => {
  const losses = detectionLosses(build, corrupted, isReplaced);
  return named(build, build.g.reduceSum(build.g.mul(losses, build.inputs.attentionMask)));
};

/** L_Disc over the masked slots alone (ELECTRA 15 %, paper §3.4). */
export const slotDiscriminatorLoss: MainLoss = (build, corrupted, isReplaced) => {
  const { g, inputs } = build;
  const losses = g.reshape(detectionLosses(build, corrupted, isReplaced), [TOKENS, 1]);
  const atSlots = g.reshape(g.gather(losses, inputs.slots.positions), [MASKED]);
  return named(build, g.reduceSum(g.mul(atSlots, inputs.slots.weights)));
};

/** Each token at the slots is predicted from the corrupted text (Replace MLM, paper §3.4). */
export const replacedSlotLoss: MainLoss = (build, corrupted) =>
  slotLoss(build, maskedLmLogits(build, 'discriminator', corrupted, build.config.discriminator), 'disc');

function named({ g }: ElectraBuild, sum: Node): Node {
  g.output('discLossSum', sum);
  return sum;
}

/** The discriminator's loss of each token, [T], and what is counted of its answers. */
function detectionLosses(build: ElectraBuild, corrupted: Node, isReplaced: Node): Node {
  const { g, config, inputs } = build;
  const hidden = encodeHalf(build, 'discriminator', corrupted, config.discriminator);
  const logits = replacedTokenHead(
    build.root.within('discriminator'),
    hidden,
    config.discriminator,
    lastLayerStart(build),
  ); // [T]
  const predicted = g.cast(g.less(g.scalar(0), logits), 'float32');
  const all = inputs.attentionMask;
  const total = (x: Node) => g.reduceSum(g.mul(x, all));
  g.output('predictedPositives', total(predicted));
  g.output('truePositives', total(g.mul(predicted, isReplaced)));
  g.output('discCorrect', total(g.cast(g.equal(predicted, isReplaced), 'float32')));
  g.output('discLogits', g.reshape(logits, [BATCH, LENGTH]));
  g.output('isReplaced', g.reshape(isReplaced, [BATCH, LENGTH]));
  return binaryCrossEntropy(g, logits, isReplaced);
}

/**
 * All-tokens MLM (paper §3.4): every token is predicted from the corrupted text, with a gate that copies the input,
 *   p(x_t) = c_t·[x_t = x^corrupt_t] + (1 − c_t)·softmax(z_t)[x_t],  c_t = σ(w·h_t + b).
 */
export const allTokensLoss: MainLoss = (build, corrupted, isReplaced) => {
  const { g, config, inputs } = build;
  const hidden = encodeHalf(build, 'discriminator', corrupted, config.discriminator);
  const { own, embeddings } = scopes(build, 'discriminator');
  const gate = g.reshape(linear(own.within('copy_gate'), hidden, 1), [TOKENS]); // logit of c
  const crossEntropy = g.softmaxCrossEntropy(
    maskedLmHead(own, embeddings, hidden, config.discriminator),
    inputs.inputIds,
  );
  // Replaced: −log((1−c)·p) = softplus(gate) + CE, which cannot underflow. Kept: −log(c + (1−c)·p).
  const replaced = g.add(g.softplus(gate), crossEntropy);
  const copy = g.sigmoid(gate);
  const probability = g.add(copy, g.mul(g.sub(g.scalar(1), copy), g.exp(g.neg(crossEntropy))));
  const kept = g.neg(g.log(g.add(probability, g.scalar(1e-30))));
  const losses = g.where(g.less(g.scalar(0.5), isReplaced), replaced, kept);
  return named(build, g.reduceSum(g.mul(losses, inputs.attentionMask)));
};

function lastLayerStart({ config }: ElectraBuild): Initializer {
  return config.initialization === 'reference' ? 'glorotUniform' : 'truncatedNormal';
}
