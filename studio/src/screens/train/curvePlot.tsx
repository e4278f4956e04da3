/** One curve over a logarithmic axis of steps: a band of what is trained on, a line of what is held out, and its baseline. */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { useWidth } from '../../components/useWidth.js';
import type { BandPoint } from './curves.js';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface CurvePlotProps {
  /** What a screen reader says of it. */
  readonly label: string;
  /** Of tokens.css, without the dashes. */
  readonly colour: 'amber-fill' | 'heat' | 'accent';
  readonly band: readonly BandPoint[];
  readonly heldOut: readonly Point[];
  readonly baseline: readonly Point[];
  readonly baselineName: string;
  /** Held-out curves of other runs. */
  readonly over: readonly (readonly Point[])[];
  /** The last step of the axis. */
  readonly totalSteps: number;
  /** What the axis shows before there is a point. */
  readonly empty: [number, number];
  /** Digits after the point, on the axis. */
  readonly digits: number;
}

const HEIGHT = 190;

/** Series of a plot: 0 is x; then band's top, bottom and mean, held out, baseline, and other runs. */
const [TOP, BOTTOM, BASELINE] = [1, 2, 5];

export function CurvePlot(props: CurvePlotProps) {
  const [box, width] = useWidth<HTMLDivElement>();
  const target = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const { label, colour, over, baselineName, digits, totalSteps, empty } = props;
  const data = aligned(props);
  const newest = useRef(data);
  newest.current = data;

  // Colours are read when a plot is made, so a change of theme makes it anew.
  useEffect(() => {
    if (!target.current || width === 0) return;
    const look = { colour, baselineName, digits, totalSteps, empty };
    const make = () => {
      plot.current?.destroy();
      const options = optionsOf({ ...look, width, runs: over.length });
      plot.current = new uPlot(options, newest.current, target.current ?? undefined);
    };
    make();
    const stop = onThemeChange(make);
    return () => {
      stop();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [width, colour, over.length, baselineName, digits, totalSteps, empty]);

  useEffect(() => {
    plot.current?.setData(data);
  });

  return (
    <div ref={box} class="train-plot">
      <div ref={target} role="img" aria-label={label} style={{ minHeight: `${HEIGHT}px` }} />
    </div>
  );
}

/** All series over one list of steps; a series has nothing where it has no point. */
export function aligned({
  band,
  heldOut,
  baseline,
  over,
}: Pick<CurvePlotProps, 'band' | 'heldOut' | 'baseline' | 'over'>) {
  const series: readonly (readonly Point[])[] = [
    band.map(({ x, max }) => ({ x, y: max })),
    band.map(({ x, min }) => ({ x, y: min })),
    band.map(({ x, mean }) => ({ x, y: mean })),
    heldOut,
    baseline,
    ...over,
  ];
  const steps = [...new Set(series.flatMap((points) => points.map(({ x }) => x)))].sort((a, b) => a - b);
  const columns = series.map((points) => {
    const at = new Map(points.map(({ x, y }) => [x, y]));
    return steps.map((x) => at.get(x) ?? null);
  });
  return [steps, ...columns] as uPlot.AlignedData;
}

interface Look extends Pick<CurvePlotProps, 'colour' | 'baselineName' | 'digits' | 'totalSteps' | 'empty'> {
  readonly width: number;
  readonly runs: number;
}

function optionsOf({ width, colour, runs, baselineName, digits, totalSteps, empty }: Look): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const resolve = (name: string) => resolved(style.getPropertyValue(`--${name}`));
  const [main, soft, line] = [resolve(colour), resolve('soft'), resolve('line')];
  const font = `12px ${style.getPropertyValue('--sans')}`;
  const joined = { spanGaps: true, points: { show: false } };
  const axis = { stroke: soft, font, grid: { stroke: line, width: 1 }, ticks: { show: false } };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    padding: [10, 12, 0, 0],
    scales: {
      x: { time: false, distr: 3, log: 10, range: () => [1, Math.max(10, totalSteps)] },
      y: { range: (_, min, max) => withRoom(min, max, empty) },
    },
    axes: [
      { ...axis, size: 30, values: (_, splits) => splits.map((step) => (isPowerOfTen(step) ? shortCount(step) : '')) },
      { ...axis, size: 46, values: (_, splits) => splits.map((value) => value.toFixed(digitsOf(splits, digits))) },
    ],
    series: [
      {},
      { ...joined, stroke: 'transparent' },
      { ...joined, stroke: 'transparent' },
      { ...joined, stroke: main, width: 1, alpha: 0.55 },
      { ...joined, stroke: main, width: 2.5, points: { show: true, size: 5, fill: main } },
      { ...joined, stroke: soft, width: 1.5, dash: [5, 4] },
      ...Array.from({ length: runs }, () => ({ ...joined, stroke: soft, width: 1.25, alpha: 0.7 })),
    ],
    bands: [{ series: [TOP, BOTTOM], fill: withAlpha(main, 0.16) }],
    hooks: { draw: [(plot) => nameBaseline(plot, baselineName, soft, font)] },
  };
}

/** The name stands on its line, at the left, where curves begin above it. */
function nameBaseline(plot: uPlot, name: string, colour: string, font: string): void {
  const last = [...plot.data[BASELINE]].findLast((value) => value !== null);
  if (typeof last !== 'number') return;
  const { ctx } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.font = font.replace(/^(\d+)px/, (_, size: string) => `${Number(size) * ratio}px`);
  ctx.fillStyle = colour;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'bottom';
  ctx.fillText(name, plot.bbox.left + 6 * ratio, plot.valToPos(last, 'y', true) - 3 * ratio);
  ctx.restore();
}

function withRoom(min: number | null, max: number | null, empty: [number, number]): [number, number] {
  if (min === null || max === null) return empty;
  const room = Math.max(0.01, (max - min) * 0.12);
  return [min - room, max + room];
}

/** So many that no two marks read alike, as they would over the first few steps. */
function digitsOf([first, second]: readonly number[], digits: number): number {
  const between = second === undefined ? 1 : second - first;
  return Math.min(4, Math.max(digits, Math.ceil(-Math.log10(between))));
}

const isPowerOfTen = (value: number) => Math.abs(Math.log10(value) - Math.round(Math.log10(value))) < 1e-9;

function shortCount(value: number): string {
  return value >= 1000 ? `${value / 1000}k` : `${value}`;
}

/** A canvas knows no light-dark(): the colour as the page shows it. */
function resolved(value: string): string {
  const probe = document.createElement('i');
  probe.style.color = value;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function withAlpha(colour: string, alpha: number): string {
  const [red = 0, green = 0, blue = 0] = (colour.match(/\d+(\.\d+)?/g) ?? []).map(Number);
  return `rgba(${red}, ${green}, ${blue}, ${alpha})`;
}

/** @returns what ends it */
function onThemeChange(call: () => void): () => void {
  const observer = new MutationObserver(call);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
  const dark = matchMedia('(prefers-color-scheme: dark)');
  dark.addEventListener('change', call);
  return () => {
    observer.disconnect();
    dark.removeEventListener('change', call);
  };
}
