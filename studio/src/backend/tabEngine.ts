/** The engines of a tab: onnxruntime-web, its files served by the site itself. */
import type { Engine, Program } from '../../../src/engine/engine.js';
import { createWebEngine } from '../../../src/engine/onnxruntime/webEngine.js';
import type { Progress } from './backend.js';
import { fetchWatched } from './fetchWatched.js';

/** Below the site's own address; vite.config.ts copies the runtime's files there. */
const RUNTIME_FOLDER = 'runtime/';
/** More threads than this bring little for short sentences and take memory each. */
const MOST_THREADS = 4;

/** Several threads share memory, which a page may do only behind two headers: cross-origin isolation. */
export function isIsolated(): boolean {
  return globalThis.crossOriginIsolated === true;
}

export function usableThreads(): number {
  return isIsolated() ? Math.max(1, Math.min(MOST_THREADS, globalThis.navigator?.hardwareConcurrency ?? 1)) : 1;
}

/**
 * @param site  the address that the runtime's files lie below
 * @param onProgress  of its 14 MB, which come first
 */
export async function openCpuEngine(site: string, onProgress?: (progress: Progress) => void): Promise<Engine> {
  const wasmPaths = runtimeAt(site);
  const wasmBinary = await fetchWatched(new URL('ort-wasm-simd-threaded.wasm', wasmPaths), (loadedBytes, totalBytes) =>
    onProgress?.({ what: 'engine', loadedBytes, totalBytes }),
  );
  return yielding(await createWebEngine({ threads: usableThreads(), wasmPaths, wasmBinary }));
}

/** @throws EngineError where there is no WebGPU, or only one that computes in software: it is never the faster one */
export async function openWebGpuEngine(site: string): Promise<Engine> {
  // Loaded when it is wanted: its runtime is 27 MB.
  const { createWebGpuEngine } = await import('../../../src/engine/onnxruntime/webGpuEngine.js');
  return createWebGpuEngine({ wasmPaths: runtimeAt(site) });
}

const runtimeAt = (site: string) => new URL(RUNTIME_FOLDER, site).href;

/**
 * Lets messages in before each run: WebAssembly computes at once, within the call, and a worker would hear of a cancelled
 * request only when all of its work is done.
 */
function yielding(engine: Engine): Engine {
  return {
    name: engine.name,
    description: engine.description,
    precision: engine.precision,
    threads: engine.threads,
    createState: (layout) => engine.createState(layout),
    compile: async (graph, options) => yieldingProgram(await engine.compile(graph, options)),
    close: () => engine.close(),
  };
}

function yieldingProgram(program: Program): Program {
  return {
    async run(feeds) {
      await nextTask();
      return program.run(feeds);
    },
    async runOverArenas(ranges, chunk) {
      await nextTask();
      return program.runOverArenas(ranges, chunk);
    },
    release: () => program.release(),
  };
}

/** After the messages that wait; a timer would be held back to four milliseconds. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
