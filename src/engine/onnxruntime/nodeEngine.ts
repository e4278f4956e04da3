/** The engine of Node: onnxruntime-node in a worker thread, so that the caller's event loop is never blocked. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type Graph, GraphBuilder } from '../../graph/graph.js';
import { workerUrl } from '../../workerUrl.js';
import type {
  CompileOptions,
  Engine,
  EngineOptions,
  EngineState,
  Program,
  StateLayout,
  Tensor,
  Tensors,
} from '../engine.js';
import { EngineError } from '../engineError.js';
import { lowerGraph } from '../onnx/lower.js';
import { encodeModel } from '../onnx/model.js';
import {
  Gate,
  type Greeting,
  LAST_REQUEST,
  type Reply,
  type RequestKind,
  type Requests,
  type WorkerData,
  type WorkerSettings,
} from './nodeProtocol.js';
import { signatureOf } from './sessionProgram.js';

const NAME = 'onnxruntime-node';

export interface NodeEngineOptions extends EngineOptions {
  /** Has every program take a profile. */
  readonly profile?: boolean;
}

/**
 * Starts an engine in a worker thread.
 * @throws EngineError when the worker does not start, or the device's provider is not in this build of the runtime
 */
export async function createNodeEngine(options: NodeEngineOptions = {}): Promise<Engine> {
  const { device = 'cpu', threads = availableParallelism(), profile = false } = options;
  if (!(Number.isInteger(threads) && threads > 0)) {
    throw new EngineError(`threads is ${threads}, expected a whole number from 1`, {
      subject: 'threads',
      found: threads,
    });
  }
  const client = await WorkerClient.start({ device, threads });
  const engine = new NodeEngine(client, { device, threads }, profile);
  if (device !== 'cpu') await probe(engine, device);
  return engine;
}

/** Whether the provider loads: the runtime may know it and still miss its libraries or a driver. */
async function probe(engine: Engine, device: WorkerSettings['device']): Promise<void> {
  const builder = new GraphBuilder();
  builder.output('y', builder.neg(builder.input('x', 'float32', [1])));
  try {
    const program = await engine.compile(builder.build(), { label: 'probe', profile: false });
    await program.run({ x: { dtype: 'float32', shape: [1], data: new Float32Array(1) } });
    await program.release();
  } catch (cause) {
    await engine.close();
    throw new EngineError(`device "${device}" does not start: ${(cause as Error).message}`, {
      subject: 'device',
      found: device,
      advice: advice[device],
      cause,
    });
  }
}

class NodeEngine implements Engine {
  readonly name = NAME;
  readonly description: string;
  readonly #client: WorkerClient;
  readonly #settings: WorkerSettings;
  readonly #profile: boolean;

  constructor(client: WorkerClient, settings: WorkerSettings, profile: boolean) {
    this.#client = client;
    this.#settings = settings;
    this.#profile = profile;
    this.description = `${NAME} ${client.version}, ${settings.device}, ${settings.threads} ${settings.threads === 1 ? 'thread' : 'threads'}`;
  }

  async createState(layout: StateLayout): Promise<EngineState> {
    return new NodeState(this.#client, layout, await this.#client.request('createState', { layout }));
  }

  async compile(graph: Graph, { label, state, weights, profile = this.#profile }: CompileOptions): Promise<Program> {
    const target = this.#settings.device === 'webgpu' ? 'portable' : 'cpu';
    const lowered = lowerGraph(graph, { target, name: label, weights });
    const model = encodeModel(lowered.model);
    const transfer = [model.bytes.buffer, ...(model.external ? [model.external.data.buffer] : [])];
    const id = await this.#client.request(
      'compile',
      { model, signature: signatureOf(label, lowered), state: stateId(state), profile },
      transfer,
      label,
    );
    return new NodeProgram(this.#client, label, id, profile);
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

function stateId(state: EngineState | undefined): number | undefined {
  if (state === undefined || state instanceof NodeState) return state?.id;
  throw new EngineError('the state belongs to another engine', {
    advice: 'Create it with `createState` of the engine that compiles',
  });
}

class NodeState implements EngineState {
  readonly layout: StateLayout;
  readonly id: number;
  readonly #client: WorkerClient;

  constructor(client: WorkerClient, layout: StateLayout, id: number) {
    this.#client = client;
    this.layout = layout;
    this.id = id;
  }

  async read(arena: string, start?: number, end?: number, into?: Float32Array): Promise<Float32Array> {
    const request = { state: this.id, arena, start, end };
    if (!into) return this.#client.request('read', request);
    if (isShared(into)) await this.#client.request('readInto', { ...request, into });
    else into.set(await this.#client.request('read', request));
    return into;
  }

  write(arena: string, data: Float32Array, start?: number): Promise<void> {
    if (isShared(data)) return this.#client.request('write', { state: this.id, arena, data, start });
    const copy = Float32Array.from(data);
    return this.#client.request('write', { state: this.id, arena, data: copy, start }, [copy.buffer]);
  }

  release(): Promise<void> {
    return this.#client.request('releaseState', { state: this.id });
  }
}

class NodeProgram implements Program {
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

/** How long an exiting process waits for one engine call: longer than any that has been seen. */
const EXIT_PATIENCE_MS = 60_000;

interface Pending {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
  readonly label?: string;
}

/** Requests to the worker and their replies. An idle worker does not keep the process alive. */
class WorkerClient {
  readonly version: string;
  readonly #worker: Worker;
  readonly #gate: Gate;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #ended?: EngineError;
  #closing?: Promise<void>;

  private constructor(worker: Worker, gate: Gate, version: string) {
    this.#worker = worker;
    this.#gate = gate;
    this.version = version;
    worker.on('message', (reply: Reply | typeof LAST_REQUEST) => {
      if (reply !== LAST_REQUEST) this.#settle(reply);
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

  /** Resolves once the worker has loaded the runtime and found the device's provider in it. */
  static start(settings: WorkerSettings): Promise<WorkerClient> {
    const gate = new Gate();
    const worker = new Worker(workerUrl('./nodeWorker.js', import.meta.url), {
      workerData: { settings, gate: gate.flags.buffer as SharedArrayBuffer } satisfies WorkerData,
      // The caller's own (for instance --input-type) are not meant for this script.
      execArgv: [],
    });
    return new Promise((resolve, reject) => {
      const failed = (cause: Error) =>
        reject(new EngineError(`the engine's thread did not start: ${cause.message}`, { cause }));
      worker.once('error', failed);
      worker.once('message', ({ version, providers }: Greeting) => {
        worker.off('error', failed);
        if (providers.includes(settings.device)) {
          resolve(new WorkerClient(worker, gate, version));
          return;
        }
        void worker.terminate();
        reject(missingProvider(settings.device, providers));
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

const advice = {
  cpu: 'Reinstall onnxruntime-node',
  cuda: 'Install its CUDA files with `npm rebuild onnxruntime-node --onnxruntime-node-install=cuda12` (Linux x64 with CUDA 12 and cuDNN), or use --device cpu',
  webgpu: 'On Linux it needs libvulkan1 and a Vulkan driver; on other machines another build. Use --device cpu',
};

function missingProvider(device: WorkerSettings['device'], providers: readonly string[]): EngineError {
  return new EngineError(
    `device "${device}" is not in this build of onnxruntime-node, which has ${providers.join(', ')}`,
    {
      subject: 'device',
      found: device,
      expected: providers.join(', '),
      advice: advice[device],
    },
  );
}
