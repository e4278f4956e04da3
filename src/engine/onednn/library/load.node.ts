/**
 * Finds and loads the system's oneDNN through koffi. Nothing is compiled or downloaded: where the library or koffi's
 * binary is not there, that is said, and other engines serve.
 */
import { createRequire } from 'node:module';
import { CONSTANTS, type Constants } from './constants.js';

/** The part of koffi that is used. Addresses are JS numbers: they fit in 2⁵³, and cross twice as fast as BigInt. */
export interface ForeignLibrary {
  func(name: string, result: string, parameters: readonly string[]): ForeignFunction;
}
// biome-ignore lint/suspicious/noExplicitAny: what a foreign function takes and gives is in its declaration
export type ForeignFunction = (...values: any[]) => any;

interface Koffi {
  load(path: string | null): ForeignLibrary;
  address(view: ArrayBufferView | ArrayBuffer): bigint;
  readonly decode: {
    (address: bigint | number, offset: number, type: string): unknown;
    string(address: bigint | number): string;
  };
}

export interface OneDnnLibrary {
  readonly path: string;
  readonly version: string;
  readonly major: 2 | 3;
  readonly constants: Constants;
  readonly library: ForeignLibrary;
  /** Of memory that V8 holds outside its heap, where it does not move: of any buffer made by `new ArrayBuffer`. */
  addressOf(view: ArrayBufferView | ArrayBuffer): number;
  /** Reads a C string. */
  text(address: number | bigint): string;
}

/** Why there is no library, in words that follow "oneDNN is not used: ". */
export interface MissingLibrary {
  readonly missing: string;
}

/** Where the library may lie, in the order in which places are tried; PLEIAD_ONEDNN goes before all and alone. */
export function libraryNames(platform: NodeJS.Platform, chosen = process.env.PLEIAD_ONEDNN): string[] {
  if (chosen) return [chosen];
  if (platform === 'win32') return ['dnnl.dll'];
  if (platform === 'darwin') {
    const names = ['libdnnl.3.dylib', 'libdnnl.2.dylib', 'libdnnl.dylib'];
    // Homebrew's folder is not among those that the loader looks in.
    return [
      ...names,
      ...names.map((name) => `/opt/homebrew/lib/${name}`),
      ...names.map((name) => `/usr/local/lib/${name}`),
    ];
  }
  return ['libdnnl.so.3', 'libdnnl.so.2', 'libdnnl.so'];
}

/** Oldest release of each major version whose functions are those that are called here. */
const OLDEST = { 2: 6, 3: 0 } as const;

export function loadOneDnn(): OneDnnLibrary | MissingLibrary {
  let koffi: Koffi;
  try {
    koffi = createRequire(import.meta.url)('koffi') as Koffi;
  } catch (error) {
    return { missing: `koffi, through which it is called, does not load (${firstLine(error)})` };
  }
  const names = libraryNames(process.platform);
  const failures: string[] = [];
  for (const name of names) {
    try {
      return withQuietThreads(koffi, () => {
        keepLoaded(koffi, name);
        return describe(koffi, name, koffi.load(name));
      });
    } catch (error) {
      failures.push(firstLine(error));
    }
  }
  const chosen = process.env.PLEIAD_ONEDNN;
  if (chosen) return { missing: `PLEIAD_ONEDNN is ${chosen}, which does not load (${failures[0]})` };
  return { missing: `the library is not installed (looked for ${names.join(', ')})` };
}

function firstLine(error: unknown): string {
  return (error as Error).message.split('\n')[0];
}

/** What OpenMP runtimes (of GNU; of LLVM and Intel) call the time that a thread waits spinning before it sleeps. */
const QUIET: Readonly<Record<string, string>> = { GOMP_SPINCOUNT: '1000', KMP_BLOCKTIME: '0' };

/**
 * Loads with threads that soon sleep when they have nothing to do, which OpenMP reads from the environment once. Those of
 * GNU otherwise spin for milliseconds: where anything else runs on the machine, they hold the core that the thread they
 * wait for needs (a step that takes 1.1 s took 13 s). A thousand turns, some 20 µs, bridge the way from one primitive to
 * the next, where waking costs as long. What the user has set goes first.
 */
function withQuietThreads<T>(koffi: Koffi, load: () => T): T {
  const isSet = ['OMP_WAIT_POLICY', ...Object.keys(QUIET)].some((name) => process.env[name] !== undefined);
  if (isSet || process.platform === 'win32') return load();
  const libc = koffi.load(null);
  const set = libc.func('setenv', 'int', ['str', 'str', 'int']);
  const unset = libc.func('unsetenv', 'int', ['str']);
  for (const [name, value] of Object.entries(QUIET)) set(name, value, 1);
  try {
    return load();
  } finally {
    for (const name of Object.keys(QUIET)) unset(name);
  }
}

const RTLD_NOW = 2;
const RTLD_NODELETE: Partial<Record<NodeJS.Platform, number>> = { linux: 0x1000, darwin: 0x80 };

/**
 * Has the loader keep the library, and with it the OpenMP runtime, until the process ends. When a worker thread ends, its
 * libraries are closed; OpenMP's own threads would then run in memory that is gone (20 crashes in 20 exits).
 */
function keepLoaded(koffi: Koffi, name: string): void {
  const flag = RTLD_NODELETE[process.platform];
  if (flag === undefined) return;
  koffi.load(null).func('dlopen', 'void *', ['str', 'int'])(name, RTLD_NOW | flag);
}

function describe(koffi: Koffi, path: string, library: ForeignLibrary): OneDnnLibrary | MissingLibrary {
  const version = library.func('dnnl_version', 'void *', [])() as bigint;
  const [major, minor, patch] = [0, 4, 8].map((offset) => koffi.decode(version, offset, 'int') as number);
  const text = `${major}.${minor}.${patch}`;
  if ((major !== 2 && major !== 3) || minor < OLDEST[major]) {
    return { missing: `${path} is version ${text}; expected 2.6 or newer, or 3` };
  }
  return {
    path,
    version: text,
    major,
    constants: CONSTANTS[major],
    library,
    addressOf: (view) => Number(koffi.address(view)),
    text: (address) => koffi.decode.string(address),
  };
}
