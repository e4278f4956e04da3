/** The server's side of a model's thread: sends batches, and says when the thread has died. */
import { Worker } from 'node:worker_threads';
import { PleiadError } from '../errors/errors.js';
import { workerUrl } from '../files/workerUrl.js';
import { ModelError } from './servingErrors.js';
import type {
  DyingPart,
  FromThread,
  Greeting,
  RunRequest,
  SentError,
  SentOutcome,
  ThreadSettings,
  ToThread,
} from './threadProtocol.js';

/**
 * V8 begins to mark the whole heap when the old generation may grow by less than the young one is large. As `serve` lets it grow
 * little (src/cli/collectEarly.ts), the usual 48 MB would have this thread mark its vocabulary three times a second, and 12 once
 * in three seconds (docs/performance.md, Serving).
 */
const YOUNG_GENERATION_MB = 12;

type Waiting = { resolve: (outcomes: readonly SentOutcome[]) => void; reject: (error: Error) => void };

export class ThreadClient {
  readonly greeting: Greeting;
  /** Resolves with the reason when the thread has ended without being told to. */
  readonly died: Promise<Error>;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #ended?: Error;
  #isClosing = false;

  private constructor(worker: Worker, greeting: Greeting) {
    this.#worker = worker;
    this.greeting = greeting;
    this.died = new Promise((resolve) => {
      const end = (cause: string) => {
        this.#ended ??= new ModelError(`the model's thread ended (${cause}); it is started again`);
        for (const { reject } of this.#waiting.values()) reject(this.#ended);
        this.#waiting.clear();
        if (!this.#isClosing) resolve(this.#ended);
      };
      worker.on('message', (message: FromThread) => {
        if (!('id' in message)) return;
        const answered = this.#waiting.get(message.id);
        this.#waiting.delete(message.id);
        // First, so that nothing more is sent to it.
        if (message.isLast) end('its engine failed');
        answered?.resolve(message.outcomes);
      });
      worker.on('error', (error) => end(error.message));
      worker.on('exit', (code) => end(`code ${code}`));
    });
  }

  /**
   * Resolves when its pipelines are loaded.
   * @throws PleiadError saying why they are not
   */
  static readonly start = (settings: ThreadSettings): Promise<ThreadClient> => {
    const worker = new Worker(workerUrl('./modelThread.node.js', import.meta.url), {
      workerData: settings,
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    return new Promise((resolve, reject) => {
      const onExit = (code: number) => reject(new ModelError(`the model's thread ended at its start (code ${code})`));
      worker.once('error', reject);
      worker.once('exit', onExit);
      worker.once('message', (message: FromThread) => {
        worker.off('exit', onExit);
        if ('greeting' in message) {
          worker.off('error', reject);
          return resolve(new ThreadClient(worker, message.greeting));
        }
        // It ends by itself.
        reject('failed' in message ? receivedError(message.failed) : new ModelError('the model did not load'));
      });
    });
  };

  get skipsPadding(): boolean {
    return this.greeting.skipsPadding;
  }

  /** @throws ModelError when the thread dies meanwhile */
  async run(request: Omit<RunRequest, 'id'>, signal: AbortSignal): Promise<readonly SentOutcome[]> {
    if (this.#ended) throw this.#ended;
    const id = ++this.#lastId;
    const onAbort = () => this.#send({ cancel: id });
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject });
        this.#send({ ...request, id });
      });
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Ends the thread once what it computes is done. */
  async close(): Promise<void> {
    this.#isClosing = true;
    if (this.#ended) return;
    const out = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()));
    this.#send({ close: true });
    await out;
  }

  /** Has the thread, or its engine, end by an error, for tests of what follows. */
  die(part: DyingPart = 'thread'): void {
    this.#send({ die: part });
  }

  #send(message: ToThread): void {
    this.#worker.postMessage(message);
  }
}

/** The error that a thread sent, by its name and fields. */
export function receivedError({ name, message, advice: _, ...details }: SentError): PleiadError {
  // The advice stands in the message already.
  return Object.assign(new PleiadError(message, details), { name });
}
