/** The inputs of whole steps, made ahead while the engine works on the step before. */
import { sumOverRanks } from '../collective/agreement.js';
import { ALONE, type Collective } from '../collective/collective.js';
import type { Tensors } from '../engine/engine.js';
import { addCounts, type LossCounts, type Phase, type TokenBatch } from './objective.js';
import { firstRowOf, type StepShare } from './stepShare.js';

/** Batches as a pure function of the position, so that nothing need be remembered to resume. */
export interface TrainingData<B extends TokenBatch = TokenBatch> {
  /** @param microBatch  0 to microBatches − 1 of this rank's share of the step */
  batch(step: number, microBatch: number): B | Promise<B>;
  /** How a step is divided, where its rows are not those of `batchSize`. */
  readonly division?: StepDivision;
}

/** What this rank computes of each step. */
export interface StepDivision {
  /** At least one, the same for every step. */
  readonly microBatches: number;
  /** The number of a micro-batch's first row among the rows that all ranks have of the step. */
  firstRow(step: number, microBatch: number): number;
}

/** Equal parts of `batchSize` rows. */
export function equalDivision(share: StepShare): StepDivision {
  return { microBatches: share.microBatches, firstRow: (_, microBatch) => firstRowOf(share, microBatch) };
}

export interface StepInputs<B extends TokenBatch = TokenBatch> {
  readonly step: number;
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
  { step, division, collective = ALONE }: { step: number; division: StepDivision; collective?: Collective },
): Promise<StepInputs<B>> {
  const batches: B[] = [];
  for (let index = 0; index < division.microBatches; index++) batches.push(await data.batch(step, index));
  const counts = batches.map((batch) => phase.counts(batch));
  const total = await countsOverRanks(collective, counts.reduce(addCounts));
  return { step, phase, division, batches, counts, total, tokens: batches.map(countTokens) };
}

/** A phase has the same losses on every rank, in the same order. */
async function countsOverRanks(collective: Collective, own: LossCounts): Promise<LossCounts> {
  const sums = await sumOverRanks(collective, Object.values(own));
  return Object.fromEntries(Object.keys(own).map((loss, i) => [loss, sums[i]]));
}

/** The tensors of one micro-batch. Made one ahead and no more: with dropout masks they are as large as activations. */
export function microBatchFeeds<B extends TokenBatch>(inputs: StepInputs<B>, index: number, seed: number): Tensors {
  const { phase, batches, step, division, total } = inputs;
  return phase.feeds(batches[index], { seed, step, firstRow: division.firstRow(step, index) }, total);
}
