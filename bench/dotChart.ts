/** Dots on lines as SVG text: a line a thing that was measured, a dot a way of doing it, with a bar for its spread. */
import { escapeMarkup } from '../src/tasks/report/html/escapeMarkup.js';
import { roundTicks } from '../src/tasks/report/roundTicks.js';
import { COLOURS, FONT } from './lineChart.js';

export interface Dot {
  readonly value: number;
  /** Half the length of the bar. */
  readonly deviation: number;
}

export interface DotChart {
  readonly title: string;
  readonly xLabel: string;
  /** Names of the dots of every row, in their order. */
  readonly series: readonly string[];
  readonly rows: readonly { readonly name: string; readonly dots: readonly (Dot | undefined)[] }[];
}

const ROW_HEIGHT = 30;
const MARGIN = { left: 190, right: 24, top: 64, bottom: 48 };

/** @param width  of the picture, in pixels */
export function dotChartSvg({ title, xLabel, series, rows }: DotChart, { width = 720 } = {}): string {
  const height = MARGIN.top + rows.length * ROW_HEIGHT + MARGIN.bottom;
  const [left, right] = [MARGIN.left, width - MARGIN.right];
  const bottom = height - MARGIN.bottom;
  const dots = rows.flatMap((row) => row.dots).filter((dot) => dot !== undefined);
  const ticks = roundTicks([0, ...dots.map(({ value }) => value)]);
  const x = (value: number) => left + ((value - ticks[0]) / (ticks.at(-1)! - ticks[0])) * (right - left);
  const grid = ticks.flatMap((tick) => [
    `<line x1="${x(tick)}" y1="${MARGIN.top}" x2="${x(tick)}" y2="${bottom}" stroke="#dddddd"/>`,
    words(String(tick), x(tick), bottom + 17, 'middle'),
  ]);
  const lines = rows.flatMap((row, i) => {
    const y = MARGIN.top + (i + 0.5) * ROW_HEIGHT;
    return [
      words(row.name, left - 10, y + 4, 'end'),
      `<line x1="${left}" y1="${y}" x2="${right}" y2="${y}" stroke="#eeeeee"/>`,
      ...row.dots.flatMap((dot, of) => (dot ? drawDot(dot, COLOURS[of % COLOURS.length], x, y) : [])),
    ];
  });
  const step = (right - left) / series.length;
  const legend = series.flatMap((name, i) => [
    `<circle cx="${left + 6 + i * step}" cy="46" r="5" fill="${COLOURS[i % COLOURS.length]}"/>`,
    words(name, left + 18 + i * step, 50),
  ]);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    words(title, left, 26, 'start', 'font-size="15" font-weight="bold"'),
    ...legend,
    ...grid,
    ...lines,
    words(xLabel, (left + right) / 2, bottom + 36, 'middle'),
    '</svg>\n',
  ].join('\n');
}

function drawDot({ value, deviation }: Dot, colour: string, x: (value: number) => number, y: number): string[] {
  const bar = `<line x1="${x(value - deviation).toFixed(1)}" y1="${y}" x2="${x(value + deviation).toFixed(1)}" y2="${y}" stroke="${colour}" stroke-width="3" stroke-opacity="0.5"/>`;
  return [bar, `<circle cx="${x(value).toFixed(1)}" cy="${y}" r="5" fill="${colour}"/>`];
}

function words(text: string, x: number, y: number, anchor = 'start', style = 'font-size="12"'): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${FONT} ${style} text-anchor="${anchor}" fill="#222222">${escapeMarkup(text)}</text>`;
}
