/** A clock that can be stopped: by it a run counts its training, and nothing else. */
export class Stopwatch {
  readonly #clock: () => number;
  #counted = 0;
  #runningSince: number | undefined;

  /** @param clock  in milliseconds */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
  }

  /** Milliseconds that it ran, all together. */
  readonly now = (): number =>
    this.#counted + (this.#runningSince === undefined ? 0 : this.#clock() - this.#runningSince);

  start(): void {
    this.#runningSince ??= this.#clock();
  }

  stop(): void {
    this.#counted = this.now();
    this.#runningSince = undefined;
  }
}
