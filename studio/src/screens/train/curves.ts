/** What a run's events have to say as curves: points a step and at each evaluation, and bands of them. Pure; knows no page. */
import type { TrainingEvent } from '../../../../src/training/events.js';

/** Averages since the point before. */
export interface StepPoint {
  readonly step: number;
  readonly generatorLoss?: number;
  readonly discriminatorLoss?: number;
}

/** On held-out text. */
export interface EvaluationPoint {
  readonly step: number;
  readonly generatorLoss?: number;
  readonly discriminatorLoss?: number;
  readonly auc?: number;
  /** What the frequencies of words alone reach, nats a token. */
  readonly frequencies?: number;
  /** H(r): what a discriminator that tells nothing apart loses. */
  readonly entropy?: number;
}

export interface Curves {
  readonly steps: readonly StepPoint[];
  readonly evaluations: readonly EvaluationPoint[];
  readonly step: number;
  readonly totalSteps?: number;
  readonly engine?: string;
  readonly parameters?: number;
  /** Training time so far. */
  readonly elapsedMs: number;
  readonly tokensPerSecond?: number;
}

export const NO_CURVES: Curves = { steps: [], evaluations: [], step: 0, elapsedMs: 0 };

export function withEvents(curves: Curves, events: readonly TrainingEvent[]): Curves {
  if (events.length === 0) return curves;
  const steps = [...curves.steps];
  const evaluations = [...curves.evaluations];
  let rest: Omit<Curves, 'steps' | 'evaluations'> = curves;
  for (const event of events) {
    if (event.type === 'started') {
      const { engine, numParameters, step, totalSteps = rest.totalSteps } = event;
      // What a checkpoint does not know happens again.
      keepUpTo(steps, step);
      keepUpTo(evaluations, step);
      rest = { ...rest, engine, parameters: numParameters, step, totalSteps };
    } else if (event.type === 'planned' || event.type === 'extended') {
      rest = { ...rest, totalSteps: event.totalSteps };
    } else if (event.type === 'step') {
      steps.push(stepPoint(event.step, event.losses));
      const { step, elapsedMs, tokensPerSecond, totalSteps = rest.totalSteps } = event;
      rest = { ...rest, step, elapsedMs, tokensPerSecond, totalSteps };
    } else if (event.type === 'evaluation') {
      evaluations.push(evaluationPoint(event.step, event.metrics));
    }
  }
  return { ...rest, steps, evaluations };
}

function keepUpTo(points: { readonly step: number }[], step: number): void {
  while (points.length > 0 && points[points.length - 1].step > step) points.pop();
}

type Metrics = Readonly<Record<string, number | undefined>>;

function stepPoint(step: number, losses: Metrics): StepPoint {
  return defined({ step, generatorLoss: losses.mlmLoss, discriminatorLoss: losses.discLoss });
}

function evaluationPoint(step: number, metrics: Metrics): EvaluationPoint {
  return defined({
    step,
    generatorLoss: metrics.generatorLoss ?? metrics.mlmLoss,
    discriminatorLoss: metrics.discriminatorLoss,
    auc: metrics.rtdAuc,
    frequencies: metrics.unigramCrossEntropy,
    entropy: metrics.replacedEntropy,
  });
}

function defined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;
}

/** Of many points near each other: their mean, with the least and the most. A band hides nothing, as smoothing would. */
export interface BandPoint {
  readonly x: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
}

/** Points gathered into columns of equal width on a logarithmic axis. */
export function bandsOf(points: readonly { readonly x: number; readonly y: number }[], columns: number): BandPoint[] {
  if (points.length === 0) return [];
  const [first, last] = [Math.log(points[0].x), Math.log(points[points.length - 1].x)];
  const width = (last - first) / columns || 1;
  const bands: { x: number; sum: number; count: number; min: number; max: number }[] = [];
  let column = -1;
  for (const { x, y } of points) {
    const own = Math.min(columns - 1, Math.floor((Math.log(x) - first) / width));
    if (own !== column) bands.push({ x, sum: 0, count: 0, min: y, max: y });
    column = own;
    const band = bands[bands.length - 1];
    band.x = x;
    band.sum += y;
    band.count++;
    band.min = Math.min(band.min, y);
    band.max = Math.max(band.max, y);
  }
  return bands.map(({ x, sum, count, min, max }) => ({ x, mean: sum / count, min, max }));
}

/** Steps that remain, as a time; undefined until the pace is known. */
export function remainingMs({ step, totalSteps, elapsedMs }: Curves): number | undefined {
  if (totalSteps === undefined || step < 5) return undefined;
  return ((totalSteps - step) * elapsedMs) / step;
}
