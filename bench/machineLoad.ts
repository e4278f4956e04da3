/** How much a machine does beside what is measured: timings are worth something while that is little. */
import { readFileSync } from 'node:fs';
import { cpuMs } from './cpuMeter.js';

/** As in /proc/stat and /proc/PID/stat (USER_HZ). */
const MS_PER_TICK = 10;

/** CPU time of all processes so far, in milliseconds; undefined where there is no /proc. */
function allCpuMs(): number | undefined {
  try {
    const [, user, nice, system, , , irq, softirq, steal] = readFileSync('/proc/stat', 'utf8').split(/\s+/).map(Number);
    return MS_PER_TICK * (user + nice + system + irq + softirq + steal);
  } catch {
    return undefined;
  }
}

/** Measures from its construction on. */
export class LoadMeter {
  readonly #startedAt = performance.now();
  readonly #pids: readonly number[];
  readonly #before: number | undefined;

  /** @param pids  of the processes that are measured */
  constructor(pids: readonly number[]) {
    this.#pids = pids;
    this.#before = this.#othersMs();
  }

  #othersMs(): number | undefined {
    const all = allCpuMs();
    if (all === undefined) return undefined;
    return all - this.#pids.reduce((sum, pid) => sum + (cpuMs(pid) ?? 0), 0);
  }

  /** Cores that other processes kept busy, on average, since construction; undefined where there is no /proc. */
  othersCores(): number | undefined {
    const now = this.#othersMs();
    if (now === undefined || this.#before === undefined) return undefined;
    return Math.max(0, (now - this.#before) / (performance.now() - this.#startedAt));
  }
}
