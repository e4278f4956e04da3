/**
 * The caller's side of a driver of Node: an engine in a worker thread, so that the caller's event loop is never blocked,
 * and the state and programs that live there.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { EngineState, Program, StateLayout, Tensor, Tensors } from '../engine.js';
import { EngineError } from '../engineError.js';
import { Gate } from './gate.js';
import { LAST_REQUEST, type Notice, type Reply, type RequestKind, type Requests, type WorkerData } from './protocol.js';

/** How long an exiting process waits for one engine call: longer than any that has been seen. */
const EXIT_PATIENCE_MS = 60_000;

/** @throws EngineError for anything but a whole number from 1 */
export function requireThreads(threads: number = availableParallelism()): number {
  if (Number.isInteger(threads) && threads > 0) return threads;
  throw new EngineError(`threads is ${threads}, expected a whole number from 1`, {
    subject: 'threads',
    found: threads,
  });
}

interface Pending {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
  readonly label?: string;
}

export interface WorkerOptions<Settings> {
  /** The compiled script, which calls `serveEngine`. */
  readonly script: URL;
  readonly settings: Settings;
  /** Told what the worker has to say to the user. */
  readonly onWarning?: (warning: string) => void;
}

/** Requests to the worker and their replies. An idle worker does not keep the process alive. */
export class WorkerClient<Greeting = unknown> {
  readonly greeting: Greeting;
  readonly #worker: Worker;
  readonly #gate: Gate;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #ended?: EngineError;
  #closing?: Promise<void>;

  private constructor(worker: Worker, gate: Gate, greeting: Greeting, onWarning?: (warning: string) => void) {
    this.#worker = worker;
    this.#gate = gate;
    this.greeting = greeting;
    worker.on('message', (message: Reply | Notice | typeof LAST_REQUEST) => {
      if (message === LAST_REQUEST) return;
      if ('warning' in message) onWarning?.(message.warning);
      else this.#settle(message);
    });
    worker.on('error', (cause) =>
      this.#end(new EngineError(`the engine's thread failed: ${cause.message}`, { cause })),
    );
    worker.on('exit', (code) => {
      process.off('exit', this.#letWorkerOut);
      this.#end(new EngineError(`the engine's thread ended with code ${code}`));
    });
    process.on('exit', this.#letWorkerOut);
    // Last, since listening takes a hold of the process again.
    worker.unref();
  }

  /** Resolves with the worker's greeting: it has loaded its runtime. */
  static start<Settings, Greeting>({
    script,
    settings,
    onWarning,
  }: WorkerOptions<Settings>): Promise<WorkerClient<Greeting>> {
    const gate = new Gate();
    const worker = new Worker(script, {
      workerData: { settings, gate: gate.flags.buffer as SharedArrayBuffer } satisfies WorkerData<Settings>,
      // The caller's own (for instance --input-type) are not meant for this script.
      execArgv: [],
    });
    return new Promise((resolve, reject) => {
      const failed = (cause: Error) =>
        reject(new EngineError(`the engine's thread did not start: ${cause.message}`, { cause }));
      worker.once('error', failed);
      worker.once('message', (greeting: Greeting) => {
        worker.off('error', failed);
        resolve(new WorkerClient(worker, gate, greeting, onWarning));
      });
    });
  }

  request<K extends RequestKind>(
    kind: K,
    args: Requests[K]['arguments'],
    transfer: ArrayBuffer[] = [],
    label?: string,
  ): Promise<Requests[K]['result']> {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      this.#pending.set(id, { resolve, reject, label });
      this.#worker.ref();
      this.#worker.postMessage({ id, kind, arguments: args }, transfer);
    });
  }

