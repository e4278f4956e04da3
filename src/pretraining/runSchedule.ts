/**
 * What changes over a run of pre-training: how much is masked, how many rows a step has and how long they are. All of it is a
 * function of the step and of the number of all steps, as the learning rate is, so that a resumed run sees the same.
 */
import type { LengthStage } from './scheduleSettings.js';

export interface RunScheduleSettings {
  readonly maskProb: number;
  readonly maskProbEnd?: number;
  readonly length: number;
  readonly lengthStages?: readonly LengthStage[];
  readonly batchSize: number;
  readonly accumulation: number;
  readonly accumulationStart?: number;
  readonly accumulationRamp: number;
}

/** What a step is. */
export interface StepShape {
  /** Index of the stage. */
  readonly stage: number;
  /** Tokens in a row. */
  readonly length: number;
  /** Rows of a micro-batch, as many as have the tokens of `batchSize` rows of the longest. */
  readonly batchSize: number;
  /** Micro-batches. */
  readonly accumulation: number;
}

/** Mask rates are multiples of this: each makes batches of a shape of its own, which an engine plans once. */
const MASK_STEP = 0.005;

/** How much of the run is done before a step, 0 to 1; 0 while nobody knows how long it is. */
export function progressAt(step: number, totalSteps: number): number {
  return Math.min(1, step / totalSteps);
}

/**
 * The fraction of tokens that is masked: in a straight line from `maskProb` to `maskProbEnd` over the run ("Dynamic Masking
 * Rate Schedules for MLM Pretraining", arXiv 2305.15096).
 */
export function maskProbAt({ maskProb, maskProbEnd = maskProb }: RunScheduleSettings, progress: number): number {
  if (maskProbEnd === maskProb) return maskProb;
  const steps = Math.round((progress * (maskProbEnd - maskProb)) / MASK_STEP);
  return Number((maskProb + steps * MASK_STEP).toFixed(6));
}

/** Stages with where each begins in the run, 0 to 1; of a run without stages, the only one. */
export function stagesOf({ lengthStages, length }: Pick<RunScheduleSettings, 'lengthStages' | 'length'>) {
  const stages = lengthStages ?? [{ length, share: 1 }];
  let start = 0;
  return stages.map((stage) => {
    const begins = start;
    start += stage.share;
    return { length: stage.length, begins };
  });
}

/** Rows of a micro-batch at a length: the same tokens as `batchSize` rows of the longest. */
export function rowsAt({ batchSize, length: longest }: RunScheduleSettings, length: number): number {
  return Math.max(1, Math.round((batchSize * longest) / length));
}

/** Micro-batches of a step: in a straight line from `accumulationStart` to `accumulation`, which is reached at `accumulationRamp`. */
export function accumulationAt(
  { accumulation, accumulationStart = accumulation, accumulationRamp }: RunScheduleSettings,
  progress: number,
): number {
  const done = accumulationRamp > 0 ? Math.min(1, progress / accumulationRamp) : 1;
  return Math.round(accumulationStart + done * (accumulation - accumulationStart));
}

export function shapeAt(settings: RunScheduleSettings, step: number, totalSteps: number): StepShape {
  const stages = stagesOf(settings);
  const progress = progressAt(step, totalSteps);
  const stage = stages.findLastIndex(({ begins }) => progress >= begins);
  const { length } = stages[stage];
  return { stage, length, batchSize: rowsAt(settings, length), accumulation: accumulationAt(settings, progress) };
}

/** Whether rows or their number change over the run. */
export function changesShape({ lengthStages, accumulationStart, accumulation }: RunScheduleSettings): boolean {
  return (
    (lengthStages !== undefined && lengthStages.length > 1) || (accumulationStart ?? accumulation) !== accumulation
  );
}

/** Where the rows of a step begin among all rows of its stage: those of the stage's earlier steps come before. */
export class RowPositions {
  readonly #begins: number[] = [0];
  #totalSteps = Number.NaN;

  constructor(private readonly settings: RunScheduleSettings) {}

  at(step: number, totalSteps: number): number {
    if (this.#totalSteps !== totalSteps) this.#begins.length = 1;
    this.#totalSteps = totalSteps;
    let shape = shapeAt(this.settings, this.#begins.length - 1, totalSteps);
    while (this.#begins.length <= step) {
      const next = shapeAt(this.settings, this.#begins.length, totalSteps);
      const rows = shape.batchSize * shape.accumulation;
      this.#begins.push(next.stage === shape.stage ? this.#begins[this.#begins.length - 1] + rows : 0);
      shape = next;
    }
    return this.#begins[step];
  }
}
