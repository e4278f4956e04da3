/**
 * An MPI library of the system, called through koffi. Compiled programs see MPI through its header, which differs from one
 * library to the next; here the two families' handles stand in a table, and which one it is shows at run time.
 */
import type koffi from 'koffi';
import { CollectiveError, type Numbers } from '../collective.js';
import type { MpiFamily } from './launch.js';

type Koffi = typeof koffi;
type Library = ReturnType<Koffi['load']>;

/** What a header would define. */
interface Abi {
  /** C type of handles. */
  readonly handle: 'void *' | 'int';
  readonly world: unknown;
  readonly float: unknown;
  readonly double: unknown;
  readonly sum: unknown;
  readonly errorsReturn: unknown;
  /** Pointers that stand for something. */
  readonly inPlace: bigint;
  readonly statusIgnore: bigint;
  readonly anySource: number;
}

/** Open MPI 4 and 5 (mpi.h): handles are addresses of exported objects. */
function openMpi(library: Library): Abi {
  return {
    handle: 'void *',
    world: library.symbol('ompi_mpi_comm_world'),
    float: library.symbol('ompi_mpi_float'),
    double: library.symbol('ompi_mpi_double'),
    sum: library.symbol('ompi_mpi_op_sum'),
    errorsReturn: library.symbol('ompi_mpi_errors_return'),
    inPlace: 1n,
    statusIgnore: 0n,
    anySource: -1,
  };
}

/** MPICH 3 and later, and what keeps its ABI (Intel MPI, MVAPICH, Cray; mpi.h): handles are numbers. */
const MPICH: Abi = {
  handle: 'int',
  world: 0x44000000,
  float: 0x4c00040a,
  double: 0x4c00080b,
  sum: 0x58000003,
  errorsReturn: 0x54000001,
  inPlace: -1n,
  statusIgnore: 1n,
  anySource: -2,
};
const MPICH_FAMILY = /MPICH|Intel\(R\) MPI|MVAPICH/i;

/** Names by which the dynamic loader finds them; the plain one is a developer's link to either. */
const NAMES: Readonly<Record<string, Readonly<Record<MpiFamily, readonly string[]>>>> = {
  linux: {
    'Open MPI': ['libmpi.so.40', 'libmpi.so'],
    MPICH: ['libmpich.so.12', 'libmpi.so.12', 'libmpi.so'],
  },
  darwin: {
    'Open MPI': ['libmpi.40.dylib', 'libmpi.dylib'],
    MPICH: ['libmpi.12.dylib', 'libmpich.dylib', 'libmpi.dylib'],
  },
};

const SUCCESS = 0;
/** Only the thread that initializes calls MPI. */
const THREAD_FUNNELED = 1;
const VERSION_BYTES = 8192;
const ERROR_BYTES = 1024;

/**
 * For UCX, the transport under MPICH and many clusters' Open MPI. It rewrites the machine code of mmap, munmap and brk, to
 * hear when memory goes; other threads of Node are in these functions while it does, and one that is crashes (seen with
 * MPICH 4.0.2: a fault in malloc at the start, one run in ten). And it answers a fault by a report that needs malloc,
 * which then hangs instead of ending.
 */
const KEEP_OFF = { UCX_MEM_EVENTS: 'n', UCX_HANDLE_ERRORS: 'none' };

/** To be called in the main thread before any library is loaded: the environment of a worker is not seen by libraries. */
export function prepareEnvironment(): void {
  for (const [name, value] of Object.entries(KEEP_OFF)) process.env[name] ??= value;
}

/** Where to look: names of libraries, the first that loads is taken. */
export function libraryNames(families: readonly MpiFamily[], given?: string, platform = process.platform): string[] {
  if (given) return [given];
  return [...new Set(families.flatMap((family) => NAMES[platform]?.[family] ?? []))];
}

export class MpiLibrary {
  /** First line of what the library says of itself. */
  readonly version: string;
  readonly #abi: Abi;
  readonly #call: ReturnType<typeof declare>;
  readonly #flag = new Int32Array(1);

  private constructor(
    /** As the loader was given it. */
    readonly name: string,
    library: Library,
  ) {
    this.version = versionOf(library);
    this.#abi = abiOf(library, name, this.version);
    this.#call = declare(library, this.#abi);
  }

  /**
   * Loads the first library that can be.
   * @throws CollectiveError naming all that were tried
   */
  static load(koffi: Koffi, names: readonly string[]): MpiLibrary {
    const reasons: string[] = [];
    for (const name of names) {
      let library: Library;
      try {
        // Global: Open MPI's own plug-ins look for its symbols.
        library = koffi.load(name, { global: true });
      } catch (error) {
        reasons.push(`${name}: ${(error as Error).message.replace(/^Failed to load shared library: /, '')}`);
        continue;
      }
      return new MpiLibrary(name, library);
    }
    throw new CollectiveError(`no MPI library could be loaded (${reasons.join('; ') || 'none is known here'})`, {
      subject: 'PLEIAD_MPI',
      found: names,
      expected: 'the library that belongs to the launcher',
      advice:
        'Install it (for instance `apt install openmpi-bin`), or name its file in the environment: PLEIAD_MPI=/path/libmpi.so.40',
    });
  }

