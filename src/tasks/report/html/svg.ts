/** Charts as SVG inside an HTML page: its style sheet colours them, light and dark. */
import { formatTick, roundTicks } from '../roundTicks.js';
import { escapeMarkup } from './escapeMarkup.js';

type Scale = (value: number) => number;

interface Axes {
  readonly xTicks: readonly number[];
  readonly yTicks: readonly number[];
  readonly xLabel: string;
  readonly yLabel: string;
  /** What the axis spans. Default: its ticks. */
  readonly xDomain?: readonly [from: number, to: number];
  /** Under the middle of each bar, instead of numbers at the ticks. */
  readonly xNames?: readonly string[];
}

const BOX = { left: 60, top: 14, width: 460, height: 260 };
const WIDTH = BOX.left + BOX.width + 16;
const HEIGHT = BOX.top + BOX.height + 48;

/** A chart of things drawn over axes. @param title  for those who cannot see it */
function chart(title: string, axes: Axes, draw: (x: Scale, y: Scale) => string[]): string {
  const x = scale(axes.xDomain ?? axes.xTicks, BOX.left, BOX.left + BOX.width);
  const y = scale(axes.yTicks, BOX.top + BOX.height, BOX.top);
  const bottom = BOX.top + BOX.height;
  const grid = axes.yTicks.flatMap((tick) => [
    line('grid', BOX.left, y(tick), BOX.left + BOX.width, y(tick)),
    text(formatTick(tick, axes.yTicks), BOX.left - 8, y(tick) + 4, 'end'),
  ]);
  const names = axes.xNames?.map((name, i) => text(name, x(i + 0.5), bottom + 18, 'middle'));
  const numbers = axes.xTicks.map((tick) => text(formatTick(tick, axes.xTicks), x(tick), bottom + 18, 'middle'));
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeMarkup(title)}">`,
    ...grid,
    ...(names ?? numbers),
    ...draw(x, y),
    line('axis', BOX.left, bottom, BOX.left + BOX.width, bottom),
    text(axes.xLabel, BOX.left + BOX.width / 2, bottom + 38, 'middle'),
    `<g transform="rotate(-90 16 ${BOX.top + BOX.height / 2})">${text(axes.yLabel, 16, BOX.top + BOX.height / 2, 'middle')}</g>`,
    '</svg>',
  ].join('\n');
}

export interface Bar {
  readonly from: number;
  readonly to: number;
  readonly value: number;
  readonly className?: string;
  /** Shown where the pointer rests. */
  readonly hint: string;
}

export interface BarChart extends Omit<Axes, 'yTicks'> {
  readonly title: string;
  readonly bars: readonly Bar[];
  readonly yIncludes?: readonly number[];
  /** From the lower left to the upper right: where every probability would be true. */
  readonly diagonal?: boolean;
  /** What a bar should reach, as a mark. */
  readonly marks?: readonly { readonly at: number; readonly value: number }[];
}

export function barChart({ title, bars, yIncludes = [], diagonal, marks = [], ...axes }: BarChart): string {
  const yTicks = roundTicks([0, ...yIncludes, ...bars.map(({ value }) => value)]);
  return chart(title, { ...axes, yTicks }, (x, y) => [
    ...bars.map(({ from, to, value, className = 'bar', hint }) => {
      const width = Math.max(1, x(to) - x(from) - 2);
      const height = Math.max(0, y(0) - y(value));
      return `<rect class="${className}" x="${f(x(from) + 1)}" y="${f(y(value))}" width="${f(width)}" height="${f(height)}"><title>${escapeMarkup(hint)}</title></rect>`;
    }),
    ...(diagonal ? [line('ideal', x(0), y(0), x(1), y(1))] : []),
    ...marks.map(({ at, value }) => `<circle class="mark" cx="${f(x(at))}" cy="${f(y(value))}" r="3.5"/>`),
  ]);
}

export interface PointChart extends Pick<Axes, 'xLabel' | 'yLabel'> {
  readonly title: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** Points over two axes of the same numbers, with the line on which both are the same. */
export function pointChart({ title, points, ...labels }: PointChart): string {
  const ticks = roundTicks(points.flat());
  return chart(title, { ...labels, xTicks: ticks, yTicks: ticks }, (x, y) => [
    line('ideal', x(ticks[0]), y(ticks[0]), x(ticks.at(-1) ?? 1), y(ticks.at(-1) ?? 1)),
    ...points.map(([px, py]) => `<circle class="point" cx="${f(x(px))}" cy="${f(y(py))}" r="3"/>`),
  ]);
}

const f = (value: number) => value.toFixed(1);

function line(className: string, x1: number, y1: number, x2: number, y2: number): string {
  return `<line class="${className}" x1="${f(x1)}" y1="${f(y1)}" x2="${f(x2)}" y2="${f(y2)}"/>`;
}

function text(words: string, x: number, y: number, anchor: 'end' | 'middle'): string {
  return `<text x="${f(x)}" y="${f(y)}" text-anchor="${anchor}">${escapeMarkup(words)}</text>`;
}

function scale(span: readonly number[], from: number, to: number): Scale {
  const [low, high] = [span[0], span[span.length - 1]];
  return (value) => from + ((value - low) / (high - low)) * (to - from);
}
