/** The same curve as an SVG, for saving. */
import type { CurvePlotProps, Point } from './curvePlot.js';

const [WIDTH, HEIGHT] = [640, 340];
const EDGE = { left: 56, right: 16, top: 34, bottom: 36 };

export function CurveDrawing({ title, plot }: { readonly title: string; readonly plot: CurvePlotProps }) {
  const { band, heldOut, baseline, baselineName, over, totalSteps, colour, digits } = plot;
  const all = [...band.flatMap(({ min, max }) => [min, max]), ...[heldOut, baseline, ...over].flat().map(({ y }) => y)];
  const [low, high] = all.length > 0 ? [Math.min(...all), Math.max(...all)] : [0, 1];
  const room = Math.max(0.01, (high - low) * 0.1);
  const last = Math.log10(Math.max(10, totalSteps));
  const x = (step: number) => EDGE.left + (Math.log10(Math.max(1, step)) / last) * (WIDTH - EDGE.left - EDGE.right);
  const y = (value: number) =>
    EDGE.top + ((high + room - value) / (high - low + 2 * room)) * (HEIGHT - EDGE.top - EDGE.bottom);
  const path = (points: readonly Point[]) => points.map((point) => `${x(point.x)} ${y(point.y)}`).join('L');
  const outline = [
    ...band.map(({ x: step, max }) => ({ x: step, y: max })),
    ...[...band].reverse().map(({ x: step, min }) => ({ x: step, y: min })),
  ];
  const main = `var(--${colour})`;
  const decades = Array.from({ length: Math.floor(last) + 1 }, (_, power) => 10 ** power);
  const levels = [low, (low + high) / 2, high];
  const text = { fill: 'var(--soft)', 'font-size': 13, 'font-family': 'var(--sans)' };
  return (
    <svg width={WIDTH} height={HEIGHT} role="img" aria-label={plot.label}>
      <text x={EDGE.left} y="18" fill="var(--ink)" font-size="15" font-family="var(--sans)">
        {title}
      </text>
      {decades.map((step) => (
        <g key={step}>
          <path d={`M${x(step)} ${EDGE.top}V${HEIGHT - EDGE.bottom}`} stroke="var(--line)" fill="none" />
          <text {...text} x={x(step)} y={HEIGHT - 14} text-anchor="middle">
            {step}
          </text>
        </g>
      ))}
      {levels.map((value) => (
        <text key={value} {...text} x={EDGE.left - 8} y={y(value)} text-anchor="end" dominant-baseline="central">
          {value.toFixed(digits)}
        </text>
      ))}
      {outline.length > 2 && <path d={`M${path(outline)}Z`} fill={main} fill-opacity="0.16" stroke="none" />}
      {over.map((points, i) => (
        <path key={`run ${i + 1}`} d={`M${path(points)}`} fill="none" stroke="var(--soft)" stroke-width="1.25" />
      ))}
      {baseline.length > 0 && (
        <g>
          <path d={`M${path(baseline)}`} fill="none" stroke="var(--soft)" stroke-width="1.5" stroke-dasharray="5 4" />
          <text {...text} x={EDGE.left + 6} y={y(baseline[baseline.length - 1].y) - 5}>
            {baselineName}
          </text>
        </g>
      )}
      {heldOut.length > 0 && <path d={`M${path(heldOut)}`} fill="none" stroke={main} stroke-width="2.5" />}
    </svg>
  );
}
