/** A model that is served: its queue, the thread that runs it, and what happens when that dies or the folder changes. */

import type { PipelineName } from '../pipelines/registry.js';
import { BatchQueue, type Outcome } from './batchQueue.js';
import { ModelError, notReady, refusalOf } from './servingErrors.js';
import type { ServingSettings } from './servingSettings.js';
import type { SentError, SentOutcome } from './threadProtocol.js';

/** What runs batches: a thread, or in tests something simpler. */
export interface ModelRunner {
  run(batch: RunnerBatch, signal: AbortSignal): Promise<readonly SentOutcome[]>;
  /** Whether batches run without their padding. Default false. */
  readonly skipsPadding?: boolean;
  /** Resolves with the reason once it has ended by itself. */
  readonly died: Promise<Error>;
  close(): Promise<void>;
}

export interface RunnerBatch {
  readonly pipeline: PipelineName;
  readonly options: object;
  readonly requests: readonly (readonly unknown[])[];
}

/** What a place is and what runs it, by functions of files and threads. */
export interface ModelSource<Card> {
  /** Reads what the place has. */
  describe(): Promise<Card>;
  /** Starts a runner with the model's own pipeline loaded. */
  start(card: Card): Promise<ModelRunner>;
  /** Another text once the files have changed. */
  signature(): string;
}

export interface ServedModelEnvironment {
  now(): number;
  after(ms: number, call: () => void): () => void;
  soon(call: () => void): void;
  /** Turns an error that a runner sent into one. */
  received(error: SentError): Error;
  onBatch(id: string, size: number, tokens: number): void;
  onEvent(event: ModelEvent): void;
}

export interface ModelEvent {
  readonly type: 'loaded' | 'reloaded' | 'load-failed' | 'reload-failed' | 'died';
  readonly model: string;
  readonly error?: Error;
  readonly elapsedMs?: number;
}

export interface Work {
  readonly pipeline: PipelineName;
  readonly options: object;
  readonly inputs: readonly unknown[];
  readonly lengths: readonly number[];
}

export type ModelState = 'unloaded' | 'loading' | 'ready' | 'failed' | 'closed';

/** Waits between attempts to start what died or did not load, ms; the last is repeated. */
const RETRY_MS = [0, 1000, 5000, 30_000];

export class ServedModel<Card> {
  readonly id: string;
  readonly queue: BatchQueue<unknown, unknown>;
  readonly #source: ModelSource<Card>;
  readonly #environment: ServedModelEnvironment;
  #state: ModelState = 'unloaded';
  #failure?: Error;
  /** Why the folder's present content was not taken over; the model before it goes on. */
  #reloadFailure?: Error;
  #card?: Card;
  #runner?: ModelRunner;
  #signature = '';
  /** What the last look saw: files are taken over when two looks see the same, for they may be half written. */
  #seen = '';
  #loading?: Promise<void>;
  #attempts = 0;
  #stopRetry?: () => void;

  constructor(
    id: string,
    source: ModelSource<Card>,
    settings: Pick<ServingSettings, 'maxBatchTokens' | 'maxBatchSize' | 'maxQueue' | 'maxWait'>,
    environment: ServedModelEnvironment,
  ) {
    this.id = id;
    this.#source = source;
    this.#environment = environment;
    this.queue = new BatchQueue(
      { ...settings, maxWaitMs: settings.maxWait },
      {
        run: (batch) => this.#run(batch.key, batch.requests, batch.signal),
        now: environment.now,
        after: environment.after,
        soon: environment.soon,
        onBatch: (size, tokens) => environment.onBatch(id, size, tokens),
      },
      { paused: true },
    );
  }

  get state(): ModelState {
    return this.#state;
  }

  /** Why it does not run, or does not run what its folder has now. */
  get failure(): Error | undefined {
    return this.#failure ?? this.#reloadFailure;
  }

  /** What it is; undefined where not even that could be read. */
  get card(): Card | undefined {
    return this.#card;
  }

