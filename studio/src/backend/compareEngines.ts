/** Which engine is faster here: a small encoder, run for a second and a half on each. */
import type { Engine, Tensors } from '../../../src/engine/engine.js';
import { encoderConfig } from '../../../src/models/config.js';
import { modelForUse } from '../../../src/models/heads.js';
import { initializeParameter } from '../../../src/nn/initialize.js';
import type { EngineComparison } from './backend.js';

const MS_EACH = 1500;
/** A sentence as the screens run them. */
const LENGTH = 32;
const VOCABULARY = 1000;

export async function compareEngines(wasm: Engine, gpu: Engine, signal?: AbortSignal): Promise<EngineComparison> {
  const wasmMs = await medianRun(wasm, signal);
  // A device that fails is none to take.
  const webgpuMs = await medianRun(gpu, signal).catch((error: unknown) => {
    if (signal?.aborted) throw error;
    return Number.POSITIVE_INFINITY;
  });
  return { wasmMs, webgpuMs, faster: webgpuMs < wasmMs ? 'webgpu' : 'wasm' };
}

async function medianRun(engine: Engine, signal?: AbortSignal): Promise<number> {
  const config = encoderConfig('mini', VOCABULARY);
  const { graph, parameters } = modelForUse({ architecture: 'ElectraForPreTraining', config, head: {} });
  const weights = new Map(
    parameters.map((parameter) => [
      parameter.name,
      initializeParameter(parameter, { seed: 0, initializerRange: config.initializerRange }),
    ]),
  );
  const program = await engine.compile(graph, { label: 'comparison', weights });
  try {
    const feeds = sentence();
    await program.run(feeds); // the first run makes kernels
    const times: number[] = [];
    const end = performance.now() + MS_EACH;
    while (performance.now() < end || times.length < 3) {
      signal?.throwIfAborted();
      const start = performance.now();
      await program.run(feeds);
      times.push(performance.now() - start);
    }
    return times.sort((a, b) => a - b)[times.length >> 1];
  } finally {
    await program.release();
  }
}

function sentence(): Tensors {
  const row = (value: (i: number) => number) => ({
    dtype: 'int32' as const,
    shape: [1, LENGTH],
    data: Int32Array.from({ length: LENGTH }, (_, i) => value(i)),
  });
  return {
    inputIds: row((i) => 5 + i),
    tokenTypeIds: row(() => 0),
    attentionMask: row(() => 1),
    positionIds: { dtype: 'int32', shape: [LENGTH], data: Int32Array.from({ length: LENGTH }, (_, i) => i) },
  };
}
