/** How many steps a run has, which phase a step is in, and what is due when. */

import { median } from './median.js';
import type { Phase } from './objective.js';
import { learningRateAt, warmupStepsOf } from './schedule.js';
import { scheduleOf, type TrainingSettings } from './trainingSettings.js';

export interface PhaseSpan {
  readonly index: number;
  readonly start: number;
  readonly end: number;
}

/** The steps of each phase: shares of the whole, rounded at the boundaries. */
export function phaseSpans(phases: readonly Pick<Phase, 'share'>[], totalSteps: number): PhaseSpan[] {
  let share = 0;
  let start = 0;
  return phases.map((phase, index) => {
    share += phase.share;
    const end = index === phases.length - 1 ? totalSteps : Math.round(share * totalSteps);
    const span = { index, start, end };
    start = end;
    return span;
  });
}

/** The phase that a run is in, which it never goes back from. */
export interface EnteredPhase {
  readonly phase: number;
  /** The step that it began with, where the number of all steps has changed since. */
  readonly phaseStart?: number;
}

/** The phase that a step belongs to. */
export function phaseOf(step: number, spans: readonly PhaseSpan[], entered: EnteredPhase = { phase: 0 }): PhaseSpan {
  const span = spans.find(({ end }) => step < end) ?? spans.at(-1)!;
  const { phase, phaseStart } = entered;
  if (span.index > phase) return span;
  const { start, end } = spans[phase];
  return { index: phase, start: phaseStart ?? start, end };
}

/**
 * Stands in for the number of steps while a time budget is being measured: long enough that a warm-up by fraction is
 * still gentle then.
 */
const PROVISIONAL_STEPS = 2000;

type ScheduleSettings = Parameters<typeof scheduleOf>[0] & Pick<TrainingSettings, 'warmupSteps' | 'warmupFraction'>;

/**
 * The learning rate of a step: a pure function of the settings and of the recorded number of steps. Each phase has a
 * warm-up and a decay of its own.
 */
export function plannedLearningRate(
  step: number,
  totalSteps: number | undefined,
  settings: ScheduleSettings,
  phases: readonly Pick<Phase, 'share'>[],
  entered?: EnteredPhase,
): number {
  const { start, end } = phaseOf(step, phaseSpans(phases, totalSteps ?? PROVISIONAL_STEPS), entered);
  const steps = end - start;
  return learningRateAt(step - start, scheduleOf(settings, steps, Math.min(steps, warmupStepsOf(steps, settings))));
}

/** Steps between evaluations or checkpoints: as set, or a tenth of the run and at most 1000; never while unknown. */
export function intervalOf(set: number | undefined, totalSteps: number | undefined): number {
  if (set !== undefined) return set;
  return totalSteps === undefined ? Number.POSITIVE_INFINITY : Math.min(1000, Math.max(1, Math.ceil(totalSteps / 10)));
}

/** A time budget becomes a number of steps after this many steps and this share of the budget … */
const TIMED_STEPS = 20;
const LEAST_TIMED_SHARE = 0.05;
/** … or after this share, when steps are slow. */
const TIMED_SHARE = 0.1;
/** What an evaluation batch takes of a step's time: no backward pass, no update. */
const EVALUATION_COST = 0.4;

/** Points of a run at which its steps' costs are looked at. */
const COST_POINTS = 256;

/** Turns a wall-clock budget into a number of steps, once. */
export class TimeBudget {
  readonly #durations: number[] = [];

  readonly #sinceMs: number;
  readonly #costOf: (progress: number) => number;

  /**
   * @param timeMs   the budget, from the beginning of the run
   * @param sinceMs  how much of it was used when measuring began, in a run that was given more
   * @param costOf   what a step costs at a point of the run, 0 to 1, beside the dearest
   */
  constructor(
    private readonly settings: Pick<TrainingSettings, 'accumulation' | 'evaluateEvery'>,
    private readonly timeMs = 0,
    { sinceMs = 0, costOf = () => 1 }: { sinceMs?: number; costOf?: (progress: number) => number } = {},
  ) {
    this.#sinceMs = sinceMs;
    this.#costOf = costOf;
  }

  /** @param progress  the point of the run at which the step was */
  add(stepMs: number, progress = 0): void {
    this.#durations.push(stepMs / this.#costOf(progress));
  }

  /**
   * The number of steps that fits, when enough were timed.
   * @param step       steps done
   * @param elapsedMs  time used by them
   */
  plan(
    step: number,
    elapsedMs: number,
    evaluationBatches: number,
  ): { totalSteps: number; millisecondsPerStep: number } | undefined {
    const { timeMs } = this;
    const sinceMs = this.#sinceMs;
    const { accumulation, evaluateEvery } = this.settings;
    const timed = this.#durations.length;
    const share = timed < TIMED_STEPS ? TIMED_SHARE : LEAST_TIMED_SHARE;
    if (timed === 0 || elapsedMs - sinceMs < share * (timeMs - sinceMs)) return undefined;
    const millisecondsPerStep = median(this.#durations.slice(Math.floor(timed / 2))); // the first ones still warm up
    const evaluationMs = (millisecondsPerStep / accumulation) * EVALUATION_COST * evaluationBatches;
    const remaining = Math.max(0, timeMs - elapsedMs - evaluationMs); // one evaluation at the end
    const withoutEvaluations = remaining / millisecondsPerStep;
    const steps = evaluateEvery
      ? remaining / (millisecondsPerStep + evaluationMs / evaluateEvery)
      : withoutEvaluations - (10 * evaluationMs) / millisecondsPerStep;
    // Never less than half of the time for training, however dear evaluations are.
    const dearest = Math.max(steps, withoutEvaluations / 2);
    return { totalSteps: step + this.#stepsOfCost(step, dearest), millisecondsPerStep };
  }

  /** How many more steps cost as much as so many of the dearest; at least one. */
  #stepsOfCost(step: number, dearest: number): number {
    const costOfAll = (more: number) => {
      const begins = step / (step + more);
      const points = Array.from({ length: COST_POINTS }, (_, i) => begins + ((1 - begins) * (i + 0.5)) / COST_POINTS);
      return (more * points.reduce((sum, point) => sum + this.#costOf(point), 0)) / COST_POINTS;
    };
    let [low, high] = [0, Math.max(1, dearest)];
    if (costOfAll(high) >= dearest) return Math.max(1, Math.floor(dearest));
    while (costOfAll(high) < dearest) high *= 2;
    while (high - low > 0.5) {
      const middle = (low + high) / 2;
      if (costOfAll(middle) < dearest) low = middle;
      else high = middle;
    }
    return Math.max(1, Math.floor(low));
  }
}
