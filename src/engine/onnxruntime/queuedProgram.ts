/** A program of the web: one run at a time. */
import type { ArenaRange, Program, Tensors } from '../engine.js';
import type { SessionProgram } from './sessionProgram.js';

/** The runtime refuses a second call of a session before the first has ended. */
export class QueuedProgram implements Program {
  readonly #program: SessionProgram;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(program: SessionProgram) {
    this.#program = program;
  }
  run(feeds: Tensors): Promise<Tensors> {
    return this.#next(() => this.#program.run(feeds));
  }
  runOverArenas(ranges: readonly ArenaRange[], chunk: number): Promise<Record<string, number>> {
    return this.#next(() => this.#program.runOverArenas(ranges, chunk));
  }
  release(): Promise<void> {
    return this.#next(() => this.#program.release());
  }
  #next<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => {});
    return result;
  }
}
