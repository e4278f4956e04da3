/**
 * The engine of browsers on WebGPU: onnxruntime-web's build for it, which an entry of its own keeps out of other pages. State
 * stays in buffers of the GPU from step to step.
 */
import type { InferenceSession } from 'onnxruntime-common';
import type { Graph } from '../../graph/graph.js';
import type { CompileOptions, Engine, EngineState, Program, StateLayout } from '../engine.js';
import { EngineError } from '../engineError.js';
import { lowerGraph } from '../onnx/lower.js';
import { encodeModel } from '../onnx/model.js';
import type { Gpu, GpuAdapter, GpuDevice } from './gpu.js';
import { GpuSessionProgram, type GpuTensorConstructor } from './gpuSessionProgram.js';
import { GpuState } from './gpuState.js';
import { QueuedProgram } from './queuedProgram.js';
import { SessionProgram, signatureOf } from './sessionProgram.js';
import { configureRuntime, describeRuntime, WEB_ENGINE, type WebEngineOptions, type WebRuntime } from './webEngine.js';

interface GpuRuntime extends WebRuntime {
  readonly Tensor: GpuTensorConstructor;
}

/**
 * Loads onnxruntime-web with WebGPU. Tests compare it with WebAssembly on a WebGPU that computes in software; it has run on no
 * graphics processor yet: compare its results with those of `createWebEngine` before you rely on them.
 * @throws EngineError where there is no WebGPU adapter
 */
export async function createWebGpuEngine(options: Omit<WebEngineOptions, 'device'> = {}): Promise<Engine> {
  const device = await openDevice();
  const runtime = (await import('onnxruntime-web/webgpu')) as unknown as GpuRuntime;
  configureRuntime(runtime, options);
  return new WebGpuEngine(runtime, device);
}

class WebGpuEngine implements Engine {
  readonly name = WEB_ENGINE;
  readonly description: string;
  readonly #runtime: GpuRuntime;
  readonly #device: GpuDevice;

  constructor(runtime: GpuRuntime, device: GpuDevice) {
    this.#runtime = runtime;
    this.#device = device;
    this.description = describeRuntime(runtime, 'webgpu', 1);
  }

  async createState(layout: StateLayout): Promise<EngineState> {
    return new GpuState(this.#device, layout);
  }

  async compile(graph: Graph, { label, state, weights }: CompileOptions): Promise<Program> {
    const lowered = lowerGraph(graph, { target: 'portable', name: label, weights });
    const { bytes, external } = encodeModel(lowered.model);
    const signature = signatureOf(label, lowered);
    const onGpu = this.#stateOf(state);
    const updated = [...signature.updates.values()].map(({ output }) => [output, 'gpu-buffer'] as const);
    const options: InferenceSession.SessionOptions = {
      executionProviders: [{ name: 'webgpu', device: this.#device } as InferenceSession.ExecutionProviderConfig],
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
      preferredOutputLocation: Object.fromEntries(updated),
      ...(external && { externalData: [external] }),
    };
    const session = await this.#runtime.InferenceSession.create(bytes, options).catch((cause: Error) => {
      throw new EngineError(`program "${label}": ${cause.message}`, { subject: label, cause });
    });
    const tensor = this.#runtime.Tensor;
    if (onGpu) return new GpuSessionProgram({ signature, session, tensor, state: onGpu });
    return new QueuedProgram(new SessionProgram({ signature, session, tensor, writesInPlace: false }));
  }

  async close(): Promise<void> {
    this.#device.destroy();
  }

  #stateOf(state: EngineState | undefined): GpuState | undefined {
    if (state === undefined || (state instanceof GpuState && state.device === this.#device)) return state;
    throw new EngineError('the state belongs to another engine', {
      advice: 'Create it with `createState` of the engine that compiles',
    });
  }
}

/** Limits that the runtime's kernels want as large as the adapter has them. */
const LIMITS = [
  ...['maxBufferSize', 'maxStorageBufferBindingSize', 'maxStorageBuffersPerShaderStage'],
  ...['maxComputeWorkgroupStorageSize', 'maxComputeInvocationsPerWorkgroup', 'maxComputeWorkgroupsPerDimension'],
  ...['maxComputeWorkgroupSizeX', 'maxComputeWorkgroupSizeY', 'maxComputeWorkgroupSizeZ'],
];
const FEATURES = ['shader-f16', 'subgroups'];

/** A device that state and the runtime share. */
async function openDevice(): Promise<GpuDevice> {
  const { gpu } = (globalThis.navigator ?? {}) as unknown as { gpu?: Gpu };
  const adapter = await gpu?.requestAdapter();
  if (!adapter) {
    throw new EngineError('there is no WebGPU adapter here', {
      subject: 'device',
      found: 'webgpu',
      advice: 'Use createWebEngine(), or a browser with WebGPU switched on',
    });
  }
  return adapter.requestDevice({
    requiredLimits: limitsOf(adapter),
    requiredFeatures: FEATURES.filter((name) => adapter.features.has(name)),
  });
}

function limitsOf({ limits }: GpuAdapter): Record<string, number> {
  const known = LIMITS.filter((name) => limits[name] !== undefined);
  return Object.fromEntries(known.map((name) => [name, limits[name]]));
}
