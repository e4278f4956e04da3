/** The engine of Node: onnxruntime-node in a worker thread. */

import { workerUrl } from '../../files/workerUrl.js';
import { type Graph, GraphBuilder } from '../../graph/graph.js';
import { settingWith } from '../../settings/settingNames.js';
import type { CompileOptions, Engine, EngineOptions, EngineState, Program, StateLayout } from '../engine.js';
import { EngineError } from '../engineError.js';
import { lowerGraph } from '../onnx/lower.js';
import { requireThreads, WorkerClient, WorkerProgramHandle, WorkerState } from '../worker/workerClient.node.js';
import { externalWeights } from './externalWeights.js';
import { OnnxRuntimeMissing } from './loadRuntime.node.js';
import { signatureOf } from './sessionProgram.js';
import type { NodeGreeting, NodeSource, NodeWorkerSettings } from './workerProtocol.js';

const NAME = 'onnxruntime-node';

export interface NodeEngineOptions extends EngineOptions {
  /** Has every program take a profile. */
  readonly profile?: boolean;
}

/**
 * Starts an engine in a worker thread.
 * @throws OnnxRuntimeMissing when the runtime is not installed or does not load; EngineError when the device's provider is
 *         not in this build of it
 */
export async function createNodeEngine(options: NodeEngineOptions = {}): Promise<Engine> {
  const { device = 'cpu', profile = false } = options;
  const settings: NodeWorkerSettings = { device, threads: requireThreads(options.threads) };
  const script = workerUrl('./nodeWorker.node.js', import.meta.url);
  const client = await WorkerClient.start<NodeWorkerSettings, NodeGreeting>({ script, settings }).catch((cause) => {
    throw OnnxRuntimeMissing.because(cause);
  });
  const { providers } = client.greeting;
  if (!providers.includes(device)) {
    await client.close();
    throw missingProvider(device, providers);
  }
  const engine = new NodeEngine(client, settings, profile);
  if (device !== 'cpu') await probe(engine, device);
  return engine;
}

/** Whether the provider loads: the runtime may know it and still miss its libraries or a driver. */
async function probe(engine: Engine, device: NodeWorkerSettings['device']): Promise<void> {
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
      advice: advice[device](),
      cause,
    });
  }
}

class NodeEngine implements Engine {
  readonly name = NAME;
  readonly description: string;
  readonly precision = 'fp32';
  readonly threads: number;
  readonly #client: WorkerClient<NodeGreeting>;
  readonly #settings: NodeWorkerSettings;
  readonly #profile: boolean;

  constructor(client: WorkerClient<NodeGreeting>, settings: NodeWorkerSettings, profile: boolean) {
    this.#client = client;
    this.#settings = settings;
    this.#profile = profile;
    const { device, threads } = settings;
    this.threads = threads;
    this.description = `${NAME} ${client.greeting.version}, ${device}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  }

  createState(layout: StateLayout): Promise<EngineState> {
    return WorkerState.create(this.#client, layout);
  }

  async compile(graph: Graph, { label, state, weights, profile = this.#profile }: CompileOptions): Promise<Program> {
    const target = this.#settings.device === 'webgpu' ? 'portable' : 'cpu';
    const lowered = lowerGraph(graph, { target, name: label, weights });
    const model = externalWeights(lowered.model);
    const source: NodeSource = { model, signature: signatureOf(label, lowered) };
    const stateId = WorkerState.idOf(state, this.#client);
    const id = await this.#client.request('compile', { source, state: stateId, profile }, [model.bytes.buffer], label);
    return new WorkerProgramHandle(this.#client, label, id, profile);
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

const advice = {
  cpu: () => 'Reinstall onnxruntime-node',
  cuda: () =>
    `Download its CUDA files with \`node node_modules/onnxruntime-node/script/install.js\` (Linux x64 with CUDA 12 and cuDNN), or use ${settingWith('device', 'cpu')}`,
  webgpu: () =>
    `On Linux it needs libvulkan1 and a Vulkan driver; on other machines another build. Use ${settingWith('device', 'cpu')}`,
};

function missingProvider(device: NodeWorkerSettings['device'], providers: readonly string[]): EngineError {
  return new EngineError(
    `device "${device}" is not in this build of onnxruntime-node, which has ${providers.join(', ')}`,
    {
      subject: 'device',
      found: device,
      expected: providers.join(', '),
      advice: advice[device](),
    },
  );
}
