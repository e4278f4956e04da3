/** Evaluation on held-out text: the same batches, masks and draws each time, so that two evaluations can be compared. */
import { ALONE, type Collective } from '../collective/collective.js';
import type { Program } from '../engine/engine.js';
import { bits, defined, type HeldOutMetrics, LossMeter, rocAuc } from './metrics.js';
import type { LossWeights, MaskedBatch, ObjectivePhase } from './objective.js';
import { countTokens } from './stepFeeds.js';

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

/** The step whose draws evaluation uses: no training step is ever numbered so. */
export const EVALUATION_STEP = 0xffffffff;
/** Evaluation draws with a seed of its own, so that runs of different seeds are asked the same questions. */
export const EVALUATION_SEED = 0;

/** What a batch's run has told. */
interface BatchResult {
  readonly meter: LossMeter;
  /** Logit and label of every token that is no padding, where the objective detects replaced tokens. */
  readonly detections?: { readonly logits: readonly number[]; readonly labels: readonly number[] };
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
  phase: ObjectivePhase,
  data: HeldOutData,
  { maxBatches, weights, collective = ALONE }: { maxBatches: number; weights: LossWeights; collective?: Collective },
): Promise<HeldOutMetrics> {
  const numBatches = Math.min(maxBatches, data.numBatches);
  const own = new Map<number, BatchResult>();
  for (let index = collective.rank; index < numBatches; index += collective.size) {
    own.set(index, await evaluateBatch(program, phase, data, index));
  }
  const meters = await gatherMeters(collective, numBatches, own);
  const meter = new LossMeter();
  for (const each of meters) meter.merge(each);
  const auc = meter.detects ? await gatherAuc(collective, meters, own) : undefined;
  return heldOutMetrics(meter, auc, data, weights);
}

async function evaluateBatch(
  program: Program,
  phase: ObjectivePhase,
  data: HeldOutData,
  index: number,
): Promise<BatchResult> {
  const batch = await data.batch(index);
  const draw = { seed: EVALUATION_SEED, step: EVALUATION_STEP, firstRow: index * data.batchSize };
  const outputs = await program.run(phase.feeds(batch, draw));
  const meter = new LossMeter();
  meter.add(outputs, phase.counts(batch), countTokens(batch));
  const { discLogits, isReplaced } = outputs;
  if (!discLogits || !isReplaced) return { meter };
  const tokens = Array.from(batch.attentionMask.keys()).filter((i) => batch.attentionMask[i] === 1);
  return {
    meter,
    detections: { logits: tokens.map((i) => discLogits.data[i]), labels: tokens.map((i) => isReplaced.data[i]) },
  };
}

/** The meter of every batch, in the order of batches: each rank fills in its own lines of one table of zeros. */
async function gatherMeters(
  collective: Collective,
  numBatches: number,
  own: ReadonlyMap<number, BatchResult>,
): Promise<LossMeter[]> {
  const width = new LossMeter().totals.length;
  const table = new Float64Array(numBatches * width);
  for (const [index, { meter }] of own) table.set(meter.totals, index * width);
  await collective.allReduce(table);
  return Array.from({ length: numBatches }, (_, index) =>
    LossMeter.of(table.subarray(index * width, (index + 1) * width)),
  );
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
  meter: LossMeter,
  auc: number | undefined,
  { unigramEntropy, unigramCrossEntropy }: HeldOutData,
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
      : {
          ...generator,
          ...(meter.detects ? detection : { ...mlm(discLoss, discAccuracy), mlmShare: meter.discShare }),
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
    replacedRate: rest.replacedRate,
    totalLoss: rest.totalLoss,
  });
}

function exponential(loss: number | undefined): number | undefined {
  return loss === undefined ? undefined : Math.exp(loss);
}
