/** Worker threads that tokenize units; each has the next unit at hand before it finishes the one it is at. */

import { Worker } from 'node:worker_threads';
import { DataError } from '../../../errors.js';
import { workerUrl } from '../../../workerUrl.js';
import { LineError } from '../tokenizeUnit.js';
import type { Unit, UnitTokens } from '../unit.js';
import type { UnitBuffers } from './readUnits.js';
import { createUnitRunner, type RunnerSettings } from './unitRunner.js';

export type UnitFailure =
  | { kind: 'line'; message: string; lineInUnit: number }
  | {
      kind: 'data';
      message: string;
      details: { subject?: string; found?: unknown; expected?: string };
      advice?: string;
    }
  | { kind: 'other'; message: string; stack?: string };

/** What a worker is sent. */
export interface UnitRequest {
  readonly id: number;
  readonly unit: Unit;
  readonly spare?: ArrayBuffer;
}

export interface UnitPool {
  run(unit: Unit): Promise<UnitTokens>;
  close(): Promise<void>;
}

/** Units that a worker has been sent and not answered. */
const UNITS_AHEAD = 2;
/** What a unit leaves behind dies young; a small nursery is collected often and keeps the memory of long runs flat. */
const YOUNG_GENERATION_MB = 8;

/**
 * @param workers  number of threads; 0 does the work in the calling thread
 * @param buffers  where the buffers of finished units go back to
 */
export function createUnitPool(workers: number, settings: RunnerSettings, buffers: UnitBuffers): UnitPool {
  if (workers === 0) {
    const run = createUnitRunner(settings);
    return {
      async run(unit) {
        const result = await run(unit, buffers.takeSpare());
        if (unit.kind === 'text') buffers.giveBack(unit.bytes.buffer as ArrayBuffer);
        return result;
      },
      close: async () => {},
    };
  }
  const members = Array.from({ length: workers }, () => new PoolMember(settings, buffers));
  const waiting: { unit: Unit; resolve: (value: UnitTokens) => void; reject: (error: unknown) => void }[] = [];

  function dispatch(): void {
    while (waiting.length > 0) {
      const free = members.reduce((a, b) => (b.pending < a.pending ? b : a));
      if (free.pending >= UNITS_AHEAD) return;
      const { unit, resolve, reject } = waiting.shift()!;
      free.run(unit, buffers.takeSpare()).then(resolve, reject).finally(dispatch);
    }
  }

  return {
    run: (unit) =>
      new Promise((resolve, reject) => {
        waiting.push({ unit, resolve, reject });
        dispatch();
      }),
    async close() {
      await Promise.all(members.map((member) => member.close()));
    },
  };
}

class PoolMember {
  readonly #worker: Worker;
  readonly #answers = new Map<number, { resolve: (value: UnitTokens) => void; reject: (error: unknown) => void }>();
  #nextId = 0;
  #failure: Error | undefined;

  constructor(settings: RunnerSettings, buffers: UnitBuffers) {
    this.#worker = new Worker(workerUrl('./prepareWorker.js', import.meta.url), {
      workerData: settings,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    this.#worker.on('message', ({ id, result, failure, spent }) => {
      if (spent) buffers.giveBack(spent);
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

  run(unit: Unit, spare?: ArrayBuffer): Promise<UnitTokens> {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#answers.set(id, { resolve, reject });
      const buffers = unit.kind === 'text' ? [unit.bytes.buffer as ArrayBuffer] : [];
      if (spare) buffers.push(spare);
      const request: UnitRequest = { id, unit, spare };
      this.#worker.postMessage(request, buffers);
    });
  }

  async close(): Promise<void> {
    this.#worker.removeAllListeners('exit');
    await this.#worker.terminate();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#answers.values()) reject(this.#failure);
    this.#answers.clear();
  }
}

function restore(failure: UnitFailure): Error {
  if (failure.kind === 'line') return new LineError(failure.lineInUnit, failure.message);
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
