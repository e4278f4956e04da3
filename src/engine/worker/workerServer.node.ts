/** The worker's side of a driver: serves the requests of `WorkerClient` in order, over programs of one runtime. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Arenas } from '../arenas.js';
import type { ArenaRange, StateLayout, Tensors } from '../engine.js';
import { EngineError } from '../engineError.js';
import { Gate } from './gate.js';
import {
  LAST_REQUEST,
  type Notice,
  type Reply,
  type Request,
  type RequestKind,
  type Requests,
  type WorkerData,
} from './protocol.js';

/** A compiled program in the thread that runs it. */
export interface WorkerProgram {
  run(feeds: Tensors): Promise<Tensors> | Tensors;
  runOverArenas(ranges: readonly ArenaRange[], chunk: number): Promise<Record<string, number>>;
  /** Milliseconds by op kind; ends the profile. */
  profile(): Promise<Record<string, number>> | Record<string, number>;
  release(): Promise<void> | void;
}

/** What a driver must provide. */
export interface WorkerRuntime<Source> {
  createArenas(layout: StateLayout): Arenas;
  compile(source: Source, arenas: Arenas | undefined, profile: boolean): Promise<WorkerProgram> | WorkerProgram;
}

const port = parentPort!;

/** The settings that the driver started this thread with. */
export function workerSettings<Settings>(): Settings {
  return (workerData as WorkerData<Settings>).settings;
}

/** Tells the user something, through the driver. */
export function warnUser(warning: string): void {
  port.postMessage({ warning } satisfies Notice);
}

/** Greets the driver and serves it until it ends this thread. */
export function serveEngine<Source, Greeting>(runtime: WorkerRuntime<Source>, greeting: Greeting): void {
  const gate = new Gate((workerData as WorkerData<unknown>).gate);
  const handlers = handlersOf(runtime);
  const serve = async (request: Request): Promise<void> => {
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
  };
  let queue: Promise<void> = Promise.resolve();
  port.on('message', (request: Request | typeof LAST_REQUEST) => {
    queue = queue.then(() => (request === LAST_REQUEST ? port.postMessage(LAST_REQUEST) : serve(request)));
  });
  port.postMessage(greeting);
}

type Handlers<Source> = {
  [K in RequestKind]: (request: Requests<Source>[K]['arguments']) => Promise<Requests<Source>[K]['result']>;
};

function handlersOf<Source>(runtime: WorkerRuntime<Source>): Handlers<Source> {
  const states = new Map<number, Arenas>();
  const programs = new Map<number, WorkerProgram>();
  let lastId = 0;
  const stateOf = (id: number): Arenas => {
    const state = states.get(id);
    if (!state) throw new EngineError('the state was released');
    return state;
  };
  const programOf = (id: number): WorkerProgram => {
    const program = programs.get(id);
    if (!program) throw new EngineError('the program was released');
    return program;
  };
  return {
    async createState({ layout }) {
      states.set(++lastId, runtime.createArenas(layout));
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
    async compile({ source, state, profile }) {
      const arenas = state === undefined ? undefined : stateOf(state);
      const program = await runtime.compile(source, arenas, profile);
      programs.set(++lastId, program);
      return lastId;
    },
    run: async ({ program, feeds }) => programOf(program).run(feeds),
    runOverArenas: ({ program, ranges, chunk }) => programOf(program).runOverArenas(ranges, chunk),
    profile: async ({ program }) => programOf(program).profile(),
    async releaseProgram({ program }) {
      const released = programOf(program);
      programs.delete(program);
      await released.release();
    },
  };
}

/** The buffers of a result, which the caller takes over. */
function transferable(result: unknown): ArrayBuffer[] {
  if (ArrayBuffer.isView(result)) return [result.buffer as ArrayBuffer];
  if (result === null || typeof result !== 'object') return [];
  const buffers = Object.values(result as Tensors).map((tensor) => tensor.data?.buffer);
  return [...new Set(buffers.filter((buffer) => buffer instanceof ArrayBuffer))];
}
