/** Messages between a rank's main thread and the thread in which it calls MPI. */
import type { Numbers, PeerFailure } from '../collective.js';

export interface WorkerData {
  /** Names of libraries to try. */
  readonly libraries: readonly string[];
  /** Ranks that the launcher has started. */
  readonly size: number;
  readonly timeoutMs: number;
  readonly board: SharedArrayBuffer;
}

/** The worker's first message, once MPI is initialized. */
export type Greeting =
  | { readonly rank: number; readonly size: number; readonly version: string; readonly library: string }
  | { readonly error: { readonly message: string; readonly subject?: string; readonly expected?: string } };

export type Operation = 'allReduce' | 'broadcast' | 'barrier' | 'close';

export type Request =
  | { readonly id: number; readonly operation: Operation; readonly values: Numbers }
  | { readonly id: number; readonly operation: 'fail'; readonly reason: string }
  /** Tells which ranks run on this machine, by process id. */
  | { readonly operation: 'neighbours'; readonly pids: ReadonlyMap<number, number> };

/** Why an operation could not be done: the causes are ranks. */
export interface Failure {
  readonly failure: PeerFailure;
  readonly ranks: readonly number[];
  readonly reason: string;
}

export type Reply =
  | { readonly id: number }
  | { readonly id: number; readonly failed: Failure }
  | { readonly id: number; readonly error: string };

/**
 * What the MPI thread is at, where the main thread can see it while the other is busy: operations begun, whether it is
 * inside a blocking call of MPI, and whether each rank is still waited for.
 */
export class Board {
  static readonly #BEGUN = 0;
  static readonly #BLOCKED = 1;
  static readonly #MISSING = 2;
  readonly #cells: Int32Array;

  static create(size: number): Board {
    return new Board(new SharedArrayBuffer((Board.#MISSING + size) * Int32Array.BYTES_PER_ELEMENT));
  }
  constructor(readonly buffer: SharedArrayBuffer) {
    this.#cells = new Int32Array(buffer);
  }

  begin(): void {
    Atomics.add(this.#cells, Board.#BEGUN, 1);
  }
  /** Operations begun so far. */
  get begun(): number {
    return Atomics.load(this.#cells, Board.#BEGUN);
  }
  blockedWhile<T>(call: () => T): T {
    Atomics.store(this.#cells, Board.#BLOCKED, 1);
    try {
      return call();
    } finally {
      Atomics.store(this.#cells, Board.#BLOCKED, 0);
    }
  }
  get isBlocked(): boolean {
    return Atomics.load(this.#cells, Board.#BLOCKED) === 1;
  }
  setMissing(rank: number, missing: boolean): void {
    Atomics.store(this.#cells, Board.#MISSING + rank, missing ? 1 : 0);
  }
  isMissing(rank: number): boolean {
    return Atomics.load(this.#cells, Board.#MISSING + rank) === 1;
  }
}
