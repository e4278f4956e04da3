/**
 * The thread in which the driver over onnxruntime-node computes. The runtime blocks the thread that calls `run`, so it
 * gets one of its own, and the state lies here, where the runtime can read and write it without copies.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env, InferenceSession, listSupportedBackends, Tensor as OrtTensor } from 'onnxruntime-node';
import { Arenas } from '../arenas.js';
import type { ArenaRange, Tensors } from '../engine.js';
import { EngineError } from '../engineError.js';
import { serveEngine, type WorkerProgram, workerSettings } from '../worker/workerServer.node.js';
import { SessionProgram } from './sessionProgram.js';
import type { NodeGreeting, NodeSource, NodeWorkerSettings } from './workerProtocol.js';

class NodeWorkerProgram implements WorkerProgram {
  readonly #program: SessionProgram;
  readonly #session: InferenceSession;
  /** Folder of the runtime's profile, while one is taken. */
  #profileFolder?: string;

  private constructor(program: SessionProgram, session: InferenceSession, profileFolder?: string) {
    this.#program = program;
    this.#session = session;
    this.#profileFolder = profileFolder;
  }

  static async create({ model, signature }: NodeSource, arenas: Arenas | undefined, profile: boolean) {
    const profileFolder = profile ? await mkdtemp(join(tmpdir(), 'pleiad-profile-')) : undefined;
    const session = await InferenceSession.create(model.bytes, {
      ...sessionOptions(workerSettings(), model.folder),
      ...(model.memory.length > 0 && { externalData: model.memory }),
      ...(profileFolder && { enableProfiling: true, profileFilePrefix: join(profileFolder, 'run') }),
    });
    const program = new SessionProgram({ signature, session, tensor: OrtTensor, arenas, writesInPlace: true });
    return new NodeWorkerProgram(program, session, profileFolder);
  }

  run(feeds: Tensors): Promise<Tensors> {
    return this.#program.run(feeds);
  }
  runOverArenas(ranges: readonly ArenaRange[], chunk: number): Promise<Record<string, number>> {
    return this.#program.runOverArenas(ranges, chunk);
  }
  profile(): Promise<Record<string, number>> {
    if (!this.#profileFolder)
      throw new EngineError('the program was not compiled with `profile`, or its profile has ended');
    const folder = this.#profileFolder;
    this.#profileFolder = undefined;
    return endProfile(this.#session, folder);
  }
  async release(): Promise<void> {
    if (this.#profileFolder) await this.profile();
    await this.#program.release();
  }
}

function sessionOptions(
  { device, threads }: NodeWorkerSettings,
  weightsFolder?: string,
): InferenceSession.SessionOptions {
  return {
    executionProviders: device === 'cpu' ? ['cpu'] : [device, 'cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    enableCpuMemArena: true,
    // One planned block for all activations holds every buffer for the whole run: half as much memory again, no faster.
    enableMemPattern: false,
    // Errors only: its warnings are about shapes it cannot know before a run.
    logSeverityLevel: 3,
    extra: {
      session: {
        // Tiny values in late training cost ten times the time when they are kept denormal.
        set_denormal_as_zero: '1',
        // Several programs have threads of their own; those of an idle one must not spin on a core another needs.
        force_spinning_stop: '1',
        ...(weightsFolder !== undefined && { model_external_initializers_file_folder_path: weightsFolder }),
      },
    },
  };
}

interface ProfileEvent {
  readonly cat?: string;
  readonly dur?: number;
  readonly name?: string;
  readonly args?: { readonly op_name?: string };
}

/** Milliseconds by op kind of the runtime's profile (a Chrome trace, durations in microseconds). */
async function endProfile(session: InferenceSession, folder: string): Promise<Record<string, number>> {
  session.endProfiling();
  try {
    const [file] = await readdir(folder);
    const events = JSON.parse(await readFile(join(folder, file), 'utf8')) as ProfileEvent[];
    const elapsedMs: Record<string, number> = {};
    for (const { cat, dur = 0, name = '', args } of events) {
      if (cat !== 'Node' || !name.endsWith('_kernel_time') || !args?.op_name) continue;
      elapsedMs[args.op_name] = (elapsedMs[args.op_name] ?? 0) + dur / 1000;
    }
    return elapsedMs;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

serveEngine<NodeSource, NodeGreeting>(
  {
    createArenas: (layout) => new Arenas(layout),
    compile: (source, arenas, profile) => NodeWorkerProgram.create(source, arenas, profile),
  },
  {
    version: env.versions.node ?? 'of unknown version',
    providers: listSupportedBackends().map(({ name }) => name),
  },
);
