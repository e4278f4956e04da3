/** An objective over masked batches, with the metrics of pre-training. */
import type { MaskedBatch } from '../data/maskedBatch.js';
import type { Objective } from '../training/objective.js';
import { lossesOf, pretrainingMetrics } from './metrics.js';

export type PretrainingObjective = Objective<MaskedBatch>;

/** @param lossWeights  what each loss counts in the total */
export function pretrainingObjective({
  lossWeights,
  ...parts
}: Omit<PretrainingObjective, 'losses' | 'metrics'> & {
  readonly lossWeights: Readonly<Record<string, number>>;
}): PretrainingObjective {
  const losses = lossesOf(lossWeights);
  return { ...parts, losses, metrics: (totals) => pretrainingMetrics(losses, totals) };
}
