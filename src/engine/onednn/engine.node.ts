/** The engine over the system's oneDNN: graphs as chains of its primitives, run in a worker thread. CPU only. */

import { type FileRange, isStored, type Values } from '../../files/storedValues.js';
import { workerUrl } from '../../files/workerUrl.js';
import type { Graph } from '../../graph/graph.js';
import { settingWith } from '../../settings/settingNames.js';
import type { CompileOptions, Engine, EngineState, Precision, Program, StateLayout } from '../engine.js';
import { EngineError } from '../engineError.js';
import { requireThreads, WorkerClient, WorkerProgramHandle, WorkerState } from '../worker/workerClient.node.js';
import type { OneDnnGreeting, OneDnnSettings, SentOneDnnSource } from './protocol.js';

const NAME = 'onednn';

export interface OneDnnEngineOptions {
  /** Threads of the engine; all of the machine's by default. */
  readonly threads?: number;
  /**
   * Of the products: `bf16` rounds their operands and keeps everything else in float32; `auto` (default) takes it where a
   * product measured at the start is faster for it.
   */
  readonly precision?: Precision | 'auto';
  /** Has every program take a profile. */
  readonly profile?: boolean;
  /** Told what the user should know, once each; by default a warning of the process. */
  readonly onWarning?: (warning: string) => void;
}

/** The library is not there, or not one that can be used; `reason` says which. */
export class OneDnnMissing extends EngineError {
  constructor(readonly reason: string) {
    super(`engine "${NAME}": ${reason}`, {
      subject: 'engine',
      found: NAME,
      advice: `Install it (Debian, Ubuntu: \`apt install libdnnl2\`), or give its path in PLEIAD_ONEDNN, or use ${settingWith('engine', 'onnxruntime')}`,
    });
  }
}

/**
 * Starts an engine in a worker thread.
 * @throws OneDnnMissing when there is no library that can be used; EngineError when it has no bf16 for this processor
 */
export async function createOneDnnEngine(options: OneDnnEngineOptions = {}): Promise<OneDnnEngine> {
  const { precision = 'auto', profile = false, onWarning = warnOfProcess } = options;
  const settings: OneDnnSettings = { threads: requireThreads(options.threads), precision };
  const script = workerUrl('./worker.node.js', import.meta.url);
  const client = await WorkerClient.start<OneDnnSettings, OneDnnGreeting>({ script, settings, onWarning });
  const { greeting } = client;
  if ('missing' in greeting) {
    await client.close();
    throw new OneDnnMissing(greeting.missing);
  }
  if ('refused' in greeting) {
    await client.close();
    throw new EngineError(greeting.refused, { subject: 'precision', found: precision });
  }
  for (const warning of greeting.warnings) onWarning(warning);
  return new OneDnnEngine(client, greeting, settings.threads, profile);
}

function warnOfProcess(warning: string): void {
  process.emitWarning(warning);
}

export class OneDnnEngine implements Engine {
  readonly name = NAME;
  readonly plansBySize = true;
  readonly description: string;
  readonly precision: Precision;
  readonly threads: number;
  readonly #client: WorkerClient;
  readonly #profile: boolean;

  constructor(
    client: WorkerClient,
    { version, precision }: Extract<OneDnnGreeting, { version: string }>,
    threads: number,
    profile: boolean,
  ) {
    this.#client = client;
    this.precision = precision;
    this.threads = threads;
    this.#profile = profile;
    this.description = `${NAME} ${version}, cpu, ${precision}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  }

  createState(layout: StateLayout): Promise<EngineState> {
    return WorkerState.create(this.#client, layout);
  }

  async compile(graph: Graph, { label, state, weights, profile = this.#profile }: CompileOptions): Promise<Program> {
    const sent = weights && new Map([...weights].map(([name, values]) => [name, sentValues(values)]));
    const source: SentOneDnnSource = { label, graph, weights: sent };
    const stateId = WorkerState.idOf(state, this.#client);
    const id = await this.#client.request('compile', { source, state: stateId, profile }, [], label);
    return new WorkerProgramHandle(this.#client, label, id, profile);
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

function sentValues(values: Values): Float32Array | FileRange {
  return isStored(values) ? values.locate() : values;
}
