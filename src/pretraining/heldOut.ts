/** Evaluation on held-out text: the same batches, masks and draws each time, so that two evaluations can be compared. */
import { ALONE, type Collective } from '../collective/collective.js';
import type { MaskedBatch } from '../data/maskedBatch.js';
import type { Program } from '../engine/engine.js';
import { defined } from '../training/defined.js';
import {
  batchesOfRank,
  EVALUATION_SEED,
  EVALUATION_STEP,
  type Evaluation,
  gatherMeters,
} from '../training/evaluation.js';
import { LossMeter, meterLayout } from '../training/lossMeter.js';
import type { LossTotals, Objective, Phase } from '../training/objective.js';
import { countTokens } from '../training/stepFeeds.js';
import {
  bits,
  detects,
  discShare,
  type HeldOutMetrics,
  precisionAndRecall,
  pretrainingMetrics,
  replacedEntropy,
  rocAuc,
} from './metrics.js';

/** Held-out text with its masks drawn, always the same. */
export interface HeldOutData {
  /** How many batches there are. */
  readonly numBatches: number;
  /** Rows of each batch but the last, which may have fewer. */
  readonly batchSize: number;
  batch(index: number): MaskedBatch | Promise<MaskedBatch>;
  /** Of the held-out text under its own frequencies, in nats. */
  readonly unigramEntropy: number;
  /**
   * Nats: what knowing the frequencies of the training text alone costs on the held-out text, see `unigramCrossEntropy`
   * of data/unigram.ts. Undefined where there is no training text.
   */
  readonly unigramCrossEntropy?: number;
  /** Share that the most frequent token of the training text has in the held-out text: the accuracy of that predictor. */
  readonly unigramAccuracy: number;
}

/** What an evaluation needs to know of an objective. */
export type EvaluatedObjective = Pick<Objective<MaskedBatch>, 'losses' | 'counters'>;

/** The result of one batch. */
interface BatchResult {
  readonly meter: LossMeter;
  /** Logit and label of every token that is no padding, where the objective detects replaced tokens. */
  readonly detections?: { readonly logits: readonly number[]; readonly labels: readonly number[] };
}

/** Evaluates on held-out text; the lowest total loss is the best. */
export function heldOutEvaluation(
  objective: EvaluatedObjective,
  data: HeldOutData,
  maxBatches: number,
): Evaluation<MaskedBatch> {
  return {
    numBatches: Math.min(maxBatches, data.numBatches),
    async evaluate(program, phase, collective) {
      const metrics = await evaluateHeldOut(program, phase, data, { maxBatches, objective, collective });
      return { metrics, score: metrics.totalLoss, better: 'lower' };
    },
    complete: (result) => ({
      ...result,
      metrics: defined({ unigramCrossEntropy: data.unigramCrossEntropy, ...result.metrics }),
    }),
  };
}

/**
 * Evaluates a phase's model.
 * @param program     the compiled `phase.evaluationGraph()`
 * @param maxBatches  at most so many batches, the first ones
 * @param collective  the ranks that take turns with the batches; all of them get the same metrics, which are those of one
 *                    rank, bit for bit, as far as the ranks compute a batch alike
 */
export async function evaluateHeldOut(
  program: Program,
  phase: Phase<MaskedBatch>,
  data: HeldOutData,
  {
    maxBatches,
    objective,
    collective = ALONE,
  }: { maxBatches: number; objective: EvaluatedObjective; collective?: Collective },
): Promise<HeldOutMetrics> {
  const layout = meterLayout(objective);
  const numBatches = Math.min(maxBatches, data.numBatches);
  const own = new Map<number, BatchResult>();
  for (const index of batchesOfRank(numBatches, collective)) {
    own.set(index, await evaluateBatch(program, phase, data, index, new LossMeter(layout)));
  }
  const ownMeters = new Map([...own].map(([index, { meter }]) => [index, meter]));
  const meters = await gatherMeters(collective, layout, numBatches, ownMeters);
  const meter = new LossMeter(layout);
  for (const each of meters) meter.merge(each);
  const auc = detects(meter) ? await gatherAuc(collective, meters, own) : undefined;
  return heldOutMetrics(meter, auc, data, objective);
}

async function evaluateBatch(
  program: Program,
  phase: Phase<MaskedBatch>,
  data: HeldOutData,
  index: number,
  meter: LossMeter,
): Promise<BatchResult> {
  const batch = await data.batch(index);
  const draw = { seed: EVALUATION_SEED, step: EVALUATION_STEP, firstRow: index * data.batchSize };
  const outputs = await program.run(phase.feeds(batch, draw));
  meter.add(outputs, phase.counts(batch), countTokens(batch));
  const { discLogits, isReplaced } = outputs;
  if (!discLogits || !isReplaced) return { meter };
  const tokens = Array.from(batch.attentionMask.keys()).filter((i) => batch.attentionMask[i] === 1);
  return {
    meter,
    detections: { logits: tokens.map((i) => discLogits.data[i]), labels: tokens.map((i) => isReplaced.data[i]) },
  };
}

/** The area over the tokens of all batches, in whatever rank's hands they are. */
async function gatherAuc(
  collective: Collective,
  meters: readonly LossMeter[],
  own: ReadonlyMap<number, BatchResult>,
): Promise<number | undefined> {
  const tokens = meters.reduce((sum, meter) => sum + meter.tokens, 0);
  const both = new Float32Array(2 * tokens); // logits, then labels
  let start = 0;
  for (const [index, meter] of meters.entries()) {
    const detections = own.get(index)?.detections;
    if (detections) {
      both.set(detections.logits, start);
      both.set(detections.labels, tokens + start);
    }
    start += meter.tokens;
  }
  await collective.allReduce(both);
  return rocAuc(both.subarray(0, tokens), both.subarray(tokens));
}

function heldOutMetrics(
  totals: LossTotals,
  auc: number | undefined,
  { unigramEntropy, unigramCrossEntropy }: HeldOutData,
  { losses: specs }: EvaluatedObjective,
): HeldOutMetrics {
  const { mlmLoss, mlmAccuracy, mlmBits: _, discLoss, discAccuracy, ...others } = pretrainingMetrics(specs, totals);
  const { sboLoss, sboAccuracy, sboBits, nspLoss, nspAccuracy, ...rest } = others;
  const { precision, recall } = precisionAndRecall(totals);
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
    replacedEntropy: replacedEntropy(totals),
    rtdAuc: auc,
    rtdPrecision: precision,
    rtdRecall: recall,
  };
  const losses =
    discLoss === undefined
      ? mlm(mlmLoss, mlmAccuracy)
      : {
          ...generator,
          ...(detects(totals) ? detection : { ...mlm(discLoss, discAccuracy), mlmShare: discShare(totals) }),
        };
  return defined({
    ...losses,
    sboLoss,
    sboAccuracy,
    sboPerplexity: exponential(sboLoss),
    sboBits,
    nspLoss,
    nspAccuracy,
    unigramCrossEntropy,
    unigramEntropy,
    ...rest,
  });
}

function exponential(loss: number | undefined): number | undefined {
  return loss === undefined ? undefined : Math.exp(loss);
}
