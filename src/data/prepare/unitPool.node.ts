/** Worker threads that tokenize units; each has the next unit at hand before it finishes the one it is at. */

import { Worker } from 'node:worker_threads';
import { DataError } from '../../errors/errors.js';
import { workerUrl } from '../../files/workerUrl.js';
import type { UnitBuffers } from './readUnits.node.js';
import { RecordError, type UnigramCounts } from './tokenizeUnit.js';
import type { Unit, UnitTokens } from './unit.js';
import { createUnitRunner, type RunnerSettings, type UnitRunner } from './unitRunner.node.js';

export type UnitFailure =
  | { kind: 'record'; message: string; byteInUnit: number; isExact: boolean }
  | {
      kind: 'data';
      message: string;
      details: { subject?: string; found?: unknown; expected?: string };
      advice?: string;
    }
  | { kind: 'other'; message: string; stack?: string };

/** What a worker is sent: first what to work with, then units. */
export type WorkerMessage =
  | { readonly kind: 'begin'; readonly settings: RunnerSettings; readonly counts: UnigramCounts }
  | { readonly kind: 'unit'; readonly id: number; readonly unit: Unit; readonly spare?: ArrayBufferLike };

export type UnitAnswer = { readonly id: number } & (
  | { readonly result: UnitTokens; readonly failure?: undefined }
  | { readonly result?: undefined; readonly failure: UnitFailure }
);

/** Units that a worker has been sent and not answered. */
const UNITS_AHEAD = 2;
/** What a unit leaves behind dies young; a small nursery is collected often and keeps the memory of long runs flat. */
const YOUNG_GENERATION_MB = 8;

/** A thread, or the calling thread itself. */
interface Member {
  readonly pending: number;
  begin(settings: RunnerSettings, counts: UnigramCounts): void;
  run(unit: Unit, spare?: ArrayBufferLike): Promise<UnitTokens>;
  close(): Promise<void>;
}

interface WaitingUnit {
  readonly unit: Unit;
  readonly resolve: (value: UnitTokens) => void;
  readonly reject: (error: unknown) => void;
}

/** The threads start with the pool, and work from `begin` on; until then the caller can do what it has to. */
export class UnitPool {
  readonly #members: readonly Member[];
  #buffers: UnitBuffers | undefined;
  #counts: UnigramCounts[] = [];
  readonly #waiting: WaitingUnit[] = [];

  /** @param workers  number of threads; 0 does the work in the calling thread */
  constructor(workers: number) {
    this.#members = workers === 0 ? [new CallingThread()] : Array.from({ length: workers }, () => new WorkerThread());
  }

  /**
   * Says what to tokenize with; again, when no unit is out, to start over with other settings.
   * @param buffers  where the buffers of finished units go back to
   */
  begin(settings: RunnerSettings, buffers: UnitBuffers): void {
    this.#buffers = buffers;
    const counts = () => new Float64Array(new SharedArrayBuffer(8 * settings.tokenizer.tokens.length));
    this.#counts = this.#members.map(() => ({ train: counts(), heldOut: counts() }));
    this.#members.forEach((member, index) => {
      member.begin(settings, this.#counts[index]);
    });
  }

  run(unit: Unit): Promise<UnitTokens> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ unit, resolve, reject });
      this.#dispatch();
    });
  }

  /** Adds to `counts` how often each id occurred in the units since `begin`; only when none of them is out. */
  addUnigrams(counts: UnigramCounts): void {
    for (const of of this.#counts) {
      for (const split of ['train', 'heldOut'] as const) of[split].forEach((count, id) => (counts[split][id] += count));
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.close()));
  }

  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const free = this.#members.reduce((a, b) => (b.pending < a.pending ? b : a));
      if (free.pending >= UNITS_AHEAD) return;
      this.#send(this.#waiting.shift()!, free);
    }
  }

  async #send({ unit, resolve, reject }: WaitingUnit, member: Member): Promise<void> {
    const buffers = this.#buffers!;
    try {
      const tokens = await member.run(unit, buffers.takeSpare());
      if (unit.kind === 'text') buffers.giveBack(unit.bytes);
      resolve(tokens);
    } catch (error) {
      reject(error);
    }
    this.#dispatch();
  }
}

class CallingThread implements Member {
  pending = 0;
  #run: UnitRunner | undefined;

  begin(settings: RunnerSettings, counts: UnigramCounts): void {
    this.#run = createUnitRunner(settings, counts);
  }

  async run(unit: Unit, spare?: ArrayBufferLike): Promise<UnitTokens> {
    this.pending++;
    try {
      return await this.#run!(unit, spare);
    } finally {
      this.pending--;
    }
  }

  async close(): Promise<void> {}
}

class WorkerThread implements Member {
  readonly #worker: Worker;
  readonly #answers = new Map<number, { resolve: (value: UnitTokens) => void; reject: (error: unknown) => void }>();
  #nextId = 0;
  #failure: Error | undefined;

  constructor() {
    this.#worker = new Worker(workerUrl('./prepareWorker.node.js', import.meta.url), {
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    this.#worker.on('message', ({ id, result, failure }: UnitAnswer) => {
      const answer = this.#answers.get(id)!;
      this.#answers.delete(id);
      if (failure) answer.reject(restore(failure));
      else answer.resolve(result);
    });
    this.#worker.on('error', (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
    this.#worker.on('exit', (code) => this.#fail(new Error(`A worker of prepare ended early (code ${code})`)));
  }

  get pending(): number {
    return this.#answers.size;
  }

  begin(settings: RunnerSettings, counts: UnigramCounts): void {
    this.#send({ kind: 'begin', settings, counts });
  }

  run(unit: Unit, spare?: ArrayBufferLike): Promise<UnitTokens> {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#answers.set(id, { resolve, reject });
      this.#send({ kind: 'unit', id, unit, spare });
    });
  }

  async close(): Promise<void> {
    this.#worker.removeAllListeners('exit');
    await this.#worker.terminate();
  }

  #send(message: WorkerMessage): void {
    this.#worker.postMessage(message);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#answers.values()) reject(this.#failure);
    this.#answers.clear();
  }
}

function restore(failure: UnitFailure): Error {
  if (failure.kind === 'record') return new RecordError(failure.message, failure.byteInUnit, failure.isExact);
  if (failure.kind === 'data') {
    // The message already ends in the advice, which the constructor would add again.
    const { message, advice, details } = failure;
    const suffix = advice ? `. ${advice}` : '';
    return new DataError(message.endsWith(suffix) ? message.slice(0, message.length - suffix.length) : message, {
      ...details,
      advice,
    });
  }
  const error = new Error(failure.message);
  if (failure.stack) error.stack = failure.stack;
  return error;
}