  /** Begins; this thread is the one that may call MPI from now on. */
  initialize(): { rank: number; size: number } {
    this.#check('MPI_Init_thread', this.#call.init(null, null, THREAD_FUNNELED, this.#flag));
    const { world, errorsReturn } = this.#abi;
    this.#check('MPI_Comm_set_errhandler', this.#call.setErrorHandler(world, errorsReturn));
    const [rank, size] = [new Int32Array(1), new Int32Array(1)];
    this.#check('MPI_Comm_rank', this.#call.rank(world, rank));
    this.#check('MPI_Comm_size', this.#call.size(world, size));
    return { rank: rank[0], size: size[0] };
  }

  /** Blocks until all ranks have called it. */
  allReduce(values: Numbers): void {
    const { inPlace, sum, world } = this.#abi;
    const type = this.#typeOf(values);
    this.#check('MPI_Allreduce', this.#call.allReduce(inPlace, values, values.length, type, sum, world));
  }

  /** Blocks until this rank's part is done. */
  broadcast(values: Numbers, root: number): void {
    const type = this.#typeOf(values);
    this.#check('MPI_Bcast', this.#call.broadcast(values, values.length, type, root, this.#abi.world));
  }

  /** A short message, which the library takes without waiting for its receiver. */
  send(values: Float64Array, to: number, tag: number): void {
    const { double, world } = this.#abi;
    this.#check('MPI_Send', this.#call.send(values, values.length, double, to, tag, world));
  }

  /** Whether a message has come; by default from whomever. */
  hasMessage(tag: number, from = this.#abi.anySource): boolean {
    const { world, statusIgnore } = this.#abi;
    this.#check('MPI_Iprobe', this.#call.probe(from, tag, world, this.#flag, statusIgnore));
    return this.#flag[0] !== 0;
  }

  /** Receives a message of at most as many values. */
  receive(into: Float64Array, tag: number, from = this.#abi.anySource): void {
    const { double, world, statusIgnore } = this.#abi;
    this.#check('MPI_Recv', this.#call.receive(into, into.length, double, from, tag, world, statusIgnore));
  }

  /** Ends; blocks until all ranks do. */
  finalize(): void {
    this.#check('MPI_Finalize', this.#call.finalize());
  }

  #typeOf(values: Numbers): unknown {
    return values instanceof Float32Array ? this.#abi.float : this.#abi.double;
  }

  #check(name: string, code: number): void {
    if (code === SUCCESS) return;
    const [text, length] = [new Uint8Array(ERROR_BYTES), new Int32Array(1)];
    this.#call.errorString(code, text, length);
    throw new Error(`${name} failed: ${new TextDecoder().decode(text.subarray(0, length[0])) || `code ${code}`}`);
  }
}

function declare(library: Library, { handle: h }: Abi) {
  return {
    init: library.func('int MPI_Init_thread(void *argc, void *argv, int required, int *provided)'),
    setErrorHandler: library.func(`int MPI_Comm_set_errhandler(${h} comm, ${h} handler)`),
    rank: library.func(`int MPI_Comm_rank(${h} comm, int *rank)`),
    size: library.func(`int MPI_Comm_size(${h} comm, int *size)`),
    allReduce: library.func(`int MPI_Allreduce(void *send, void *receive, int count, ${h} type, ${h} op, ${h} comm)`),
    broadcast: library.func(`int MPI_Bcast(void *buffer, int count, ${h} type, int root, ${h} comm)`),
    send: library.func(`int MPI_Send(void *buffer, int count, ${h} type, int to, int tag, ${h} comm)`),
    probe: library.func(`int MPI_Iprobe(int from, int tag, ${h} comm, int *flag, void *status)`),
    receive: library.func(
      `int MPI_Recv(void *buffer, int count, ${h} type, int from, int tag, ${h} comm, void *status)`,
    ),
    errorString: library.func('int MPI_Error_string(int code, uint8_t *text, int *length)'),
    finalize: library.func('int MPI_Finalize()'),
  };
}

/** May be asked before MPI is initialized. */
function versionOf(library: Library): string {
  const [text, length] = [new Uint8Array(VERSION_BYTES), new Int32Array(1)];
  library.func('int MPI_Get_library_version(uint8_t *text, int *length)')(text, length);
  const whole = new TextDecoder().decode(text.subarray(0, length[0]));
  return whole
    .split(/[\n\0]/)[0]
    .split(', package')[0]
    .replace(/(\s|Version:)+/g, ' ')
    .trim();
}

function abiOf(library: Library, name: string, version: string): Abi {
  try {
    return openMpi(library);
  } catch {
    // Not Open MPI: it has no such symbols.
  }
  if (MPICH_FAMILY.test(version)) return MPICH;
  throw new CollectiveError(`${name} is an MPI library of another kind: ${version || 'it does not say which'}`, {
    subject: name,
    found: version,
    expected: 'Open MPI, or MPICH and what keeps its ABI (Intel MPI, MVAPICH, Cray MPICH)',
    advice: 'Start the ranks by the launcher of one of these, and name its library in PLEIAD_MPI',
  });
}
