/** The page's end of the tab's worker: requests with numbers, their progress, their results, and their cancelling. */
import { BackendError, type CallOptions, type Progress } from './backend.js';
import type { FromWorker, PlainError, TabRequestKind, TabRequests, ToWorker } from './tabProtocol.js';

/** What is used of a Worker; a MessagePort serves as well. */
export interface WorkerPort {
  postMessage(message: ToWorker): void;
  addEventListener(type: 'message', listener: (event: { readonly data: FromWorker }) => void): void;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly onProgress?: (progress: Progress) => void;
}

export class TabSession {
  readonly #port: WorkerPort;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  /** Why the worker answers no more. */
  #dead?: BackendError;

  constructor(port: WorkerPort) {
    this.#port = port;
    port.addEventListener('message', ({ data }) => this.#receive(data));
  }

  /**
   * Asks the worker.
   * @throws BackendError with what it says; the signal's reason when that ends the wait
   */
  request<K extends TabRequestKind>(
    kind: K,
    input: TabRequests[K]['input'],
    { signal, onProgress }: CallOptions = {},
  ): Promise<TabRequests[K]['output']> {
    if (this.#dead) return Promise.reject(this.#dead);
    if (signal?.aborted) return Promise.reject(signal.reason);
    const id = this.#next++;
    return new Promise<unknown>((resolve, reject) => {
      const cancel = () => {
        this.#waiting.delete(id);
        this.#port.postMessage({ id, kind: 'cancel' });
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', cancel, { once: true });
      const settled =
        <T>(settle: (value: T) => void) =>
        (value: T) => {
          signal?.removeEventListener('abort', cancel);
          settle(value);
        };
      this.#waiting.set(id, { resolve: settled(resolve), reject: settled(reject), onProgress });
      this.#port.postMessage({ id, kind, input } as ToWorker);
    }) as Promise<TabRequests[K]['output']>;
  }

  /** Fails all that waits, now and later: the worker has ended. */
  fail(error: PlainError): void {
    this.#dead = errorOf(error);
    for (const { reject } of this.#waiting.values()) reject(this.#dead);
    this.#waiting.clear();
  }

  #receive(message: FromWorker): void {
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return; // cancelled
    if (message.kind === 'progress') {
      waiting.onProgress?.(message.progress);
      return;
    }
    this.#waiting.delete(message.id);
    if (message.kind === 'result') waiting.resolve(message.value);
    else waiting.reject(errorOf(message.error));
  }
}

function errorOf({ message, advice }: PlainError): BackendError {
  return new BackendError(message, advice);
}
