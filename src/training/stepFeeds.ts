/** The inputs of whole steps, made ahead while the engine works on the step before. */
import { sumOverRanks } from '../collective/agreement.js';
import { ALONE, type Collective } from '../collective/collective.js';
import type { Tensors } from '../engine/engine.js';
import { addCounts, type LossCounts, type Phase, type TokenBatch } from './objective.js';
import { firstRowOf, type StepShare } from './stepShare.js';

/**
 * Batches as a pure function of the position, so that nothing need be remembered to resume. What changes over a run (how many
 * rows, how long, how much is masked) is a function of the step and of the number of all steps, as the learning rate is.
 */
export interface TrainingData<B extends TokenBatch = TokenBatch> {
  /**
   * @param microBatch  0 to microBatches − 1 of this rank's share of the step
   * @param totalSteps  of the whole run; infinite while nobody knows
   */
  batch(step: number, microBatch: number, totalSteps?: number): B | Promise<B>;
  /** How a step is divided, where its rows are not those of `batchSize` and `accumulation`, or not always. */
  division?(step: number, totalSteps: number): StepDivision;
  /** What a step costs at a point of the run, 0 to 1, beside the dearest. Default: all steps cost the same. */
  cost?(progress: number): number;
  /** Tokens in a row of a step, where that changes over the run: positions beyond have learned nothing by then. */
  length?(step: number, totalSteps: number): number;
}

/** What this rank computes of a step. */
export interface StepDivision {
  /** At least one, on each rank as many. */
  readonly microBatches: number;
  /** The number of a micro-batch's first row among the rows that all ranks have of the step. */
  firstRow(microBatch: number): number;
}

/** Equal parts of `batchSize` rows. */
export function equalDivision(share: StepShare): StepDivision {
  return { microBatches: share.microBatches, firstRow: (microBatch) => firstRowOf(share, microBatch) };
}

export interface StepInputs<B extends TokenBatch = TokenBatch> {
  readonly step: number;
  /** Of the whole run; infinite while nobody knows. */
  readonly totalSteps: number;
  readonly phase: Phase<B>;
  readonly division: StepDivision;
  readonly batches: readonly B[];
  /** Of each micro-batch. */
  readonly counts: readonly LossCounts[];
  /** Of the whole step on all ranks: what each loss is divided by, so that tokens and not micro-batches weigh alike. */
  readonly total: LossCounts;
  /** Tokens of each micro-batch, padding left out. */
  readonly tokens: readonly number[];
}

/** Tokens of a batch, padding left out. */
export function countTokens({ attentionMask }: TokenBatch): number {
  return attentionMask.reduce((ones, one) => ones + one, 0);
}

export async function makeStepInputs<B extends TokenBatch>(
  data: TrainingData<B>,
  phase: Phase<B>,
  {
    step,
    division,
    totalSteps = Number.POSITIVE_INFINITY,
    collective = ALONE,
  }: { step: number; division: StepDivision; totalSteps?: number; collective?: Collective },
): Promise<StepInputs<B>> {
  const batches: B[] = [];
  for (let index = 0; index < division.microBatches; index++) batches.push(await data.batch(step, index, totalSteps));
  const counts = batches.map((batch) => phase.counts(batch));
  const total = await countsOverRanks(collective, counts.reduce(addCounts));
  return { step, totalSteps, phase, division, batches, counts, total, tokens: batches.map(countTokens) };
}

/** A phase has the same losses on every rank, in the same order. */
async function countsOverRanks(collective: Collective, own: LossCounts): Promise<LossCounts> {
  const sums = await sumOverRanks(collective, Object.values(own));
  return Object.fromEntries(Object.keys(own).map((loss, i) => [loss, sums[i]]));
}

/** The tensors of one micro-batch. Made one ahead and no more: with dropout masks they are as large as activations. */
export function microBatchFeeds<B extends TokenBatch>(inputs: StepInputs<B>, index: number, seed: number): Tensors {
  const { phase, batches, step, totalSteps, division, total } = inputs;
  const draw = { seed, step, firstRow: division.firstRow(index), progress: step / totalSteps };
  return phase.feeds(batches[index], draw, total);
}
