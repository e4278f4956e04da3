/**
 * The engine of browsers: onnxruntime-web as WebAssembly, on the CPU. State lies in typed arrays on the JavaScript side.
 * Needs nothing of Node, and runs there too. WebGPU has an entry of its own, `pleiad/webgpu`: a bundler copies the .wasm
 * file of every runtime that it sees imported (14 MB for this one, 27 MB for WebGPU), used or not.
 */
import type { InferenceSession, InferenceSessionFactory, TensorConstructor } from 'onnxruntime-common';
import type { Graph } from '../../graph/graph.js';
import { Arenas } from '../arenas.js';
import type {
  ArenaRange,
  CompileOptions,
  Engine,
  EngineOptions,
  EngineState,
  Program,
  StateLayout,
  Tensors,
} from '../engine.js';
import { EngineError } from '../engineError.js';
import { lowerGraph } from '../onnx/lower.js';
import { encodeModel } from '../onnx/model.js';
import { SessionProgram, signatureOf } from './sessionProgram.js';

export const WEB_ENGINE = 'onnxruntime-web';

/** What the driver uses of the runtime's bundles, which all export the same. */
export interface WebRuntime {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: TensorConstructor;
  readonly env: {
    readonly versions: { readonly web?: string };
    readonly wasm: { numThreads?: number; wasmPaths?: unknown; wasmBinary?: ArrayBufferLike | Uint8Array };
  };
}

export interface WebEngineOptions extends EngineOptions {
  /** Where the runtime's .wasm files are served; beside the bundle by default. */
  readonly wasmPaths?: string;
  /** The content of the .wasm file, of a page that has it: in one file with the page, or fetched with a bar of progress. */
  readonly wasmBinary?: Uint8Array<ArrayBuffer>;
}

/**
 * Loads onnxruntime-web. `threads` is 1 by default; more need a page that is cross-origin isolated.
 * @throws EngineError for any device but the CPU
 */
export async function createWebEngine(options: WebEngineOptions = {}): Promise<Engine> {
  const { device = 'cpu', threads = 1 } = options;
  if (device !== 'cpu') throw otherDevice(device);
  return startWebEngine(await loadRuntime(threads), 'cpu', options);
}

/** The engine over a runtime that is loaded. */
export function startWebEngine(runtime: WebRuntime, device: 'cpu' | 'webgpu', options: WebEngineOptions): Engine {
  const { threads = 1, wasmPaths, wasmBinary } = options;
  runtime.env.wasm.numThreads = threads;
  if (wasmPaths !== undefined) runtime.env.wasm.wasmPaths = wasmPaths;
  if (wasmBinary !== undefined) runtime.env.wasm.wasmBinary = wasmBinary;
  return new WebEngine(runtime, device, threads);
}

function otherDevice(device: 'cuda' | 'webgpu'): EngineError {
  const advice = {
    webgpu: "Use createWebGpuEngine() of 'pleiad/webgpu'",
    cuda: "Use createWebGpuEngine() of 'pleiad/webgpu', or createNodeEngine() of 'pleiad/node'",
  };
  return new EngineError(`device "${device}" is not in the WebAssembly build of onnxruntime-web`, {
    subject: 'device',
    found: device,
    expected: 'cpu',
    advice: advice[device],
  });
}

async function loadRuntime(threads: number): Promise<WebRuntime> {
  // Under Node the WebAssembly bundle cannot start threads; the default bundle for Node can. Its name stands in a
  // variable, so that no bundler follows it: for a page it stands for another runtime, whose .wasm file has 28 MB.
  const inNode = typeof process !== 'undefined' && process.versions?.node !== undefined;
  const nodeBundle = 'onnxruntime-web';
  if (inNode && threads > 1) return (await import(/* @vite-ignore */ nodeBundle)) as unknown as WebRuntime;
  return (await import('onnxruntime-web/wasm')) as unknown as WebRuntime;
}

class WebEngine implements Engine {
  readonly name = WEB_ENGINE;
  readonly description: string;
  readonly #runtime: WebRuntime;
  readonly #device: 'cpu' | 'webgpu';

  constructor(runtime: WebRuntime, device: 'cpu' | 'webgpu', threads: number) {
    this.#runtime = runtime;
    this.#device = device;
    this.description = `${WEB_ENGINE} ${runtime.env.versions.web ?? ''}, ${device}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  }

  async createState(layout: StateLayout): Promise<EngineState> {
    return new WebState(layout);
  }

  async compile(graph: Graph, { label, state, weights }: CompileOptions): Promise<Program> {
    const lowered = lowerGraph(graph, { target: this.#device === 'webgpu' ? 'portable' : 'cpu', name: label, weights });
    const { bytes, external } = encodeModel(lowered.model);
    const session = await this.#runtime.InferenceSession.create(bytes, this.#sessionOptions(external)).catch(
      (cause: Error) => {
        throw new EngineError(`program "${label}": ${cause.message}`, { subject: label, cause });
      },
    );
    const program = new SessionProgram({
      signature: signatureOf(label, lowered),
      session,
      tensor: this.#runtime.Tensor,
      arenas: arenasOf(state),
      writesInPlace: false,
    });
    return new WebProgram(program);
  }

  async close(): Promise<void> {}

  #sessionOptions(external: { path: string; data: Uint8Array } | undefined): InferenceSession.SessionOptions {
    return {
      executionProviders: [this.#device === 'webgpu' ? 'webgpu' : 'wasm'],
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
      ...(external && { externalData: [external] }),
    };
  }
}

function arenasOf(state: EngineState | undefined): Arenas | undefined {
  if (state === undefined || state instanceof WebState) return state?.arenas;
  throw new EngineError('the state belongs to another engine', {
    advice: 'Create it with `createState` of the engine that compiles',
  });
}

class WebState implements EngineState {
  readonly layout: StateLayout;
  readonly arenas: Arenas;

  constructor(layout: StateLayout) {
    this.layout = layout;
    this.arenas = new Arenas(layout);
  }
  async read(arena: string, start?: number, end?: number, into?: Float32Array): Promise<Float32Array> {
    const values = this.arenas.range(arena, start, end);
    if (!into) return values.slice();
    into.set(values);
    return into;
  }
  async write(arena: string, data: Float32Array, start?: number): Promise<void> {
    this.arenas.write(arena, data, start);
  }
  async release(): Promise<void> {}
}

/** One run at a time: the runtime refuses a second call of a session before the first has ended. */
class WebProgram implements Program {
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
