/** Turns of a benchmark that count: those in which other processes left the machine alone. */
import { setTimeout } from 'node:timers/promises';
import { LoadMeter } from './machineLoad.js';
import { median, rounded, say } from './report.js';

export interface QuietOptions {
  /** Turns that count. */
  readonly turns: number;
  /** Turns in which other processes kept more cores busy do not count. */
  readonly mostLoad: number;
  /** No turn begins later. */
  readonly minutes: number;
  /** Of the processes that are measured. */
  readonly pids: readonly number[];
}

export interface Turns<T> {
  /** The quiet ones; all where none was quiet. */
  readonly counted: readonly T[];
  readonly taken: number;
  readonly quiet: number;
  /** Cores that other processes kept busy in the turns that count. */
  readonly othersCores: { readonly median: number; readonly most: number };
}

/** Takes turns, each once the machine is quiet, until enough of them were quiet to their end or the time is over. */
export async function quietTurns<T>(options: QuietOptions, take: () => Promise<T>): Promise<Turns<T>> {
  const all: { readonly value: T; readonly load: number }[] = [];
  const quiet = () => all.filter(({ load }) => load <= options.mostLoad);
  const deadline = performance.now() + 60_000 * options.minutes;
  while (all.length === 0 || (quiet().length < options.turns && performance.now() < deadline)) {
    await waitForQuiet(options, deadline);
    const meter = new LoadMeter(options.pids);
    const value = await take();
    all.push({ value, load: meter.othersCores() ?? 0 });
  }
  if (quiet().length < options.turns) say(`only ${quiet().length} of ${all.length} turns were quiet`);
  return { ...turnsThatCount(all, options.mostLoad), taken: all.length };
}

/** The turns that were quiet, or all where none was. */
export function turnsThatCount<T>(
  all: readonly { readonly value: T; readonly load: number }[],
  mostLoad: number,
): Omit<Turns<T>, 'taken'> {
  const quiet = all.filter(({ load }) => load <= mostLoad);
  const counted = quiet.length > 0 ? quiet : all;
  const loads = counted.map(({ load }) => load);
  return {
    counted: counted.map(({ value }) => value),
    quiet: quiet.length,
    othersCores: { median: rounded(median(loads)), most: rounded(Math.max(...loads)) },
  };
}

/** Until other processes have left the machine alone for half a second, or the time is over. */
async function waitForQuiet({ pids, mostLoad }: QuietOptions, deadline: number): Promise<void> {
  for (let load = Number.POSITIVE_INFINITY; load > mostLoad && performance.now() < deadline; ) {
    const meter = new LoadMeter(pids);
    await setTimeout(500);
    load = meter.othersCores() ?? 0;
  }
}
