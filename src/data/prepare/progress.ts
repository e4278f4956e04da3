/** How far preparing has come and how long the rest will take. */

export interface PrepareProgress {
  /** Text read so far, bytes after decompression; of all runs together. */
  readonly textBytes: number;
  /** Part of the input files that is done, 0 to 1, by bytes on disk. */
  readonly fraction: number;
  /** Of text, 10^6 bytes, in this run. */
  readonly megabytesPerSecond: number;
  /** Undefined until there is something to judge by. */
  readonly remainingMs: number | undefined;
  readonly documents: number;
  readonly tokens: number;
}

/** Reports at most this often. */
const INTERVAL_MS = 200;

export class ProgressReporter {
  readonly #report: ((progress: PrepareProgress) => void) | undefined;
  readonly #now: () => number;
  readonly #startedAt: number;
  readonly #start: { textBytes: number; fraction: number };
  #reportedAt = Number.NEGATIVE_INFINITY;

  constructor(
    report: ((progress: PrepareProgress) => void) | undefined,
    start: { textBytes: number; fraction: number },
    now: () => number = () => performance.now(),
  ) {
    this.#report = report;
    this.#now = now;
    this.#startedAt = now();
    this.#start = start;
  }

  update(state: { textBytes: number; fraction: number; documents: number; tokens: number }, isLast = false): void {
    const now = this.#now();
    if (!this.#report || (!isLast && now - this.#reportedAt < INTERVAL_MS)) return;
    this.#reportedAt = now;
    const elapsedMs = now - this.#startedAt;
    const done = state.fraction - this.#start.fraction;
    this.#report({
      ...state,
      megabytesPerSecond: elapsedMs > 0 ? (state.textBytes - this.#start.textBytes) / 1000 / elapsedMs : 0,
      remainingMs: done > 0 ? (elapsedMs * (1 - state.fraction)) / done : undefined,
    });
  }
}
