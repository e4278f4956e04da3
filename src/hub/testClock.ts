import type { Clock } from './clock.js';

/** A clock that stands still until it is told otherwise; waiting takes no time and moves it. */
export class TestClock implements Clock {
  /** The end of 2019, in round figures. */
  #time = 1_577_000_000_000;
  readonly waits: number[] = [];
  readonly #alarms = new Set<{ readonly at: number; readonly ring: () => void }>();

  now(): number {
    return this.#time;
  }

  async wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
    this.waits.push(milliseconds);
    this.advance(milliseconds);
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
  }

  alarm(milliseconds: number, ring: () => void): () => void {
    const alarm = { at: this.#time + milliseconds, ring };
    this.#alarms.add(alarm);
    return () => this.#alarms.delete(alarm);
  }

  advance(milliseconds: number): void {
    this.#time += milliseconds;
    for (const alarm of this.#alarms) {
      if (alarm.at > this.#time) continue;
      this.#alarms.delete(alarm);
      alarm.ring();
    }
  }
}
