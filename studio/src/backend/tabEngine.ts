/** The engines of a tab: onnxruntime-web, its files served by the site itself. */
import type { Engine } from '../../../src/engine/engine.js';
import { createWebEngine } from '../../../src/engine/onnxruntime/webEngine.js';
import type { Progress } from './backend.js';
import { fetchWatched } from './fetchWatched.js';
import { usableThreads } from './threads.js';
import { yielding } from './yieldingEngine.js';

/** Below the site's own address; vite.config.ts copies the runtime's files there. */
const RUNTIME_FOLDER = 'runtime/';

export type OpenEngine = (site: string, onProgress?: (progress: Progress) => void) => Promise<Engine>;

/**
 * WebAssembly on the CPU.
 * @param site  the address that the runtime's files lie below
 * @param onProgress  of its 14 MB, which come first
 */
export const openCpuEngine: OpenEngine = async (site, onProgress) => {
  const runtime = await runtimeOf(site, 'ort-wasm-simd-threaded.wasm', onProgress);
  return yielding(await createWebEngine({ ...runtime, threads: usableThreads() }));
};

/**
 * WebGPU; its runtime is 27 MB and loaded when it is wanted.
 * @throws EngineError where there is no adapter
 */
export const openWebGpuEngine: OpenEngine = async (site, onProgress) => {
  const [runtime, { createWebGpuEngine }] = await Promise.all([
    runtimeOf(site, 'ort-wasm-simd-threaded.asyncify.wasm', onProgress),
    import('../../../src/engine/onnxruntime/webGpuEngine.js'),
  ]);
  return createWebGpuEngine(runtime);
};

async function runtimeOf(site: string, name: string, onProgress?: (progress: Progress) => void) {
  const wasmPaths = new URL(RUNTIME_FOLDER, site).href;
  const wasmBinary = await fetchWatched(new URL(name, wasmPaths), (loadedBytes, totalBytes) =>
    onProgress?.({ what: 'engine', loadedBytes, totalBytes }),
  );
  return { wasmPaths, wasmBinary };
}