  /** Rejects all requests at once; resolves when the worker is out of the runtime and has ended. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#ended) return;
    this.#end(new EngineError('the engine is closed'));
    this.#gate.shut();
    const out = new Promise<void>((resolve) => {
      this.#worker.on('message', (reply: unknown) => reply === LAST_REQUEST && resolve());
      this.#worker.on('exit', () => resolve());
    });
    this.#worker.ref();
    this.#worker.postMessage(LAST_REQUEST);
    await out;
    await this.#worker.terminate();
  }

  /** When the process exits, Node ends its threads: see Gate why that must wait for the call under way. */
  readonly #letWorkerOut = () => {
    this.#gate.shut();
    this.#gate.waitUntilLeft(EXIT_PATIENCE_MS);
  };

  #settle(reply: Reply): void {
    const pending = this.#pending.get(reply.id);
    if (!pending) return;
    this.#pending.delete(reply.id);
    if (this.#pending.size === 0) this.#worker.unref();
    if ('result' in reply) {
      pending.resolve(reply.result as never);
    } else {
      const { message, ...details } = reply.error;
      const named = pending.label === undefined || message.includes(`"${pending.label}"`);
      pending.reject(new EngineError(named ? message : `program "${pending.label}": ${message}`, details));
    }
  }

  #end(reason: EngineError): void {
    this.#ended ??= reason;
    for (const { reject } of this.#pending.values()) reject(this.#ended);
    this.#pending.clear();
  }
}

/** State in the worker. */
export class WorkerState implements EngineState {
  readonly layout: StateLayout;
  readonly #client: WorkerClient;
  readonly #id: number;

  private constructor(client: WorkerClient, layout: StateLayout, id: number) {
    this.#client = client;
    this.layout = layout;
    this.#id = id;
  }

  static async create(client: WorkerClient, layout: StateLayout): Promise<WorkerState> {
    return new WorkerState(client, layout, await client.request('createState', { layout }));
  }

  /**
   * The number by which the worker of `client` knows a state.
   * @throws EngineError when it is another engine's
   */
  static idOf(state: EngineState | undefined, client: WorkerClient): number | undefined {
    if (state === undefined) return undefined;
    if (state instanceof WorkerState && state.#client === client) return state.#id;
    throw new EngineError('the state belongs to another engine', {
      advice: 'Create it with `createState` of the engine that compiles',
    });
  }

  async read(arena: string, start?: number, end?: number, into?: Float32Array): Promise<Float32Array> {
    const request = { state: this.#id, arena, start, end };
    if (!into) return this.#client.request('read', request);
    if (isShared(into)) await this.#client.request('readInto', { ...request, into });
    else into.set(await this.#client.request('read', request));
    return into;
  }

  write(arena: string, data: Float32Array, start?: number): Promise<void> {
    if (isShared(data)) return this.#client.request('write', { state: this.#id, arena, data, start });
    const copy = Float32Array.from(data);
    return this.#client.request('write', { state: this.#id, arena, data: copy, start }, [copy.buffer]);
  }

  release(): Promise<void> {
    return this.#client.request('releaseState', { state: this.#id });
  }
}

/** A program in the worker. */
export class WorkerProgramHandle implements Program {
  readonly #client: WorkerClient;
  readonly #label: string;
  readonly #id: number;
  readonly profile?: () => Promise<Record<string, number>>;

  constructor(client: WorkerClient, label: string, id: number, profile: boolean) {
    this.#client = client;
    this.#label = label;
    this.#id = id;
    if (profile) this.profile = () => client.request('profile', { program: id }, [], label);
  }

  run(feeds: Tensors): Promise<Tensors> {
    return this.#client.request('run', { program: this.#id, feeds: compactAll(feeds) }, [], this.#label);
  }

  runOverArenas(ranges: Parameters<Program['runOverArenas']>[0], chunk: number): Promise<Record<string, number>> {
    const compacted = ranges.map((range) => ({ ...range, feeds: compactAll(range.feeds) }));
    return this.#client.request('runOverArenas', { program: this.#id, ranges: compacted, chunk }, [], this.#label);
  }

  release(): Promise<void> {
    return this.#client.request('releaseProgram', { program: this.#id }, [], this.#label);
  }
}

/** Whether both threads see the values, so that a message need not carry them. */
function isShared({ buffer }: Float32Array): boolean {
  return buffer instanceof SharedArrayBuffer;
}

function compactAll(feeds: Tensors): Tensors {
  return Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, compact(tensor)]));
}

/** A message carries the whole buffer under a view, so a view of a larger buffer is cut out first. */
function compact(tensor: Tensor): Tensor {
  const { data } = tensor;
  return data.byteLength === data.buffer.byteLength ? tensor : { ...tensor, data: data.slice() };
}
