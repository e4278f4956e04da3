/** Learning rates as pure functions of the step: what a resumed run computes is what the uninterrupted one computed. */

export type ScheduleName = 'linear' | 'cosine' | 'polynomial' | 'constant';

export interface Schedule {
  readonly schedule: ScheduleName;
  /** Exponent of the polynomial decay; 1 is linear. */
  readonly power: number;
  /**
   * `corrected`: warm-up from peak/warmupSteps to the peak, then decay over the remaining steps.
   * `reference`: both at once, rate(0) = 0, as in google-research/electra model/optimization.py; the peak is never reached.
   */
  readonly style: 'corrected' | 'reference';
  readonly peak: number;
  readonly warmupSteps: number;
  readonly totalSteps: number;
}

/** What is left of the peak after a fraction `progress` (0..1) of the decay. */
function decay(progress: number, { schedule, power }: Schedule): number {
  const left = Math.min(1, Math.max(0, 1 - progress));
  switch (schedule) {
    case 'linear':
      return left;
    case 'polynomial':
      return left ** power;
    case 'cosine':
      return (1 - Math.cos(Math.PI * left)) / 2;
    case 'constant':
      return 1;
  }
}

/**
 * The learning rate of a step.
 * @param step  from 0
 */
export function learningRateAt(step: number, schedule: Schedule): number {
  const { style, peak, warmupSteps, totalSteps } = schedule;
  if (style === 'reference') {
    // lr₀ · (1 − t/T)^power · min(1, t/warmup)
    const warmup = warmupSteps > 0 ? Math.min(1, step / warmupSteps) : 1;
    return peak * decay(step / totalSteps, schedule) * warmup;
  }
  if (step < warmupSteps) return (peak * (step + 1)) / warmupSteps;
  return peak * decay((step - warmupSteps) / Math.max(1, totalSteps - warmupSteps), schedule);
}

/** The longest warm-up that a fraction asks for: the published runs of up to 4 million steps all warmed up for 10 000. */
const LONGEST_WARMUP = 10_000;

/** Steps of warm-up: as given, or a fraction of all steps. */
export function warmupStepsOf(
  totalSteps: number,
  { warmupSteps, warmupFraction }: { warmupSteps?: number; warmupFraction: number },
): number {
  return warmupSteps ?? Math.min(LONGEST_WARMUP, Math.round(warmupFraction * totalSteps));
}
