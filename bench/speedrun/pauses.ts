/**
 * A clock that stands still while the process is stopped (SIGSTOP, Ctrl-Z). The system does not say how long that was: a beat every
 * second says when the process was last awake, to within that second.
 */
export class Pauses {
  readonly #clock: () => number;
  readonly #timer: ReturnType<typeof setInterval>;
  #awakeAt: number;
  #paused = 0;

  /** @param clock  in milliseconds */
  constructor(clock: () => number = () => performance.now(), beatMs = 1000) {
    this.#clock = clock;
    this.#awakeAt = clock();
    this.#timer = setInterval(this.#beat, beatMs);
    this.#timer.unref();
    process.on('SIGCONT', this.#goOn);
  }

  /** Milliseconds, pauses left out. */
  readonly now = (): number => this.#clock() - this.#paused;

  readonly #beat = (): void => {
    this.#awakeAt = this.#clock();
  };

  readonly #goOn = (): void => {
    this.#paused += this.#clock() - this.#awakeAt;
    this.#beat();
  };

  close(): void {
    clearInterval(this.#timer);
    process.off('SIGCONT', this.#goOn);
  }
}
