/** The engine of browsers on WebGPU: onnxruntime-web's build for it, which an entry of its own keeps out of other pages. */
import type { Engine } from '../engine.js';
import { EngineError } from '../engineError.js';
import { startWebEngine, type WebEngineOptions, type WebRuntime } from './webEngine.js';

/**
 * Loads onnxruntime-web with WebGPU. It has run on no graphics processor yet: compare its results with those of
 * `createWebEngine` before you rely on them.
 * @throws EngineError where there is no WebGPU adapter
 */
export async function createWebGpuEngine(options: Omit<WebEngineOptions, 'device'> = {}): Promise<Engine> {
  await requireAdapter();
  const runtime = (await import('onnxruntime-web/webgpu')) as unknown as WebRuntime;
  return startWebEngine(runtime, 'webgpu', options);
}

interface Gpu {
  requestAdapter(): Promise<unknown>;
}

async function requireAdapter(): Promise<void> {
  const { gpu } = (globalThis.navigator ?? {}) as unknown as { gpu?: Gpu };
  if (await gpu?.requestAdapter()) return;
  throw new EngineError('there is no WebGPU adapter here', {
    subject: 'device',
    found: 'webgpu',
    advice: 'Use createWebEngine(), or a browser with WebGPU switched on',
  });
}