  /** Reads what it is, and loads nothing yet. */
  async describe(): Promise<void> {
    try {
      this.#card = await this.#source.describe();
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  /** Loads it where it is not; a failure is remembered, and told to whoever asks. */
  load(): Promise<void> {
    if (this.#state === 'ready' || this.#state === 'closed') return Promise.resolve();
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  /**
   * Runs a request when its turn comes. One that comes while the model is loaded, or loads it, waits for that.
   * @throws RequestError 503 where it cannot be loaded; what `BatchQueue.add` throws
   */
  async run({ pipeline, options, inputs, lengths }: Work, signal: AbortSignal) {
    if (this.#state === 'failed') throw this.#notLoaded();
    if (this.#state === 'unloaded') void this.load();
    const key = JSON.stringify([pipeline, options]);
    return this.queue.add({ key, inputs, lengths }, signal);
  }

  /** Looks at the files; those that changed and stand still are loaded beside what runs, which then gives way. */
  async look(): Promise<void> {
    if (this.#state === 'unloaded' || this.#state === 'closed' || this.#loading) return;
    const now = this.#source.signature();
    const isSettled = now === this.#seen;
    this.#seen = now;
    if (now === this.#signature || !isSettled) return;
    if (this.#state === 'failed') return this.load();
    await this.#replace(now);
  }

  /** Answers all that was accepted, then ends the runner. */
  async close(): Promise<void> {
    await this.queue.close();
    await this.#end();
  }

  /** Ends at once: what waits is refused. */
  async abandon(): Promise<void> {
    this.queue.failAll(notReady('the server is shutting down'));
    await this.#end();
  }

  async #end(): Promise<void> {
    this.#state = 'closed';
    this.#stopRetry?.();
    const runner = this.#runner;
    this.#runner = undefined;
    await runner?.close();
  }

  async #load(): Promise<void> {
    const { now, onEvent } = this.#environment;
    const startedAt = now();
    this.#stopRetry?.();
    this.#state = 'loading';
    this.#signature = this.#source.signature();
    this.#seen = this.#signature;
    try {
      const card = await this.#source.describe();
      const runner = await this.#source.start(card);
      if (this.#isClosed()) return void (await runner.close());
      this.#use(card, runner);
      onEvent({ type: 'loaded', model: this.id, elapsedMs: now() - startedAt });
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #fail(error: Error): void {
    this.#state = 'failed';
    this.#failure = error;
    this.queue.failAll(this.#notLoaded());
    this.#environment.onEvent({ type: 'load-failed', model: this.id, error });
  }

  #notLoaded(): Error {
    return notReady(`the model ${JSON.stringify(this.id)} could not be loaded; /readyz says why`);
  }

  #isClosed(): boolean {
    return this.#state === 'closed';
  }

  #use(card: Card, runner: ModelRunner): void {
    this.#card = card;
    this.#runner = runner;
    this.#failure = undefined;
    this.#reloadFailure = undefined;
    this.#state = 'ready';
    this.queue.skipsPadding = runner.skipsPadding ?? false;
    void runner.died.then((error) => this.#onDeath(runner, error));
    this.queue.resume();
  }

  /** What its batch was is answered with the error; what waits is kept for the next. */
  #onDeath(runner: ModelRunner, error: Error): void {
    if (runner !== this.#runner || this.#isClosed()) return;
    this.queue.pause();
    this.#runner = undefined;
    this.#state = 'loading';
    const delay = RETRY_MS[Math.min(this.#attempts++, RETRY_MS.length - 1)];
    this.#environment.onEvent({ type: 'died', model: this.id, error });
    this.#stopRetry = this.#environment.after(delay, () => void this.load());
  }

  async #replace(signature: string): Promise<void> {
    const { now, onEvent } = this.#environment;
    const startedAt = now();
    this.#signature = signature;
    try {
      const card = await this.#source.describe();
      const runner = await this.#source.start(card);
      // One that has died meanwhile is being loaded again, from the same files.
      if (this.#state !== 'ready') return void (await runner.close());
      this.queue.pause();
      await this.queue.settled();
      const before = this.#runner;
      this.#use(card, runner);
      await before?.close();
      onEvent({ type: 'reloaded', model: this.id, elapsedMs: now() - startedAt });
    } catch (error) {
      this.#reloadFailure = error as Error;
      onEvent({ type: 'reload-failed', model: this.id, error: error as Error });
    }
  }

  async #run(
    key: string,
    requests: readonly (readonly unknown[])[],
    signal: AbortSignal,
  ): Promise<readonly Outcome<unknown>[]> {
    const [pipeline, options] = JSON.parse(key) as [PipelineName, object];
    if (!this.#runner) throw new ModelError(`the model ${JSON.stringify(this.id)} is not running`);
    const outcomes = await this.#runner.run({ pipeline, options, requests }, signal);
    const { received } = this.#environment;
    const converted = outcomes.map((each) => ('error' in each ? { error: received(each.error) } : each));
    // It has run a batch: should it die, it is started again at once.
    if (converted.some((each) => !('error' in each) || refusalOf(each.error)?.status === 422)) this.#attempts = 0;
    return converted;
  }
}
