/**
 * The engine of browsers: onnxruntime-web as WebAssembly, on the CPU. State lies in typed arrays on the JavaScript side.
 * Needs nothing of Node, and runs there too. WebGPU has an entry of its own, `pleiad/webgpu`: a bundler copies the .wasm
 * file of every runtime that it sees imported (14 MB for this one, 27 MB for WebGPU), used or not.
 */
import type { InferenceSession, InferenceSessionFactory, TensorConstructor } from 'onnxruntime-common';
import type { Graph } from '../../graph/graph.js';
import { Arenas } from '../arenas.js';
import type { CompileOptions, Engine, EngineOptions, EngineState, Program, StateLayout } from '../engine.js';
import { EngineError } from '../engineError.js';
import { lowerGraph } from '../onnx/lower.js';
import { encodeModel } from '../onnx/model.js';
import { QueuedProgram } from './queuedProgram.js';
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
  const runtime = await loadRuntime(threads);
  configureRuntime(runtime, options);
  return new WebEngine(runtime, threads);
}

/** Says where the runtime's files are and with how many threads it computes; before its first session. */
export function configureRuntime({ env }: Pick<WebRuntime, 'env'>, options: WebEngineOptions): void {
  const { threads = 1, wasmPaths, wasmBinary } = options;
  env.wasm.numThreads = threads;
  if (wasmPaths !== undefined) env.wasm.wasmPaths = wasmPaths;
  if (wasmBinary !== undefined) env.wasm.wasmBinary = wasmBinary;
}

/** What is said of an engine of the web. */
export function describeRuntime({ env }: Pick<WebRuntime, 'env'>, device: string, threads: number): string {
  return `${WEB_ENGINE} ${env.versions.web ?? ''}, ${device}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
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

  constructor(runtime: WebRuntime, threads: number) {
    this.#runtime = runtime;
    this.description = describeRuntime(runtime, 'cpu', threads);
  }

  async createState(layout: StateLayout): Promise<EngineState> {
    return new WebState(layout);
  }

  async compile(graph: Graph, { label, state, weights }: CompileOptions): Promise<Program> {
    const lowered = lowerGraph(graph, { target: 'cpu', name: label, weights });
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
    return new QueuedProgram(program);
  }

  async close(): Promise<void> {}

  #sessionOptions(external: { path: string; data: Uint8Array } | undefined): InferenceSession.SessionOptions {
    return {
      executionProviders: ['wasm'],
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
