/** A line chart as SVG text: axes with round ticks, a legend, one polyline a series. */
import { escapeMarkup } from '../src/tasks/report/html/escapeMarkup.js';
import { formatTick, roundTicks } from '../src/tasks/report/roundTicks.js';

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** A baseline rather than a measurement. */
  readonly dashed?: boolean;
}

export interface LineChart {
  readonly title: string;
  /** With its unit, for instance "steps". */
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
  /** Values that the axes reach whatever the series hold. */
  readonly xIncludes?: readonly number[];
  readonly yIncludes?: readonly number[];
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Okabe and Ito's palette, which colour-blind readers can tell apart. */
export const COLOURS = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9'];
const MARGIN = { left: 72, right: 16, top: 56, bottom: 48 };
export const FONT = 'font-family="Helvetica, Arial, sans-serif"';

/** Charts one below the other in a picture of the given width in pixels. */
export function chartsSvg(charts: readonly LineChart[], { width = 720, chartHeight = 300 } = {}): string {
  const height = charts.length * chartHeight;
  const drawn = charts.map((chart, i) =>
    drawChart(chart, {
      left: MARGIN.left,
      top: i * chartHeight + MARGIN.top,
      width: width - MARGIN.left - MARGIN.right,
      height: chartHeight - MARGIN.top - MARGIN.bottom,
    }),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...drawn.flat(),
    '</svg>\n',
  ].join('\n');
}

function drawChart({ title, xLabel, yLabel, series, xIncludes = [], yIncludes = [] }: LineChart, room: Box): string[] {
  const entries = legendOf(series, room.width);
  // The rows of the legend after the first are taken from the plot.
  const rows = LEGEND_ROW * Math.max(0, ...entries.map(({ row }) => row));
  const box = { ...room, top: room.top + rows, height: room.height - rows };
  const points = series.flatMap((one) => one.points);
  const xTicks = roundTicks([...xIncludes, ...points.map(([x]) => x)]);
  const yTicks = roundTicks([...yIncludes, ...points.map(([, y]) => y)]);
  const x = scale(xTicks, box.left, box.left + box.width);
  const y = scale(yTicks, box.top + box.height, box.top);
  const bottom = box.top + box.height;
  return [
    text(title, room.left, room.top - 36, { size: 15, weight: 'bold' }),
    ...entries.flatMap((entry, i) => drawEntry(entry, COLOURS[i % COLOURS.length], room)),
    ...yTicks.flatMap((tick) => [
      line(box.left, y(tick), box.left + box.width, y(tick), '#dddddd'),
      text(formatTick(tick, yTicks), box.left - 8, y(tick) + 4, { anchor: 'end' }),
    ]),
    ...xTicks.flatMap((tick) => [
      line(x(tick), bottom, x(tick), bottom + 4, '#333333'),
      text(formatTick(tick, xTicks), x(tick), bottom + 17, { anchor: 'middle' }),
    ]),
    line(box.left, bottom, box.left + box.width, bottom, '#333333'),
    text(xLabel, box.left + box.width / 2, bottom + 36, { anchor: 'middle' }),
    text(yLabel, 16, box.top + box.height / 2, { anchor: 'middle', rotated: true }),
    ...series.map((one, i) => polyline(one, COLOURS[i % COLOURS.length], x, y)),
  ];
}

const LEGEND_ROW = 18;

interface LegendEntry extends Pick<Series, 'name' | 'dashed'> {
  /** From the left of the chart, pixels. */
  readonly at: number;
  readonly row: number;
}

/** Entries one after the other, in further rows where they do not fit. */
function legendOf(series: readonly Series[], width: number): LegendEntry[] {
  let [at, row] = [0, 0];
  return series.map(({ name, dashed }) => {
    // Helvetica's letters are a little over half as wide as they are high.
    const needed = 30 + name.length * 6.6;
    if (at > 0 && at + needed > width) [at, row] = [0, row + 1];
    const entry = { name, dashed, at, row };
    at += needed + 18;
    return entry;
  });
}

function drawEntry({ name, dashed, at, row }: LegendEntry, colour: string, { left, top }: Box): string[] {
  const [x, y] = [left + at, top - 16 + LEGEND_ROW * row];
  return [line(x, y, x + 24, y, colour, dashed, 2), text(name, x + 30, y + 4)];
}

function polyline({ points, dashed }: Series, colour: string, x: Scale, y: Scale): string {
  const path = points.map(([px, py]) => `${x(px).toFixed(1)},${y(py).toFixed(1)}`).join(' ');
  return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="1.8"${dash(dashed)}/>`;
}

function line(x1: number, y1: number, x2: number, y2: number, colour: string, dashed = false, width = 1): string {
  const at = `x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}"`;
  return `<line ${at} stroke="${colour}" stroke-width="${width}"${dash(dashed)}/>`;
}

function dash(dashed = false): string {
  return dashed ? ' stroke-dasharray="6 4"' : '';
}

function text(
  words: string,
  x: number,
  y: number,
  { size = 12, anchor = 'start', weight = 'normal', rotated = false } = {},
): string {
  const turn = rotated ? ` transform="rotate(-90 ${x} ${y})"` : '';
  const style = `${FONT} font-size="${size}" font-weight="${weight}" text-anchor="${anchor}" fill="#222222"`;
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${style}${turn}>${escapeMarkup(words)}</text>`;
}

type Scale = (value: number) => number;

function scale(ticks: readonly number[], from: number, to: number): Scale {
  const low = ticks[0];
  const high = ticks.at(-1)!;
  return (value) => from + ((value - low) / (high - low)) * (to - from);
}
