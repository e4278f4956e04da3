/** Evaluation: what a trainer asks now and then, and whose score decides which checkpoint is the best. */
import { ALONE, type Collective } from '../collective/collective.js';
import type { Program } from '../engine/engine.js';
import { LossMeter, type MeterLayout } from './lossMeter.js';
import type { Metrics, Phase, TokenBatch } from './objective.js';

export interface EvaluationResult {
  readonly metrics: Metrics;
  /** What the best checkpoint is chosen by. */
  readonly score: number;
  readonly better: 'lower' | 'higher';
  /** What was fitted on the data, for the folders of the models: texts by file name, over those of `ModelExport`. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface Evaluation<B extends TokenBatch = TokenBatch> {
  /** Batches that one evaluation runs: what it costs. */
  readonly numBatches: number;
  /**
   * @param program     the compiled `phase.evaluationGraph()`
   * @param collective  the ranks that take turns with the batches; all of them get the same result
   */
  evaluate(program: Program, phase: Phase<B>, collective?: Collective): Promise<EvaluationResult>;
  /** A result from an earlier version with what was not measured then, where that is known without running anything. */
  complete?(result: EvaluationResult): EvaluationResult;
}

/** Whether a result is better than an earlier one. */
export function isBetter(now: EvaluationResult, before: Pick<EvaluationResult, 'score'>): boolean {
  return now.better === 'lower' ? now.score < before.score : now.score > before.score;
}

/** What a checkpoint is judged by. */
interface JudgedCheckpoint {
  readonly progress: { readonly phase: number };
  readonly evaluation?: EvaluationResult;
}

/** A better score; or of a later phase, whose score is another; or nobody was ever evaluated. */
export function isBetterCheckpoint({ progress, evaluation }: JudgedCheckpoint, best: JudgedCheckpoint): boolean {
  if (!evaluation) return !best.evaluation;
  if (!best.evaluation || progress.phase > best.progress.phase) return true;
  return isBetter(evaluation, best.evaluation);
}

/** The step whose draws evaluation uses: no training step is ever numbered so. */
export const EVALUATION_STEP = 0xffffffff;
/** Evaluation draws with a seed of its own, so that runs of different seeds are asked the same questions. */
export const EVALUATION_SEED = 0;

/** The numbers of the batches that a rank computes: they take turns. */
export function batchesOfRank(numBatches: number, { rank, size }: Collective = ALONE): number[] {
  return Array.from({ length: numBatches }, (_, index) => index).filter((index) => index % size === rank);
}

/** The meter of every batch, in the order of batches: each rank fills in its own lines of one table of zeros. */
export async function gatherMeters(
  collective: Collective,
  layout: MeterLayout,
  numBatches: number,
  own: ReadonlyMap<number, LossMeter>,
): Promise<LossMeter[]> {
  const width = new LossMeter(layout).totals.length;
  const table = new Float64Array(numBatches * width);
  for (const [index, meter] of own) table.set(meter.totals, index * width);
  await collective.allReduce(table);
  return Array.from({ length: numBatches }, (_, index) =>
    LossMeter.of(layout, table.subarray(index * width, (index + 1) * width)),
  );
}
