/** Evaluation on held-out text: the same batches, masks and draws each time, so that two evaluations can be compared. */
import type { Program } from '../engine/engine.js';
import type { LossWeights, MaskedBatch, ObjectivePhase } from '../objectives/objective.js';
import { bits, defined, type HeldOutMetrics, LossMeter, rocAuc } from './metrics.js';
import { countTokens } from './stepFeeds.js';

/** Held-out text with its masks drawn, always the same. */
export interface HeldOutData {
  /** How many batches there are. */
  readonly numBatches: number;
  batch(index: number): MaskedBatch | Promise<MaskedBatch>;
  /** Of the held-out text, in nats: the loss of the best predictor that looks at no context. */
  readonly unigramEntropy: number;
  /** Share of its most frequent token: the accuracy of that predictor. */
  readonly unigramAccuracy: number;
}

/** The step whose draws evaluation uses: no training step is ever numbered so. */
export const EVALUATION_STEP = 0xffffffff;
/** Evaluation draws with a seed of its own, so that runs of different seeds are asked the same questions. */
export const EVALUATION_SEED = 0;

/** Logits and labels of all tokens that are no padding. */
class Detections {
  readonly #logits: Float32Array[] = [];
  readonly #labels: Float32Array[] = [];

  add(logits: ArrayLike<number>, labels: ArrayLike<number>, attentionMask: Int32Array): void {
    const keep = Array.from(attentionMask.keys()).filter((i) => attentionMask[i] === 1);
    this.#logits.push(Float32Array.from(keep, (i) => logits[i]));
    this.#labels.push(Float32Array.from(keep, (i) => labels[i]));
  }
  auc(): number | undefined {
    return rocAuc(concatenate(this.#logits), concatenate(this.#labels));
  }
}

function concatenate(pieces: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(pieces.reduce((total, piece) => total + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/**
 * Evaluates a phase's model.
 * @param program     the compiled `phase.evaluationGraph()`
 * @param maxBatches  at most so many batches, the first ones
 */
export async function evaluateHeldOut(
  program: Program,
  phase: ObjectivePhase,
  data: HeldOutData,
  { maxBatches, weights }: { maxBatches: number; weights: LossWeights },
): Promise<HeldOutMetrics> {
  const meter = new LossMeter();
  const detections = new Detections();
  let sees = false;
  for (let index = 0; index < Math.min(maxBatches, data.numBatches); index++) {
    const batch = await data.batch(index);
    const outputs = await program.run(phase.feeds(batch, { seed: EVALUATION_SEED, step: EVALUATION_STEP, index }));
    meter.add(outputs, phase.counts(batch), countTokens(batch));
    const { discLogits, isReplaced } = outputs;
    if (discLogits && isReplaced) {
      sees = true;
      detections.add(discLogits.data, isReplaced.data, batch.attentionMask);
    }
  }
  return heldOutMetrics(meter, sees ? detections.auc() : undefined, data.unigramEntropy, weights);
}

function heldOutMetrics(
  meter: LossMeter,
  auc: number | undefined,
  unigramEntropy: number,
  weights: LossWeights,
): HeldOutMetrics {
  const { mlmLoss, mlmAccuracy, discLoss, discAccuracy, sboLoss, sboAccuracy, sboBits, nspLoss, nspAccuracy, ...rest } =
    meter.metrics(weights);
  const { precision, recall } = meter.precisionAndRecall();
  const generator = {
    generatorLoss: mlmLoss,
    generatorAccuracy: mlmAccuracy,
    generatorPerplexity: exponential(mlmLoss),
  };
  const mlm = (loss?: number, accuracy?: number) => ({
    mlmLoss: loss,
    mlmAccuracy: accuracy,
    mlmPerplexity: exponential(loss),
    mlmBits: bits(loss),
  });
  const detection = {
    discriminatorLoss: discLoss,
    replacedEntropy: meter.replacedEntropy,
    rtdAuc: auc,
    rtdPrecision: precision,
    rtdRecall: recall,
  };
  const losses =
    discLoss === undefined
      ? mlm(mlmLoss, mlmAccuracy)
      : { ...generator, ...(meter.detects ? detection : mlm(discLoss, discAccuracy)) };
  return defined({
    ...losses,
    sboLoss,
    sboAccuracy,
    sboPerplexity: exponential(sboLoss),
    sboBits,
    nspLoss,
    nspAccuracy,
    unigramEntropy,
    replacedRate: rest.replacedRate,
    totalLoss: rest.totalLoss,
  });
}

function exponential(loss: number | undefined): number | undefined {
  return loss === undefined ? undefined : Math.exp(loss);
}
