/** How busy a process keeps the machine: shows whether a side of a benchmark waits quietly for its turn. */
import { readFileSync } from 'node:fs';

/** Linux counts CPU time for user space in hundredths of a second (USER_HZ), whatever the kernel's own tick. */
const MS_PER_TICK = 10;

/** CPU time of a process and all its threads so far, in milliseconds; undefined where there is no /proc. */
export function cpuMs(pid: number): number | undefined {
  try {
    // The second field, the command in parentheses, may have spaces; utime and stime are fields 14 and 15 (proc(5)).
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
    return MS_PER_TICK * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return undefined;
  }
}

/** Measures from its construction on. */
export class CpuMeter {
  readonly #cpuAtStart: number | undefined;
  readonly #startedAt = performance.now();

  constructor(private readonly pid: number) {
    this.#cpuAtStart = cpuMs(pid);
  }

  /** Cores kept busy, on average, since construction; undefined where there is no /proc. */
  coresBusy(): number | undefined {
    const now = cpuMs(this.pid);
    if (now === undefined || this.#cpuAtStart === undefined) return undefined;
    return (now - this.#cpuAtStart) / (performance.now() - this.#startedAt);
  }
}
