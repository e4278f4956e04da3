/**
 * The queue before a model: what waits is taken when the model is free, as text-embeddings-inference does (core/src/queue.rs).
 * There is no timer by default: under load batches grow by themselves, and without it nobody waits for company.
 *
 * While one batch runs, the next is handed over as soon as it is as large, so that the model need not wait for this thread,
 * which parses and writes. The model's thread also tokenises the next while its engine computes.
 *
 * The oldest request is always in the next batch, so nobody starves. Others join it when they ask for the same thing with the
 * same options, the nearest in length first, as long as the batch with its padding (longest × rows) is within the budget and
 * little of it is padding; more, where padding is not computed but in attention.
 * Pure: time, timers and the work itself come as arguments.
 */

/** Requests that may run together have one key. */
export interface QueuedWork<In> {
  readonly key: string;
  /** Inputs of one request, which stay together. */
  readonly inputs: readonly In[];
  /** Tokens of each input as the model sees it; a text of several windows has those of all. */
  readonly lengths: readonly number[];
}

export interface BatchLimits {
  /** Tokens of a batch with its padding. */
  readonly maxBatchTokens: number;
  /** Inputs of a batch. */
  readonly maxBatchSize: number;
  /** Requests that wait; more are refused. */
  readonly maxQueue: number;
  /** A batch that is not full waits so long for others after its oldest request came, ms. Default 0. */
  readonly maxWaitMs?: number;
}

export interface BatchTimes {
  /** From arriving to the batch's beginning, ms. */
  readonly queueMs: number;
  /** Of the whole batch, ms, without the time in which it waited for the one before it. */
  readonly inferenceMs: number;
  /** Inputs of the batch that it was in. */
  readonly batchSize: number;
}

/** What became of one request of a batch. */
export type Outcome<Out> = { readonly results: readonly Out[] } | { readonly error: Error };

export interface Batch<In> {
  readonly key: string;
  /** One entry a request. */
  readonly requests: readonly (readonly In[])[];
  /** Aborted once nobody waits for any of it. */
  readonly signal: AbortSignal;
}

export interface QueueEnvironment<In, Out> {
  /**
   * Runs a batch, after the one that it is running; the outcomes are in the order of its requests. A rejection is every
   * request's error, but where the batch was handed over behind another: it has most likely not been begun, and is run again.
   */
  run(batch: Batch<In>): Promise<readonly Outcome<Out>[]>;
  /** Milliseconds from any beginning. */
  now(): number;
  /** Calls back after so many ms; the result cancels. */
  after(ms: number, call: () => void): () => void;
  /** Calls back once what has arrived by now is in the queue. */
  soon(call: () => void): void;
  /** Told what the next batch is, when it is taken. */
  onBatch?(size: number, tokens: number): void;
}

/** No place in the queue. */
export class QueueFull extends Error {
  readonly waiting: number;
  constructor(waiting: number) {
    super(`the queue holds ${waiting} requests`);
    this.waiting = waiting;
  }
}

/** The queue takes nothing more. */
export class QueueClosed extends Error {
  constructor() {
    super('the queue is closed');
  }
}

interface Entry<In, Out> extends QueuedWork<In> {
  readonly longest: number;
  readonly arrivedAt: number;
  readonly resolve: (done: { results: readonly Out[]; times: BatchTimes }) => void;
  readonly reject: (error: unknown) => void;
  readonly forget: () => void;
  isCancelled: boolean;
}

/** A batch that the model has. */
interface Flight<In, Out> {
  readonly entries: readonly Entry<In, Out>[];
  /** Inputs. */
  readonly rows: number;
  readonly controller: AbortController;
  /** Whether it was handed over while another was running. */
  readonly isBehind: boolean;
  beganAt: number;
}

/** Batches that the model has: one that it runs, and the next. */
const MOST_IN_FLIGHT = 2;
/** Requests, at least, of a batch that is handed over while another runs: fewer gain more by waiting for others to join them. */
const LEAST_HANDED_OVER = 4;
/** Waiting requests that are looked at for one batch, beside the oldest: so many times the inputs that it may have. */
const WINDOW = 4;
/** Least share of a batch that is no padding; products over fewer tokens than these cost the same, filled up or not. */
const LEAST_FILLED = 0.75;
const FREE_TOKENS = 256;
/** The same where attention alone computes padding: of short texts a few per cent of the work, of the longest a third. */
const LEAST_FILLED_OF_ATTENTION = 0.5;

