/** Ranks that an MPI launcher has started, seen from one of them. */
import { readFileSync, readlinkSync } from 'node:fs';
import { availableParallelism, hostname } from 'node:os';
import { Worker } from 'node:worker_threads';
import { workerUrl } from '../../files/workerUrl.js';
import { gatherTexts, peerFailed } from '../agreement.js';
import {
  type Collective,
  CollectiveError,
  describeMember,
  type Member,
  type Numbers,
  PeerError,
  type Waiting,
} from '../collective.js';
import type { Launch } from './launch.js';
import { libraryNames, prepareEnvironment } from './mpiLibrary.js';
import {
  Board,
  type Failure,
  type Greeting,
  type Operation,
  type Reply,
  type Request,
  type WorkerData,
} from './mpiProtocol.js';

export interface MpiOptions {
  /** A library by name or path instead of the usual ones. */
  readonly library?: string;
  /** How long a rank may keep the others waiting. */
  readonly timeoutMs: number;
}

/** How often the main thread looks at what the other is doing. */
const WATCH_EVERY_MS = 500;

/**
 * Begins MPI in a thread of its own, and has the ranks get to know one another.
 * @throws CollectiveError when no library can be loaded, or it does not see the ranks that the launcher has started
 */
export async function startMpi(launch: Launch, options: MpiOptions): Promise<Collective> {
  const collective = await MpiCollective.start(launch, options);
  await collective.introduce();
  return collective;
}

class MpiCollective implements Collective {
  readonly rank: number;
  readonly size: number;
  members: readonly Member[];
  readonly #worker: Worker;
  readonly #board: Board;
  readonly #timeoutMs: number;
  readonly #pending = new Map<number, { startedAt: number; resolve(): void; reject(error: Error): void }>();
  #lastId = 0;
  #broken: PeerError | undefined;
  #watch: NodeJS.Timeout | undefined;

