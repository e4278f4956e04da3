/** What arms reached at equal time, as lines of a file, a table and a picture. */
import { spreadOf } from '../../src/tasks/spread.js';
import { type Dot, dotChartSvg } from '../dotChart.js';
import { winsBySpread } from '../transferTable.js';
import { TRANSFER_TASKS } from '../transferTasks.js';
import { ARM_NAMES, ARM_TASKS, ARMS, type ArmName, type ArmTask } from './armSettings.js';

/** What was pre-trained: for so long, from one seed. */
export interface ArmKey {
  readonly arm: ArmName;
  /** Minutes that the arm has, the training of its generator included. */
  readonly budget: number;
  readonly seed: number;
}

export interface ArmTraining extends ArmKey {
  readonly kind: 'training';
  /** As they turned out. */
  readonly minutes: number;
  /** Of these, those in which the generator was trained. */
  readonly generatorMinutes?: number;
  readonly steps: number;
  readonly tokens: number;
  /** On held-out text, at the end. */
  readonly metrics: Readonly<Record<string, number | undefined>>;
}

/** An encoder after fine-tuning; without an arm, the same network from random weights. */
export interface ArmScore {
  readonly kind: 'score';
  readonly arm: ArmName | 'none';
  /** 0 without an arm. */
  readonly budget: number;
  readonly seed: number;
  readonly task: ArmTask;
  readonly fineTuningSeed: number;
  readonly steps: number;
  readonly elapsedMs: number;
  readonly metrics: Readonly<Record<string, number | undefined>>;
}

export type ArmLine = ArmTraining | ArmScore;

const taskOf = (name: ArmTask) => TRANSFER_TASKS.find((task) => task.name === name)!;

/** By the metric of the task. */
function scoresOf(lines: readonly ArmLine[], arm: ArmScore['arm'], task: ArmTask): number[] {
  return lines
    .filter((line) => line.kind === 'score')
    .filter((line) => line.arm === arm && line.task === task)
    .map(({ metrics }) => metrics[taskOf(task).metric] ?? Number.NaN);
}

/** The best of what costs nothing, measured beside the first run of the task; undefined where there is none. */
function bestBaseline(lines: readonly ArmLine[], task: ArmTask): number | undefined {
  const run = lines.find((line) => line.kind === 'score' && line.task === task);
  const scores = Object.keys(taskOf(task).baselines).flatMap((metric) => run?.metrics[metric] ?? []);
  return scores.length === 0 ? undefined : Math.max(...scores);
}

/** A Markdown table: mean ± standard deviation over the runs of a task, in hundredths; † where random weights are beaten by more than the spread. */
export function armsTable(lines: readonly ArmLine[]): string {
  const header = ['arm', 'minutes', 'steps', 'M tokens', ...ARM_TASKS.map((task) => `${task}, ${taskOf(task).metric}`)];
  const random = new Map(ARM_TASKS.map((task) => [task, scoresOf(lines, 'none', task)]));
  const arms = ARM_NAMES.flatMap((arm) => {
    const trainings = lines.filter((line) => line.kind === 'training').filter((line) => line.arm === arm);
    if (trainings.length === 0) return [];
    const scores = ARM_TASKS.map((task) => {
      const own = scoresOf(lines, arm, task);
      return `${inWords(own)}${winsBySpread(own, random.get(task)!) ? ' †' : ''}`;
    });
    return [[ARMS[arm].title, ...costOf(trainings), ...scores]];
  });
  const none = ['*random weights*', '0', '–', '–', ...ARM_TASKS.map((task) => inWords(random.get(task)!))];
  const free = ARM_TASKS.map((task) => bestBaseline(lines, task));
  const nothing = [
    '*what costs nothing*',
    '0',
    '–',
    '–',
    ...free.map((score) => (score === undefined ? '–' : hundredths(score))),
  ];
  const rows = [header, header.map(() => '---'), ...arms, none, nothing];
  return [
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
    '',
    '† above random weights by more than the sum of both standard deviations.',
  ].join('\n');
}

function costOf(trainings: readonly ArmTraining[]): string[] {
  const mean = (of: (training: ArmTraining) => number) => spreadOf(trainings.map(of)).mean;
  const ofGenerator = mean(({ generatorMinutes = 0 }) => generatorMinutes);
  const minutes = mean((training) => training.minutes).toFixed(1);
  return [
    ofGenerator > 0 ? `${minutes}, of these ${ofGenerator.toFixed(1)} for the generator` : minutes,
    Math.round(mean(({ steps }) => steps)).toLocaleString('en'),
    mean(({ tokens }) => tokens / 1e6).toFixed(1),
  ];
}

function inWords(scores: readonly number[]): string {
  if (scores.length === 0) return '–';
  const { mean, std } = spreadOf(scores);
  return scores.length === 1 ? `${hundredths(mean)} (1 run)` : `${hundredths(mean)} ± ${hundredths(std)}`;
}

const hundredths = (value: number) => (100 * value).toFixed(1);

/** A line an arm, a dot a task. */
export function armsPicture(lines: readonly ArmLine[]): string {
  const arms = ARM_NAMES.filter((arm) => lines.some((line) => line.kind === 'score' && line.arm === arm));
  return dotChartSvg({
    title: 'Fine-tuned after pre-training for the same time',
    xLabel: 'score on the dev rows, in hundredths; bars are standard deviations over runs',
    series: ARM_TASKS.map((task) => `${task}, ${taskOf(task).metric}`),
    rows: [
      ...arms.map((arm) => ({
        name: ARMS[arm].title,
        dots: ARM_TASKS.map((task) => dotOf(scoresOf(lines, arm, task))),
      })),
      { name: 'random weights', dots: ARM_TASKS.map((task) => dotOf(scoresOf(lines, 'none', task))) },
      {
        name: 'what costs nothing',
        dots: ARM_TASKS.map((task) => dotOf([bestBaseline(lines, task) ?? []].flat())),
      },
    ],
  });
}

function dotOf(scores: readonly number[]): Dot | undefined {
  if (scores.length === 0) return undefined;
  const { mean, std } = spreadOf(scores);
  return { value: 100 * mean, deviation: 100 * std };
}
