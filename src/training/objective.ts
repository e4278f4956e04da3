/**
 * What is trained, as the trainer sees it: parameters, graphs, the tensors to feed for a batch, and what is measured.
 * Pre-training objectives and fine-tuning tasks both make one.
 *
 * Losses leave a graph as sums with their counts, and enter the total scaled by fed factors: gradients accumulated over
 * micro-batches and ranks are then weighed by tokens (or rows), not by batches.
 */
import type { ModelDescription } from '../checkpoint/modelFolder.js';
import type { Tensors } from '../engine/engine.js';
import type { Graph } from '../graph/graph.js';
import type { ParameterSpec } from '../nn/parameters.js';
import type { ParameterGroup } from './parameterGroup.js';

export type { Initializer, ParameterSpec } from '../nn/parameters.js';

/** What every batch of token rows has; rows are of one length. */
export interface TokenBatch {
  readonly batchSize: number;
  readonly length: number;
  /** 1 for a token, 0 for padding, [B·S]. */
  readonly attentionMask: Int32Array;
}

/**
 * Where the draws of a micro-batch come from. Each row has draws of its own, so that a row gets the same proposals and
 * dropout however the rows of a step are divided into micro-batches and among ranks.
 */
export interface DrawKey {
  readonly seed: number;
  readonly step: number;
  /** Number of the batch's first row among all rows of the step. */
  readonly firstRow: number;
  /** How much of the run is done, 0 to 1; 0 while nobody knows. Evaluation has none: it asks what the end of the run asks. */
  readonly progress?: number;
}

export interface LossSpec {
  readonly name: string;
  /** What it is averaged over. */
  readonly per: 'token' | 'row';
  /** Its weight in the total. */
  readonly weight: number;
}

/** Over how many tokens or rows each loss is taken, by its name. */
export type LossCounts = Readonly<Record<string, number>>;

/** Counts of several micro-batches or ranks together. */
export function addCounts(a: LossCounts, b: LossCounts): LossCounts {
  const sums: Record<string, number> = { ...a };
  for (const [name, count] of Object.entries(b)) sums[name] = (sums[name] ?? 0) + count;
  return sums;
}

/** Figures by name, such as `mlmLoss`; what there is nothing to say of is left out. */
export type Metrics = Readonly<Record<string, number | undefined>>;

/** What was added up over micro-batches, batches or ranks. */
export interface LossTotals {
  /** A scalar output of the graphs, added up; undefined when the phase has none of that name. */
  sum(name: string): number | undefined;
  /** Over how many tokens or rows a loss was taken. */
  count(loss: string): number;
  /** Tokens, padding left out. */
  readonly tokens: number;
}

export interface Phase<B extends TokenBatch = TokenBatch> {
  readonly name: string;
  /** Which share of all steps this phase takes; shares sum to 1. */
  readonly share: number;
  /** Whether a parameter is trained in this phase. */
  trains(name: string): boolean;
  /** Parameters to copy when the phase begins, [from, to]. */
  readonly copies: readonly (readonly [string, string])[];
  /**
   * Forward and backward. State: the parameters by name. Updates: `gradient:<name>` of every trained parameter, set, or
   * added to what is there when `accumulate`.
   * Scalar outputs, all sums over the micro-batch: `<loss>LossSum` and `<loss>Correct` of the losses, and the counters.
   */
  trainingGraph(options: { accumulate: boolean }): Graph;
  /** Forward only, no dropout. The same outputs, and whatever else the evaluation reads. */
  evaluationGraph(): Graph;
  counts(batch: B): LossCounts;
  /**
   * @param total  the counts of the whole global batch, whose reciprocals scale the losses; evaluation passes none
   */
  feeds(batch: B, draw: DrawKey, total?: LossCounts): Tensors;
}

/** A model that a run leaves behind, in Hugging Face layout. */
export interface ModelExport extends ModelDescription {
  /** Name of its folder: `generator`, `discriminator`, or `model` where there is one alone. */
  readonly folder: string;
  /** Published tensor name → parameter; a shared parameter stands in several models. */
  readonly tensors: ReadonlyMap<string, string>;
  /** Published tensor name → the two parameters whose sum it is. */
  readonly sums?: ReadonlyMap<string, readonly [string, string]>;
  /** What else is kept in its folder: texts by file name. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface Objective<B extends TokenBatch = TokenBatch> {
  readonly name: string;
  readonly parameters: readonly ParameterSpec[];
  readonly models: readonly ModelExport[];
  readonly phases: readonly Phase<B>[];
  readonly losses: readonly LossSpec[];
  /** Decay and learning rate by parameter. Default: biases and layer norms do not decay, all have one rate. */
  groupOf?(name: string): ParameterGroup;
  /** Scalar outputs that are added up beside those of the losses. */
  readonly counters?: readonly string[];
  /** What is reported of a stretch of training; see `lossMetrics` for what is usual. Always has `totalLoss`. */
  metrics(totals: LossTotals): Metrics & { readonly totalLoss: number };
}

/** A sum over how many there were; undefined when there is no such sum, or nothing was counted. */
export function average(totals: LossTotals, sum: string, count: number): number | undefined {
  const value = totals.sum(sum);
  return value === undefined || count === 0 ? undefined : value / count;
}

/**
 * What is minimised: the sum of all losses times their weights. A lone loss is minimised as it is: weights say how several
 * are balanced.
 */
export function totalLoss(losses: readonly LossSpec[], totals: LossTotals): number {
  const means = losses.flatMap(({ name, weight }) => {
    const mean = average(totals, `${name}LossSum`, totals.count(name));
    return mean === undefined ? [] : [{ mean, weight }];
  });
  if (means.length === 1) return means[0].mean;
  return means.length === 0 ? Number.NaN : means.reduce((sum, { mean, weight }) => sum + weight * mean, 0);
}

/** `<loss>Loss` and `<loss>Accuracy` of each loss that there is, and `totalLoss`. */
export function lossMetrics(
  losses: readonly LossSpec[],
  totals: LossTotals,
): Record<string, number> & { totalLoss: number } {
  const each = losses.flatMap(({ name }) => [
    [`${name}Loss`, average(totals, `${name}LossSum`, totals.count(name))] as const,
    [`${name}Accuracy`, average(totals, `${name}Correct`, totals.count(name))] as const,
  ]);
  const known = each.filter(([, value]) => value !== undefined) as [string, number][];
  return { ...Object.fromEntries(known), totalLoss: totalLoss(losses, totals) };
}
