/** What fine-tuned encoders reached, as a table and as curves over the number of labels. */
import { spreadOf } from '../src/tasks/spread.js';
import { type Dot, dotChartSvg } from './dotChart.js';
import { chartsSvg, type LineChart } from './lineChart.js';
import { TRANSFER_TASKS, type TransferTask } from './transferTasks.js';

export const TRANSFER_STARTS = ['pretrained', 'random'] as const;
/** Chosen by the search of docs/results.md. */
export const TRANSFER_LEARNING_RATE = 1e-4;

export interface TransferRunKey {
  /** The encoder's name. */
  readonly from: string;
  readonly task: string;
  /** Training rows; 0 is all. */
  readonly rows: number;
  readonly learningRate: number;
  readonly start: (typeof TRANSFER_STARTS)[number];
  readonly seed: number;
}

export interface TransferRun extends TransferRunKey {
  /** Rows that were learned from. */
  readonly trainRows: number;
  readonly steps: number;
  readonly elapsedMs: number;
  /** On the dev rows, with those of the baselines. */
  readonly metrics: Readonly<Record<string, number | undefined>>;
}

/** Runs that differ by their seed alone. */
interface Cell {
  readonly task: TransferTask;
  readonly rows: number;
  readonly learningRate: number;
  readonly runs: Readonly<Record<TransferRunKey['start'], readonly TransferRun[]>>;
}

/** In the order of the tasks, then by rows and rate. */
export function cellsOf(runs: readonly TransferRun[]): Cell[] {
  return TRANSFER_TASKS.flatMap((task) => {
    const own = runs.filter((run) => run.task === task.name);
    const keys = new Map(own.map(({ rows, learningRate }) => [`${rows}/${learningRate}`, { rows, learningRate }]));
    const size = (rows: number) => (rows === 0 ? Number.POSITIVE_INFINITY : rows);
    return [...keys.values()]
      .sort((a, b) => size(a.rows) - size(b.rows) || a.learningRate - b.learningRate)
      .map(({ rows, learningRate }) => {
        const of = (start: TransferRunKey['start']) =>
          own.filter((run) => run.start === start && run.rows === rows && run.learningRate === learningRate);
        return { task, rows, learningRate, runs: { pretrained: of('pretrained'), random: of('random') } };
      });
  });
}

/**
 * Whether one start is better than the other by more than the spread: the difference of the means exceeds the sum of the
 * standard deviations. Undefined with fewer than two runs of each.
 */
export function winsBySpread(better: readonly number[], other: readonly number[]): boolean | undefined {
  if (better.length < 2 || other.length < 2) return undefined;
  const [a, b] = [spreadOf(better), spreadOf(other)];
  return a.mean - b.mean > a.std + b.std;
}

const HEADER = ['task', 'metric', 'labels', 'rate', 'pretrained', 'random', 'more than the spread', 'costs nothing'];

/** A Markdown table: mean ± standard deviation over seeds, in hundredths, and the number of seeds where it is not 3. */
export function transferTable(runs: readonly TransferRun[]): string {
  const lines = cellsOf(runs).map((cell) => {
    const { task, rows, learningRate } = cell;
    const [pretrained, random] = TRANSFER_STARTS.map((start) => scoresOf(cell, start));
    const wins = winsBySpread(pretrained, random);
    return [
      task.name,
      task.metric,
      rows === 0 ? 'all' : rows.toLocaleString('en'),
      String(learningRate),
      inWords(pretrained),
      inWords(random),
      wins === undefined ? '–' : wins ? 'yes' : 'no',
      baselinesInWords(cell),
    ];
  });
  return [HEADER, HEADER.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function scoresOf({ task, runs }: Cell, start: TransferRunKey['start']): number[] {
  return runs[start].map(({ metrics }) => metrics[task.metric] ?? Number.NaN);
}

function inWords(scores: readonly number[]): string {
  if (scores.length === 0) return '–';
  const { mean, std } = spreadOf(scores);
  if (scores.length === 1) return `${hundredths(mean)} (1 seed)`;
  return `${hundredths(mean)} ± ${hundredths(std)}${scores.length === 3 ? '' : ` (${scores.length} seeds)`}`;
}

function baselinesInWords({ task, runs }: Cell): string {
  const [first] = [...runs.pretrained, ...runs.random];
  const words = Object.entries(task.baselines).flatMap(([metric, name]) => {
    const value = first?.metrics[metric];
    return value === undefined ? [] : [`${name} ${hundredths(value)}`];
  });
  return words.length === 0 ? '–' : words.join(', ');
}

const hundredths = (value: number) => (100 * value).toFixed(1);

/** Scores over the number of labels, of each task that was measured at several, at the usual rate; undefined where none was. */
export function learningCurves(runs: readonly TransferRun[]): string | undefined {
  const cells = cellsOf(runs).filter(({ learningRate }) => learningRate === TRANSFER_LEARNING_RATE);
  const charts = TRANSFER_TASKS.flatMap((task): LineChart[] => {
    const own = cells.filter((cell) => cell.task === task);
    if (own.length < 2) return [];
    const series = TRANSFER_STARTS.map((start) => ({
      name: start,
      points: own.flatMap((cell): [number, number][] => {
        const [first] = cell.runs[start];
        return first ? [[Math.log10(first.trainRows), 100 * spreadOf(scoresOf(cell, start)).mean]] : [];
      }),
    }));
    return [{ title: task.name, xLabel: 'labels, as a power of ten', yLabel: task.metric, series }];
  });
  return charts.length === 0 ? undefined : chartsSvg(charts);
}

/** Scores of all tasks at one number of labels: a row a task, random weights, pretrained ones and what costs nothing. */
export function taskPicture(runs: readonly TransferRun[], rows: number): string {
  const cells = cellsOf(runs).filter((cell) => cell.rows === rows && cell.learningRate === TRANSFER_LEARNING_RATE);
  return dotChartSvg({
    title: `${rows === 0 ? 'all' : rows.toLocaleString('en')} labels`,
    xLabel: 'score on the dev rows, in hundredths; bars are standard deviations over seeds',
    series: [...TRANSFER_STARTS, 'costs nothing'],
    rows: cells.map((cell) => ({
      name: `${cell.task.name}, ${cell.task.metric}`,
      dots: [...TRANSFER_STARTS.map((start) => dotOf(scoresOf(cell, start))), dotOf(bestBaseline(cell))],
    })),
  });
}

function dotOf(scores: readonly number[]): Dot | undefined {
  if (scores.length === 0) return undefined;
  const { mean, std } = spreadOf(scores);
  return { value: 100 * mean, deviation: 100 * std };
}

/** None or one. */
function bestBaseline({ task, runs }: Cell): number[] {
  const [first] = [...runs.pretrained, ...runs.random];
  const scores = Object.keys(task.baselines).flatMap((metric) => first?.metrics[metric] ?? []);
  return scores.length === 0 ? [] : [Math.max(...scores)];
}
