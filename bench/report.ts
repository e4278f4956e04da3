/** What all benchmarks report: the machine, medians, ratios with their spread, memory. */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { median } from '../src/training/median.js';

export { median };

/** How much faster we are than a peer that does the same work, from runs that alternated. */
export interface Ratio {
  readonly name: string;
  /** Their time over ours: median, smallest and largest of the runs. */
  readonly ratio: number;
  readonly ratioMin: number;
  readonly ratioMax: number;
  readonly runs: number;
}

export function machineDescription(): string {
  return `${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${availableParallelism()} cores, Node ${process.versions.node}`;
}

/** Pairs our n-th run with the peer's n-th: both met the same disturbances. */
export function ratioOf(name: string, ourMs: readonly number[], theirMs: readonly number[]): Ratio {
  const ratios = ourMs.slice(0, theirMs.length).map((ms, run) => theirMs[run] / ms);
  return {
    name,
    ratio: rounded(median(ratios)),
    ratioMin: rounded(Math.min(...ratios)),
    ratioMax: rounded(Math.max(...ratios)),
    runs: ratios.length,
  };
}

/** To four significant digits, which is more than any of these measurements has. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

/** Largest resident size of this process so far, in MiB. */
export function peakMemoryMiB(): number {
  try {
    const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    if (line) return Math.round(Number(line[1]) / 1024);
  } catch {
    // Not Linux.
  }
  return Math.round(process.resourceUsage().maxRSS / 1024);
}

/** A line for people; standard output is for results. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
