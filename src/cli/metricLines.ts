/** Lines of metrics for people, a task's own in its own order, with what costs nothing in the same line. */
import { figure } from './trainingView.js';

/** What is said after the figure is optional; a metric without a value has no line. */
export type MetricRow = readonly [name: string, value: number | undefined, after?: string];

/** @param width  of the names, in characters */
export function metricLines(rows: readonly MetricRow[], width = 24): string[] {
  return rows.flatMap(([name, value, after = '']) =>
    value === undefined ? [] : [`  ${name.padEnd(width)}${value.toFixed(4).padStart(8)}${after}`],
  );
}

/** "   baselines: a bag of words 0.6975"; nothing where none has a value. */
export function baselinesAfter(...baselines: (readonly [name: string, value: number | undefined])[]): string {
  const shown = baselines.flatMap(([name, value]) => figure(name, value, 4)).join(', ');
  return shown && `   baselines: ${shown}`;
}
