/**
 * The thread in which the Node driver computes. onnxruntime-node blocks the thread that calls `run`, so it gets one of its
 * own, and the state lies here, where the runtime can read and write it without copies. Requests are served in order.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { env, InferenceSession, listSupportedBackends, Tensor as OrtTensor } from 'onnxruntime-node';
import type { Tensors } from '../engine.js';
import { EngineError } from '../engineError.js';
import { Arenas } from './arenas.js';
import {
  Gate,
  type Greeting,
  LAST_REQUEST,
  type Reply,
  type Request,
  type RequestKind,
  type Requests,
  type WorkerData,
  type WorkerSettings,
} from './nodeProtocol.js';
import { SessionProgram } from './sessionProgram.js';

const port = parentPort!;
const { settings, gate: gateBuffer } = workerData as WorkerData;
const gate = new Gate(gateBuffer);

interface Compiled {
  readonly program: SessionProgram;
  readonly session: InferenceSession;
  /** Folder of the runtime's profile, while one is taken. */
  profileFolder?: string;
}

const states = new Map<number, Arenas>();
const programs = new Map<number, Compiled>();
let lastId = 0;

type Handlers = { [K in RequestKind]: (request: Requests[K]['arguments']) => Promise<Requests[K]['result']> };

const handlers: Handlers = {
  async createState({ layout }) {
    states.set(++lastId, new Arenas(layout));
    return lastId;
  },
  async read({ state, arena, start, end }) {
    return stateOf(state).range(arena, start, end).slice() as Float32Array<ArrayBuffer>;
  },
  async readInto({ state, arena, start, end, into }) {
    into.set(stateOf(state).range(arena, start, end));
  },
  async write({ state, arena, data, start }) {
    stateOf(state).write(arena, data, start);
  },
  async releaseState({ state }) {
    states.delete(state);
  },
  async compile({ model, signature, state, profile }) {
    const profileFolder = profile ? await mkdtemp(join(tmpdir(), 'pleiad-profile-')) : undefined;
    const session = await InferenceSession.create(model.bytes, {
      ...sessionOptions(settings),
      ...(model.external && { externalData: [model.external] }),
      ...(profileFolder && { enableProfiling: true, profileFilePrefix: join(profileFolder, 'run') }),
    });
    const arenas = state === undefined ? undefined : stateOf(state);
    const program = new SessionProgram({ signature, session, tensor: OrtTensor, arenas, writesInPlace: true });
    programs.set(++lastId, { program, session, profileFolder });
    return lastId;
  },
  run: ({ program, feeds }) => programOf(program).program.run(feeds),
  runOverArenas: ({ program, ranges, chunk }) => programOf(program).program.runOverArenas(ranges, chunk),
  profile: ({ program }) => endProfile(programOf(program)),
  async releaseProgram({ program }) {
    const compiled = programOf(program);
    programs.delete(program);
    if (compiled.profileFolder) await endProfile(compiled);
    await compiled.program.release();
  },
};

function stateOf(id: number): Arenas {
  const state = states.get(id);
  if (!state) throw new EngineError('the state was released');
  return state;
}

function programOf(id: number): Compiled {
  const program = programs.get(id);
  if (!program) throw new EngineError('the program was released');
  return program;
}

function sessionOptions({ device, threads }: WorkerSettings): InferenceSession.SessionOptions {
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
async function endProfile(compiled: Compiled): Promise<Record<string, number>> {
  const { session, profileFolder } = compiled;
  if (!profileFolder) throw new EngineError('the program was not compiled with `profile`, or its profile has ended');
  compiled.profileFolder = undefined;
  session.endProfiling();
  try {
    const [file] = await readdir(profileFolder);
    const events = JSON.parse(await readFile(join(profileFolder, file), 'utf8')) as ProfileEvent[];
    const elapsedMs: Record<string, number> = {};
    for (const { cat, dur = 0, name = '', args } of events) {
      if (cat !== 'Node' || !name.endsWith('_kernel_time') || !args?.op_name) continue;
      elapsedMs[args.op_name] = (elapsedMs[args.op_name] ?? 0) + dur / 1000;
    }
    return elapsedMs;
  } finally {
    await rm(profileFolder, { recursive: true, force: true });
  }
}

/** The buffers of a result, which the caller takes over. */
function transferable(result: unknown): ArrayBuffer[] {
  if (ArrayBuffer.isView(result)) return [result.buffer as ArrayBuffer];
  if (result === null || typeof result !== 'object') return [];
  const buffers = Object.values(result as Tensors).map((tensor) => tensor.data?.buffer);
  return [...new Set(buffers.filter((buffer) => buffer instanceof ArrayBuffer))];
}

async function serve(request: Request): Promise<void> {
  if (!gate.enter()) return;
  try {
    const handler = handlers[request.kind] as (request: unknown) => Promise<unknown>;
    const result = await handler(request.arguments);
    port.postMessage({ id: request.id, result } satisfies Reply, transferable(result));
  } catch (error) {
    const { message, subject, expected } = error as EngineError;
    port.postMessage({ id: request.id, error: { message, subject, expected } } satisfies Reply);
  } finally {
    gate.leave();
  }
}

let queue: Promise<void> = Promise.resolve();
port.on('message', (request: Request | typeof LAST_REQUEST) => {
  queue = queue.then(() => (request === LAST_REQUEST ? port.postMessage(LAST_REQUEST) : serve(request)));
});

port.postMessage({
  version: env.versions.node ?? 'of unknown version',
  providers: listSupportedBackends().map(({ name }) => name),
} satisfies Greeting);
