/** Watches a run for the ways in which training goes wrong, and says what to do. It never changes the run. */
import { settingName } from '../settings/settingNames.js';
import type { WarningEvent } from './events.js';
import type { Metrics } from './objective.js';

/** Loss counts as rising when its average is this much above its lowest value. */
const RISE = 1.3;
/** The gradient norm counts as exploding when its average is this many times its lowest. */
const NORM_EXPLOSION = 20;
/** Weight of a new value in the running averages. */
const SMOOTHING = 0.05;
/** Steps that the averages need to mean something. */
const SETTLING_STEPS = 50;

/** Before this share of the run a model may still be finding its feet. */
const LATE = 0.3;

/** Something that an evaluation late in the run shows to be wrong. */
export type HealthNotice = Pick<WarningEvent, 'code' | 'message' | 'advice'>;
/** Looks at the metrics of an evaluation. */
export type HealthCheck = (metrics: Metrics) => HealthNotice | undefined;

class RunningLow {
  #average: number | undefined;
  #count = 0;
  #lowest = Number.POSITIVE_INFINITY;

  /** @returns the average over its lowest value so far */
  add(value: number): number {
    this.#average = this.#average === undefined ? value : this.#average + SMOOTHING * (value - this.#average);
    this.#count++;
    if (this.#count < SETTLING_STEPS) return 1;
    this.#lowest = Math.min(this.#lowest, this.#average);
    return this.#lowest > 0 ? this.#average / this.#lowest : 1;
  }
}

/** Gives each kind of warning once, until `reset`. */
export class HealthMonitor {
  readonly #given = new Set<string>();
  #loss = new RunningLow();
  #norm = new RunningLow();

  constructor(private readonly checks: readonly HealthCheck[] = []) {}

  /** After a rollback or a new phase, when losses start elsewhere. */
  reset(): void {
    this.#given.clear();
    this.#loss = new RunningLow();
    this.#norm = new RunningLow();
  }

  step(
    step: number,
    { totalLoss }: { readonly totalLoss: number },
    gradientNorm: number,
    learningRate: number,
  ): WarningEvent[] {
    const lossRatio = this.#loss.add(totalLoss);
    const normRatio = this.#norm.add(gradientNorm);
    const advice = `Use a lower ${settingName('learningRate')} (the rate is ${learningRate.toExponential(1)}; try a third) or a longer warm-up.`;
    if (lossRatio > RISE) {
      const percent = Math.round((lossRatio - 1) * 100);
      return this.#once(
        step,
        'learning-rate-too-high',
        `The loss has risen ${percent} % above its lowest average`,
        advice,
      );
    }
    if (normRatio > NORM_EXPLOSION) {
      const times = Math.round(normRatio);
      return this.#once(
        step,
        'learning-rate-too-high',
        `The gradient norm is ${times} times its lowest average`,
        advice,
      );
    }
    return [];
  }

  /** @param progress  share of the run that is done, 0..1 */
  evaluation(step: number, progress: number, metrics: Metrics): WarningEvent[] {
    if (progress < LATE) return [];
    return this.checks.flatMap((check) => {
      const found = check(metrics);
      return found ? this.#once(step, found.code, found.message, found.advice) : [];
    });
  }

  #once(step: number, code: WarningEvent['code'], message: string, advice: string): WarningEvent[] {
    if (this.#given.has(code)) return [];
    this.#given.add(code);
    return [{ type: 'warning', step, code, message, advice }];
  }
}
