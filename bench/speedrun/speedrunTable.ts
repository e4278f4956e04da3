/** What the cells of the speedrun reached when, as a table and as curves, and what of the difference is engine and what recipe. */
import { chartsSvg } from '../lineChart.js';
import type { PairMeasures } from './measure.js';

export const SPEEDRUN_CELLS = ['pleiad-short', 'pleiad-paper', 'torch-short', 'torch-paper'] as const;
export type CellName = (typeof SPEEDRUN_CELLS)[number];

export const CELL_TITLES: Readonly<Record<CellName, string>> = {
  'pleiad-short': 'Pleiad, short recipe',
  'pleiad-paper': "Pleiad, paper's settings",
  'torch-short': 'PyTorch, short recipe',
  'torch-paper': "PyTorch, paper's settings",
};

/** What runs are compared by: those that differ here are not. */
export interface SpeedrunKey {
  readonly cell: CellName;
  /** Minutes of training that the whole run has. */
  readonly budget: number;
  readonly seed: number;
  readonly threads: number;
}

/** A cell, measured after some of its time. */
export interface SpeedrunPoint extends SpeedrunKey, PairMeasures {
  /** The minute at which it was to be measured, of `marksOf`. */
  readonly mark: number;
  /** Minutes of training until then: evaluations, waiting and start-up are not in. */
  readonly minutes: number;
  readonly steps: number;
  readonly tokens: number;
  /** What computed, and in which precision. */
  readonly engine: string;
  /** Cores that other processes kept busy meanwhile; undefined where the system does not say. */
  readonly othersCores?: number;
}

const MARKS = [1, 2, 3, 5, 8, 12, 20, 30, 45, 60, 90, 120, 180];

/** The minutes after which a cell is measured; the last is the whole of its time. */
export function marksOf(budget: number): number[] {
  return [...MARKS.filter((mark) => mark < budget), budget];
}

/** The points of a cell in order of time. */
function curveOf(points: readonly SpeedrunPoint[], cell: CellName): SpeedrunPoint[] {
  return points.filter((point) => point.cell === cell).sort((a, b) => a.minutes - b.minutes);
}

/** A time, or that it was less. */
export interface Reached {
  readonly minutes: number;
  /** The first measurement was below the loss already. */
  readonly atMost: boolean;
}

/**
 * When a loss was reached first, in a straight line between two measurements.
 * @returns undefined when it never was
 */
export function minutesTo(
  curve: readonly Pick<SpeedrunPoint, 'minutes' | 'loss'>[],
  loss: number,
): Reached | undefined {
  const i = curve.findIndex((point) => point.loss <= loss);
  if (i < 0) return undefined;
  if (i === 0) return { minutes: curve[0].minutes, atMost: true };
  const [before, after] = [curve[i - 1], curve[i]];
  const part = (before.loss - loss) / (before.loss - after.loss);
  return { minutes: before.minutes + part * (after.minutes - before.minutes), atMost: false };
}

export interface Comparison {
  /** The lowest loss that all cells reach. */
  readonly loss: number;
  readonly minutes: Readonly<Record<CellName, Reached>>;
  /** Minutes of the paper's settings in PyTorch over those of the short recipe in Pleiad, and what it is a product of. */
  readonly all: number;
  readonly engine: Factor;
  readonly recipe: Factor;
}

/** How many times less, with each of the two others, and the geometric mean of both. */
export interface Factor {
  readonly mean: number;
  readonly both: readonly [number, number];
}

/**
 * The four cells at the lowest loss that all reach. The ways from the slowest corner to the fastest, engine first or recipe first,
 * need not agree; the geometric means of both multiply to the whole.
 * @returns undefined when a cell was not measured
 */