  private constructor(
    worker: Worker,
    board: Board,
    { rank, size }: { rank: number; size: number },
    { timeoutMs, leaveAtOnce }: { timeoutMs: number; leaveAtOnce(code: number): void },
  ) {
    this.rank = rank;
    this.size = size;
    this.members = Array.from({ length: size }, (_, of) => ({ rank: of, host: 'host unknown', pid: 0 }));
    this.#worker = worker;
    this.#board = board;
    this.#timeoutMs = timeoutMs;
    worker.on('message', (reply: Reply) => this.#settle(reply));
    worker.on('error', (cause) => this.#break('broken', [], `the thread that calls MPI failed: ${cause.message}`));
    worker.on('exit', () => this.#break('broken', [], 'the thread that calls MPI has ended'));
    worker.unref();
    process.on('exit', (code) => {
      // Node waits for its threads, and this one may be in a call that never returns.
      if (board.isBlocked) leaveAtOnce(code);
    });
  }

  static async start(launch: Launch, { library, timeoutMs }: MpiOptions): Promise<MpiCollective> {
    const libraries = libraryNames(launch.families, library);
    prepareEnvironment();
    const board = Board.create(launch.size);
    const data: WorkerData = { libraries, size: launch.size, timeoutMs, board: board.buffer };
    const worker = new Worker(workerUrl('./mpiWorker.node.js', import.meta.url), { workerData: data, execArgv: [] });
    const greeting = await new Promise<Greeting>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    const started = `${launch.launcher} started ${launch.size} ranks`;
    if ('error' in greeting) {
      throw new CollectiveError(`${started}, but MPI did not start: ${greeting.error.message}`, greeting.error);
    }
    if (greeting.size !== launch.size || greeting.rank !== launch.rank) {
      void worker.terminate();
      throw new CollectiveError(
        `${started} and this is rank ${launch.rank}, but ${greeting.version} (${greeting.library}) sees ${greeting.size} and takes it for rank ${greeting.rank}: it is not the library of that launcher`,
        {
          subject: greeting.library,
          found: greeting.size,
          expected: `${launch.size} ranks`,
          advice:
            'Name the library that belongs to the launcher in PLEIAD_MPI, or use the other launcher (mpirun.openmpi or mpirun.mpich, srun --mpi=pmix or --mpi=pmi2)',
        },
      );
    }
    const { default: koffi } = await import('koffi');
    const leaveAtOnce = koffi.load(null).func('void _exit(int code)');
    return new MpiCollective(worker, board, greeting, { timeoutMs, leaveAtOnce });
  }

  /** Tells all ranks of each where it is, so that messages can name it and neighbours can look after one another. */
  async introduce(): Promise<void> {
    const own: Introduction = { host: hostname(), pid: process.pid, processes: processSpace(), cpus: allowedCpus() };
    const all = (await gatherTexts(this, JSON.stringify(own))).map((text): Introduction => JSON.parse(text));
    this.members = all.map(({ host, pid, cpus }, rank) => {
      const sharing = all.filter((other) => other.host === host && other.cpus.mask === cpus.mask).length;
      return { rank, host, pid, threads: Math.max(1, Math.floor(cpus.count / sharing)) };
    });
    const here = all.flatMap(({ host, pid, processes }, rank): [number, number][] =>
      rank !== this.rank && host === own.host && processes === own.processes ? [[rank, pid]] : [],
    );
    this.#post({ operation: 'neighbours', pids: new Map(here) });
  }

  allReduce(values: Numbers): Promise<void> {
    return this.#exchange('allReduce', values);
  }
  broadcast(values: Numbers): Promise<void> {
    return this.#exchange('broadcast', values);
  }
  barrier(): Promise<void> {
    return this.#exchange('barrier', new Float64Array(0));
  }

  async fail(reason: string): Promise<void> {
    if (this.#broken) return;
    await this.#request((id) => ({ id, operation: 'fail', reason })).catch(() => {});
    this.#break('failed', [this.rank], reason);
  }

  waiting(): Waiting {
    const [oldest] = this.#pending.values();
    return {
      members: this.members.filter(({ rank }) => this.#board.isMissing(rank)),
      elapsedMs: oldest ? performance.now() - oldest.startedAt : 0,
    };
  }

  async close(): Promise<void> {
    if (!this.#broken) await this.#exchange('close', new Float64Array(0));
  }

  async #exchange(operation: Operation, values: Numbers): Promise<void> {
    const shared = values.buffer instanceof SharedArrayBuffer ? values : sharedCopy(values);
    await this.#request((id) => ({ id, operation, values: shared }));
    if (shared !== values) values.set(shared);
  }

  #request(requestOf: (id: number) => Request): Promise<void> {
    if (this.#broken) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      this.#pending.set(id, { startedAt: performance.now(), resolve, reject });
      this.#worker.ref();
      this.#watch ??= this.#startWatch();
      this.#post(requestOf(id));
    });
  }

  #post(request: Request): void {
    this.#worker.postMessage(request);
  }

  #settle(reply: Reply): void {
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if ('failed' in reply) this.#break(reply.failed.failure, reply.failed.ranks, reply.failed.reason, pending);
    else if ('error' in reply) this.#break('broken', [], reply.error, pending);
    else pending?.resolve();
    if (this.#pending.size === 0) this.#rest();
  }

  #rest(): void {
    clearInterval(this.#watch);
    this.#watch = undefined;
    this.#worker.unref();
  }

  /** Notices when a call of MPI does not come back: then all ranks had come, and a rank or the network has gone since. */
  #startWatch(): NodeJS.Timeout {
    let begun = this.#board.begun;
    let since = performance.now();
    return setInterval(() => {
      if (!this.#board.isBlocked || this.#board.begun !== begun) {
        begun = this.#board.begun;
        since = performance.now();
      }
      const waitedMs = performance.now() - since;
      if (waitedMs < this.#timeoutMs) return;
      const others = this.members.filter(({ rank }) => rank !== this.rank).map(({ rank }) => rank);
      const seconds = Math.round(waitedMs / 1000);
      this.#break('silent', others, `an exchange that all had begun has not ended for ${seconds} s`);
    }, WATCH_EVERY_MS);
  }

  #break(
    failure: PeerError['failure'],
    ranks: readonly number[],
    reason: string,
    first?: { reject(error: Error): void },
  ) {
    this.#broken ??= peerError(this, { failure, ranks, reason });
    first?.reject(this.#broken);
    for (const { reject } of this.#pending.values()) reject(this.#broken);
    this.#pending.clear();
    this.#rest();
  }
}

function peerError({ members }: Collective, { failure, ranks, reason }: Failure): PeerError {
  if (failure === 'failed') return peerFailed({ members }, ranks[0], reason);
  const involved = ranks.map((rank) => members[rank]);
  const names = involved.map(describeMember).join(', ');
  return new PeerError(names ? `${names}: ${reason}` : reason, { failure, members: involved });
}

function sharedCopy(values: Numbers): Numbers {
  const buffer = new SharedArrayBuffer(Math.max(values.byteLength, Float64Array.BYTES_PER_ELEMENT));
  const copy = values instanceof Float32Array ? new Float32Array(buffer) : new Float64Array(buffer);
  copy.set(values);
  return copy.subarray(0, values.length);
}

/** What a rank tells of itself. */
interface Introduction {
  readonly host: string;
  readonly pid: number;
  /** Ranks with the same name for it see the same process ids. */
  readonly processes: string;
  readonly cpus: { readonly mask: string; readonly count: number };
}

/** The kernel and its namespace of process ids; empty, so that nobody looks, where that cannot be told. */
function processSpace(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return `unknown ${process.pid}`;
  }
}

/** The processors that this process may use: launchers bind ranks to some, and ranks that are bound alike share them. */
function allowedCpus(): Introduction['cpus'] {
  const count = availableParallelism();
  try {
    const mask = /^Cpus_allowed:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return { mask: mask ?? 'all', count };
  } catch {
    return { mask: 'all', count };
  }
}
