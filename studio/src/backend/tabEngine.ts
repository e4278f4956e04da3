/** The engines of a tab: onnxruntime-web, its files served by the site itself. */
import type { Engine } from '../../../src/engine/engine.js';
import { EngineError } from '../../../src/engine/engineError.js';
import { createWebEngine } from '../../../src/engine/onnxruntime/webEngine.js';
import type { Progress } from './backend.js';
import { fetchWatched } from './fetchWatched.js';
import { usableThreads } from './threads.js';
import { yielding } from './yieldingEngine.js';

/** Below the site's own address; vite.config.ts copies the runtime's files there. */
const RUNTIME_FOLDER = 'runtime/';

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
  await requireHardware();
  // Loaded when it is wanted: its runtime is 27 MB.
  const { createWebGpuEngine } = await import('../../../src/engine/onnxruntime/webGpuEngine.js');
  return createWebGpuEngine({ wasmPaths: runtimeAt(site) });
}

interface Gpu {
  requestAdapter(): Promise<{ readonly info?: { readonly isFallbackAdapter?: boolean } } | null>;
}

async function requireHardware(): Promise<void> {
  const { gpu } = globalThis.navigator as unknown as { gpu?: Gpu };
  const adapter = await gpu?.requestAdapter();
  if (adapter && adapter.info?.isFallbackAdapter !== true) return;
  throw new EngineError('there is no hardware for WebGPU here', { subject: 'device', found: 'webgpu' });
}

const runtimeAt = (site: string) => new URL(RUNTIME_FOLDER, site).href;
