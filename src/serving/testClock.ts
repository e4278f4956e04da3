/** A clock that tests move: timers fire when it passes them, and what is put off runs when asked. */

export class TestClock {
  time = 0;
  #timers: { at: number; call: () => void }[] = [];
  #soon: (() => void)[] = [];

  readonly now = (): number => this.time;

  readonly after = (ms: number, call: () => void): (() => void) => {
    const timer = { at: this.time + ms, call };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  readonly soon = (call: () => void): void => {
    this.#soon.push(call);
  };

  /** Runs what was put off, and lets promises settle. */
  async settle(): Promise<void> {
    for (let round = 0; round < 20; round++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      for (const call of this.#soon.splice(0)) call();
    }
  }

  async pass(ms: number): Promise<void> {
    this.time += ms;
    const due = this.#timers.filter(({ at }) => at <= this.time);
    this.#timers = this.#timers.filter(({ at }) => at > this.time);
    for (const { call } of due) call();
    await this.settle();
  }
}
