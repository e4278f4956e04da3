/** The inputs of whole steps, made ahead while the engine works on the step before. */
import type { Tensors } from '../engine/engine.js';
import { addCounts, type LossCounts, type MaskedBatch, type ObjectivePhase } from '../objectives/objective.js';

/** Training text with its masks drawn: a pure function of the position, so that nothing need be remembered. */
export interface TrainingData {
  /** @param microBatch  0 to accumulation − 1 */
  batch(step: number, microBatch: number): MaskedBatch | Promise<MaskedBatch>;
}

export interface StepInputs {
  readonly step: number;
  readonly phase: ObjectivePhase;
  readonly batches: readonly MaskedBatch[];
  /** Of each micro-batch. */
  readonly counts: readonly LossCounts[];
  /** Of the whole step: what each loss is divided by, so that tokens and not micro-batches weigh alike. */
  readonly total: LossCounts;
  /** Tokens of each micro-batch, padding left out. */
  readonly tokens: readonly number[];
}

/** Tokens of a batch, padding left out. */
export function countTokens({ attentionMask }: MaskedBatch): number {
  return attentionMask.reduce((ones, one) => ones + one, 0);
}

export async function makeStepInputs(
  data: TrainingData,
  phase: ObjectivePhase,
  { step, accumulation }: { step: number; accumulation: number },
): Promise<StepInputs> {
  const batches: MaskedBatch[] = [];
  for (let index = 0; index < accumulation; index++) batches.push(await data.batch(step, index));
  const counts = batches.map((batch) => phase.counts(batch));
  return { step, phase, batches, counts, total: counts.reduce(addCounts), tokens: batches.map(countTokens) };
}

/** The tensors of one micro-batch. Made one ahead and no more: with dropout masks they are as large as activations. */
export function microBatchFeeds({ phase, batches, step, total }: StepInputs, index: number, seed: number): Tensors {
  return phase.feeds(batches[index], { seed, step, index }, total);
}
