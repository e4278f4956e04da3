/** Settings that every training has, resolved: what is learned adds its own. */
import type { Schedule } from './schedule.js';

export interface TrainingSettings {
  /** Seed of all randomness. */
  readonly seed: number;
  /** Go on from the newest whole checkpoint. */
  readonly resume: boolean;
  /** Longest row in tokens: positions beyond it learn nothing. */
  readonly length: number;
  /** Rows of a micro-batch. */
  readonly batchSize: number;
  /** Padded tokens of a micro-batch, at most, where the data are taken by these instead of `batchSize`. */
  readonly batchTokens?: number;
  /** Micro-batches of a step. */
  readonly accumulation: number;
  /** Number of optimizer steps; without it, `timeMs` becomes one. */
  readonly steps?: number;
  /** Time budget as given, and in milliseconds. */
  readonly time?: string;
  readonly timeMs?: number;
  /** With `resume`: further steps, or further time as given and in milliseconds, from where the run stands. */
  readonly moreSteps?: number;
  readonly more?: string;
  readonly moreMs?: number;
  /** Peak learning rate. */
  readonly learningRate: number;
  readonly schedule: Schedule['schedule'];
  /** Exponent of the polynomial schedule. */
  readonly power: number;
  readonly scheduleStyle: 'corrected' | 'reference';
  readonly warmupSteps?: number;
  /** Warm-up as a fraction of all steps. */
  readonly warmupFraction: number;
  readonly weightDecay: number;
  readonly adamBeta1: number;
  readonly adamBeta2: number;
  readonly adamEpsilon: number;
  readonly biasCorrection: 'corrected' | 'reference';
  /** Decay of the average of the weights that is evaluated and exported; 0 or nothing for none. */
  readonly averageDecay?: number;
  /** Greatest norm of all gradients together; 0 for no clipping. */
  readonly clipNorm: number;
  /** Steps between evaluations, checkpoints and log lines. */
  readonly evaluateEvery?: number;
  /** Ends the run after so many evaluations in a row without a better one. */
  readonly patience?: number;
  readonly checkpointEvery?: number;
  readonly logEvery: number;
}

type ScheduleSettings = Pick<TrainingSettings, 'schedule' | 'power' | 'scheduleStyle' | 'learningRate'>;

/** The schedule of a stretch of `totalSteps` steps. */
export function scheduleOf(settings: ScheduleSettings, totalSteps: number, warmupSteps: number): Schedule {
  return {
    schedule: settings.schedule,
    power: settings.power,
    style: settings.scheduleStyle,
    peak: settings.learningRate,
    warmupSteps,
    totalSteps,
  };
}