export function compare(points: readonly SpeedrunPoint[]): Comparison | undefined {
  const curves = new Map(SPEEDRUN_CELLS.map((cell) => [cell, curveOf(points, cell)]));
  if ([...curves.values()].some(({ length }) => length === 0)) return undefined;
  const lowest = [...curves.values()].map((curve) => curve.reduce((low, { loss }) => Math.min(low, loss), Infinity));
  const loss = Math.max(...lowest);
  const entries = [...curves].map(([cell, curve]) => [cell, minutesTo(curve, loss)!] as const);
  const minutes = Object.fromEntries(entries) as Record<CellName, Reached>;
  const times = (slow: CellName, fast: CellName) => minutes[slow].minutes / minutes[fast].minutes;
  return {
    loss,
    minutes,
    all: times('torch-paper', 'pleiad-short'),
    engine: factor(times('torch-paper', 'pleiad-paper'), times('torch-short', 'pleiad-short')),
    recipe: factor(times('torch-paper', 'torch-short'), times('pleiad-paper', 'pleiad-short')),
  };
}

function factor(first: number, second: number): Factor {
  return { mean: Math.sqrt(first * second), both: [first, second] };
}

const HEADER = ['cell', 'minutes', 'steps', 'M tokens', 'loss', 'accuracy, %', 'AUC', 'minutes to the common loss'];

/** A Markdown table of the last points, and a few sentences on the four together. */
export function speedrunTable(points: readonly SpeedrunPoint[]): string {
  const compared = compare(points);
  const rows = SPEEDRUN_CELLS.flatMap((cell) => {
    const last = curveOf(points, cell).at(-1);
    if (!last) return [];
    return [
      [
        `${CELL_TITLES[cell]} (${last.engine})`,
        last.minutes.toFixed(1),
        last.steps.toLocaleString('en'),
        (last.tokens / 1e6).toFixed(1),
        last.loss.toFixed(3),
        (100 * last.accuracy).toFixed(1),
        last.auc.toFixed(3),
        compared ? inWords(compared.minutes[cell]) : '–',
      ],
    ];
  });
  const table = [HEADER, HEADER.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return [...table, '', ...sentences(compared), ...loadSentence(points)].join('\n');
}

function sentences(compared: Comparison | undefined): string[] {
  if (!compared) return ['The four cells are compared when all of them were measured.'];
  const { loss, minutes, all, engine, recipe } = compared;
  const [short, paper] = [minutes['pleiad-short'], minutes['torch-paper']].map(inWords);
  return [
    `The lowest loss that all four reach is ${loss.toFixed(3)} nats. The short recipe in Pleiad needs ${short} minutes for it, the paper's settings in PyTorch ${paper}: ${all.toFixed(1)} times as many.`,
    `Of that the engine is ${engine.mean.toFixed(2)} times (${engine.both[0].toFixed(2)} with the paper's settings, ${engine.both[1].toFixed(2)} with the short recipe), the recipe ${recipe.mean.toFixed(2)} times (${recipe.both[0].toFixed(2)} in PyTorch, ${recipe.both[1].toFixed(2)} in Pleiad); each is the geometric mean of its two, and both multiply to the whole.`,
  ];
}

/** What else the machine did, where that is known and more than a trace. */
function loadSentence(points: readonly SpeedrunPoint[]): string[] {
  const most = Math.max(0, ...points.map(({ othersCores = 0 }) => othersCores));
  return most < 0.1 ? [] : [`Other processes kept up to ${most.toFixed(1)} cores busy meanwhile.`];
}

function inWords({ minutes, atMost }: Reached): string {
  return `${atMost ? 'at most ' : ''}${minutes.toFixed(1)}`;
}

/** Loss and AUC over minutes of training. */
export function speedrunPicture(points: readonly SpeedrunPoint[]): string {
  const series = (value: (point: SpeedrunPoint) => number) =>
    SPEEDRUN_CELLS.map((cell) => ({
      name: CELL_TITLES[cell],
      points: curveOf(points, cell).map((point) => [point.minutes, value(point)] as const),
    })).filter((one) => one.points.length > 0);
  const xLabel = 'minutes of training';
  return chartsSvg([
    {
      title: 'Masked-token loss, held out',
      xLabel,
      yLabel: 'nats a piece',
      series: series(({ loss }) => loss),
      xIncludes: [0],
    },
    {
      title: 'Words replaced by one fixed generator, found by the discriminator',
      xLabel,
      yLabel: 'AUC (0.5 = chance)',
      series: series(({ auc }) => auc),
      xIncludes: [0],
      yIncludes: [0.5],
    },
  ]);
}