export class BatchQueue<In, Out> {
  readonly #limits: BatchLimits;
  readonly #environment: QueueEnvironment<In, Out>;
  /** Whether what runs batches leaves out their padding but in attention. */
  skipsPadding = false;
  #waiting: Entry<In, Out>[] = [];
  /** In the order in which they run. */
  readonly #inFlight: Flight<In, Out>[] = [];
  #isPaused: boolean;
  #isClosed = false;
  #isAsked = false;
  #stopTimer?: () => void;
  readonly #idle: (() => void)[] = [];
  readonly #settled: (() => void)[] = [];

  /** @param paused  whether nothing is taken before `resume` */
  constructor(limits: BatchLimits, environment: QueueEnvironment<In, Out>, { paused = false } = {}) {
    this.#limits = limits;
    this.#environment = environment;
    this.#isPaused = paused;
  }

  /** Requests that wait. */
  get size(): number {
    return this.#waiting.length;
  }

  /** Requests that run, or wait at the model for those that run. */
  get running(): number {
    return sum(this.#inFlight.map(({ entries }) => entries.length));
  }

  /**
   * @param signal  aborted when nobody waits for the answer any more: what has not begun leaves the queue
   * @throws QueueFull, QueueClosed; the signal's reason; what the work throws
   */
  add(work: QueuedWork<In>, signal?: AbortSignal): Promise<{ results: readonly Out[]; times: BatchTimes }> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) throw new QueueClosed();
      signal?.throwIfAborted();
      if (this.#waiting.length >= this.#limits.maxQueue) throw new QueueFull(this.#waiting.length);
      const onAbort = () => this.#cancel(entry, signal!.reason);
      const entry: Entry<In, Out> = {
        ...work,
        longest: Math.max(1, ...work.lengths),
        arrivedAt: this.#environment.now(),
        resolve,
        reject,
        forget: () => signal?.removeEventListener('abort', onAbort),
        isCancelled: false,
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(entry);
      this.#ask();
    });
  }

  /** Takes no batch until `resume`: the model is being replaced. What runs goes on. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#ask();
  }

  /** Refuses what comes from now on; resolves when all that was accepted is answered. */
  close(): Promise<void> {
    this.#isClosed = true;
    this.#ask();
    return this.idle();
  }

  /** Resolves when nothing waits or runs. */
  idle(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Resolves when nothing runs. While the queue is paused, nothing will. */
  async settled(): Promise<void> {
    if (this.#inFlight.length > 0) await new Promise<void>((resolve) => this.#settled.push(resolve));
  }

  /** Fails all that waits: there will be nothing to run it. */
  failAll(error: Error): void {
    const all = this.#waiting;
    this.#waiting = [];
    for (const entry of all) {
      entry.forget();
      entry.reject(error);
    }
    this.#tellIdle();
  }

  #ask(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.#environment.soon(() => {
      this.#isAsked = false;
      this.#take();
    });
  }

  #take(): void {
    if (this.#isPaused || this.#waiting.length === 0 || this.#inFlight.length === MOST_IN_FLIGHT) return;
    const { maxBatchSize } = this.#limits;
    const running = this.#inFlight.at(0)?.entries.length ?? 0;
    const least = running > 0 ? Math.min(Math.max(running, LEAST_HANDED_OVER), maxBatchSize) : 1;
    if (this.#waiting.length < least) return;
    const { entries, isFull } = this.#next();
    if (entries.length < least && !isFull) return;
    const { maxWaitMs = 0 } = this.#limits;
    const waitMs = this.#waiting[0].arrivedAt + maxWaitMs - this.#environment.now();
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    if (waitMs > 0 && !isFull && !this.#isClosed) {
      this.#stopTimer = this.#environment.after(waitMs, () => this.#ask());
      return;
    }
    const taken = new Set(entries);
    this.#waiting = this.#waiting.filter((entry) => !taken.has(entry));
    void this.#run(entries);
    // And the one behind it.
    this.#take();
  }

  /** The oldest request and those of its window that go with it, the shortest first. */
  #next(): { entries: Entry<In, Out>[]; isFull: boolean } {
    const { maxBatchSize, maxBatchTokens } = this.#limits;
    const leastFilled = this.skipsPadding ? LEAST_FILLED_OF_ATTENTION : LEAST_FILLED;
    const oldest = this.#waiting[0];
    const entries = [oldest];
    let [rows, longest, tokens] = [oldest.inputs.length, oldest.longest, sum(oldest.lengths)];
    for (const entry of this.#window(oldest)) {
      if (rows >= maxBatchSize) break;
      const next = {
        rows: rows + entry.inputs.length,
        longest: Math.max(longest, entry.longest),
        tokens: tokens + sum(entry.lengths),
      };
      const padded = next.longest * next.rows;
      if (next.rows > maxBatchSize || padded > maxBatchTokens) continue;
      if (padded > FREE_TOKENS && next.tokens < leastFilled * padded) continue;
      entries.push(entry);
      ({ rows, longest, tokens } = next);
    }
    entries.sort((a, b) => a.longest - b.longest);
    return { entries, isFull: rows >= maxBatchSize };
  }

  /** What waits longest and may run with a request, the nearest in length first. */
  #window(oldest: Entry<In, Out>): Entry<In, Out>[] {
    const alike = this.#waiting.filter((entry) => entry !== oldest && entry.key === oldest.key);
    const distance = ({ longest }: Entry<In, Out>) => Math.abs(longest - oldest.longest);
    return alike.slice(0, WINDOW * this.#limits.maxBatchSize).sort((a, b) => distance(a) - distance(b));
  }

  async #run(entries: readonly Entry<In, Out>[]): Promise<void> {
    const { now, run, onBatch } = this.#environment;
    const rows = sum(entries.map(({ inputs }) => inputs.length));
    const isBehind = this.#inFlight.length > 0;
    const flight: Flight<In, Out> = { entries, rows, controller: new AbortController(), isBehind, beganAt: now() };
    this.#inFlight.push(flight);
    onBatch?.(rows, rows * Math.max(...entries.map(({ longest }) => longest)));
    let outcomes: readonly Outcome<Out>[];
    let hasRun = true;
    try {
      const requests = entries.map(({ inputs }) => inputs);
      outcomes = await run({ key: entries[0].key, requests, signal: flight.controller.signal });
    } catch (error) {
      outcomes = entries.map(() => ({ error: error as Error }));
      hasRun = false;
    }
    const endedAt = now();
    this.#inFlight.splice(this.#inFlight.indexOf(flight), 1);
    const next = this.#inFlight.at(0);
    if (next) next.beganAt = endedAt;
    // What waits is taken first: to write the answers of a large batch takes milliseconds, in which the model would stand still.
    // What could not run a batch may have ended, and whoever knows pauses the queue before the next.
    if (hasRun) this.#take();
    else this.#ask();
    if (!hasRun && flight.isBehind) this.#waiting.unshift(...entries.filter(({ isCancelled }) => !isCancelled));
    else this.#answer(flight, outcomes, endedAt);
    if (this.#inFlight.length === 0) for (const resolve of this.#settled.splice(0)) resolve();
    this.#tellIdle();
  }

  #answer({ entries, rows, beganAt }: Flight<In, Out>, outcomes: readonly Outcome<Out>[], endedAt: number): void {
    for (const [i, entry] of entries.entries()) {
      entry.forget();
      const outcome = outcomes[i];
      const times = { queueMs: beganAt - entry.arrivedAt, inferenceMs: endedAt - beganAt, batchSize: rows };
      // One that was cancelled meanwhile has been answered.
      if ('error' in outcome) entry.reject(outcome.error);
      else entry.resolve({ results: outcome.results, times });
    }
  }

  #cancel(entry: Entry<In, Out>, reason: unknown): void {
    entry.isCancelled = true;
    entry.reject(reason);
    this.#waiting = this.#waiting.filter((other) => other !== entry);
    const flight = this.#inFlight.find(({ entries }) => entries.includes(entry));
    if (flight?.entries.every(({ isCancelled }) => isCancelled)) flight.controller.abort(reason);
    this.#tellIdle();
  }

  #isIdle(): boolean {
    return this.#waiting.length === 0 && this.#inFlight.length === 0;
  }

  #tellIdle(): void {
    if (!this.#isIdle()) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
