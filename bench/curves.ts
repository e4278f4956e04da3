/** Training curves of run folders as an SVG picture: losses with their baselines, AUC and replaced rate. */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { DataError } from '../src/errors/errors.js';
import { type HeldOutMetrics, mlmBaseline } from '../src/pretraining/metrics.js';
import type { EvaluationEvent, StepEvent } from '../src/training/events.js';
import { chartsSvg, type LineChart, type Series } from './lineChart.js';

/** The part of a run's log that curves are drawn from. */
export interface RunLog {
  readonly name: string;
  readonly steps: readonly StepEvent[];
  readonly evaluations: readonly EvaluationEvent[];
}

const METRICS_FILE = 'metrics.jsonl';

/** @throws DataError when the folder has no log, or nothing was logged yet */
export function readRunLog(runFolder: string): RunLog {
  const path = join(runFolder, METRICS_FILE);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const advice = 'Give the folder that `pleiad pretrain --out` wrote';
    throw new DataError(`${path} cannot be read: ${(cause as Error).message}`, { subject: path, advice, cause });
  }
  const log = parseRunLog(basename(resolve(runFolder)), text);
  if (log.steps.length + log.evaluations.length === 0) {
    throw new DataError(`${path} holds no step and no evaluation`, {
      subject: path,
      advice: 'Let the run go on first',
    });
  }
  return log;
}

/** @param text  lines of JSON, each an event of the trainer */
export function parseRunLog(name: string, text: string): RunLog {
  const steps: StepEvent[] = [];
  const evaluations: EvaluationEvent[] = [];
  // The last line of a run that was killed may be half a line.
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  for (const line of lines.filter((words) => words !== '')) {
    const event = JSON.parse(line) as { type: string };
    if (event.type === 'step') steps.push(event as StepEvent);
    if (event.type === 'evaluation') evaluations.push(withMetrics(event as LoggedEvaluation));
  }
  return { name, steps, evaluations };
}

/** Earlier logs call the metrics `heldOut`. */
type LoggedEvaluation = EvaluationEvent & { readonly heldOut?: EvaluationEvent['metrics'] };

function withMetrics({ heldOut, ...event }: LoggedEvaluation): EvaluationEvent {
  return heldOut ? { ...event, metrics: heldOut } : event;
}

/** One line of a chart: what it shows of a step or of an evaluation. */
interface Curve {
  readonly label: string;
  readonly ofStep?: (event: StepEvent) => number | undefined;
  readonly ofEvaluation?: (event: EvaluationEvent) => number | undefined;
  readonly dashed?: boolean;
}

interface ChartPlan {
  readonly title: string;
  readonly yLabel: string;
  readonly curves: readonly Curve[];
  readonly yIncludes?: readonly number[];
}

const BASELINE = 'unigram cross-entropy';

/** Logs from before this figure was measured have no baseline. */
function baselineOf(heldOut: Partial<HeldOutMetrics>): number | undefined {
  return heldOut.generatorLoss === undefined ? mlmBaseline(heldOut) : heldOut.unigramCrossEntropy;
}

const CHARTS: readonly ChartPlan[] = [
  {
    title: 'Masked-token loss',
    yLabel: 'nats a masked token',
    curves: [
      { label: 'training', ofStep: ({ losses }) => losses.mlmLoss },
      { label: 'held out', ofEvaluation: ({ metrics }) => metrics.generatorLoss ?? metrics.mlmLoss },
      { label: BASELINE, ofEvaluation: ({ metrics }) => baselineOf(metrics), dashed: true },
    ],
  },
  {
    title: 'Span boundary loss',
    yLabel: 'nats a token of a masked span',
    curves: [
      { label: 'training', ofStep: ({ losses }) => losses.sboLoss },
      { label: 'held out', ofEvaluation: ({ metrics }) => metrics.sboLoss },
      {
        label: BASELINE,
        ofEvaluation: ({ metrics }) => (metrics.sboLoss === undefined ? undefined : metrics.unigramCrossEntropy),
        dashed: true,
      },
    ],
  },
  {
    title: 'Discriminator loss',
    yLabel: 'nats a token',
    curves: [
      { label: 'training', ofStep: ({ losses }) => losses.discLoss },
      { label: 'held out', ofEvaluation: ({ metrics }) => metrics.discriminatorLoss },
      { label: 'entropy of the replaced rate', ofEvaluation: ({ metrics }) => metrics.replacedEntropy, dashed: true },
    ],
  },
  {
    title: 'Replaced-token detection, area under the ROC curve',
    yLabel: 'AUC (0.5 = chance)',
    curves: [{ label: 'held out', ofEvaluation: ({ metrics }) => metrics.rtdAuc }],
    yIncludes: [0.5, 1],
  },
  {
    title: 'Share of tokens that the generator replaced',
    yLabel: 'fraction of tokens',
    curves: [
      { label: 'training', ofStep: ({ losses }) => losses.replacedRate },
      { label: 'held out', ofEvaluation: ({ metrics }) => metrics.replacedRate },
    ],
    yIncludes: [0],
  },
];

/** The charts that the logs have something for; with several runs each curve carries its run's name. */
export function chartsOf(logs: readonly RunLog[]): LineChart[] {
  const steps = logs.flatMap((log) => [...log.steps, ...log.evaluations].map(({ step }) => step));
  const lastStep = steps.reduce((last, step) => Math.max(last, step), 0);
  return CHARTS.map(({ title, yLabel, curves, yIncludes }) => ({
    title,
    yLabel,
    yIncludes,
    xLabel: 'optimizer steps',
    xIncludes: [0, lastStep],
    series: logs.flatMap((log) => curves.flatMap((curve) => seriesOf(log, curve, logs.length > 1))),
  })).filter(({ series }) => series.length > 0);
}

function seriesOf(log: RunLog, { label, ofStep, ofEvaluation, dashed }: Curve, named: boolean): Series[] {
  const points = [
    ...log.steps.map((event) => [event.step, ofStep?.(event)] as const),
    ...log.evaluations.map((event) => [event.step, ofEvaluation?.(event)] as const),
  ].filter((point): point is readonly [number, number] => Number.isFinite(point[1]));
  return points.length === 0 ? [] : [{ name: named ? `${log.name}: ${label}` : label, points, dashed }];
}

/** Draws the curves of runs into one SVG file. @returns the titles of its charts */
export function drawCurves(runFolders: readonly string[], out: string): string[] {
  const charts = chartsOf(runFolders.map(readRunLog));
  writeFileSync(out, chartsSvg(charts));
  return charts.map(({ title }) => title);
}
