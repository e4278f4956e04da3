/**
 * Locks between processes, the same that Python's huggingface_hub takes (`filelock`): `flock` on a file that stays. The
 * system drops them when a process ends, however it ends. Node has no call for them, so libc's is called through koffi.
 * Not files/folderLock.node.ts, which names its owner and works on network file systems: Python would not see that.
 */
import { type FileHandle, open } from 'node:fs/promises';
import type { Clock } from './clock.js';

export interface FileLock {
  /** False where no lock could be had: a system without `flock`, a folder that is read-only, koffi without its binary. */
  readonly isHeld: boolean;
  release(): Promise<void>;
}

type Flock = (descriptor: number, operation: number) => number;
interface NativeFlock {
  readonly flock: Flock;
  readonly errno: () => number;
  /** The error numbers of a lock that somebody else holds. */
  readonly busy: ReadonlySet<number>;
}

const EXCLUSIVE_AT_ONCE = 2 | 4;
/** libuv's flag for opening a file for this process alone, on Windows only. */
const WINDOWS_EXCLUSIVE = 0x10000000;
const POLL_MS = 100;
const NOT_HELD: FileLock = { isHeld: false, release: async () => {} };

/**
 * Waits for the lock.
 * @param onWait  called once when another holds it
 */
export async function lockFile(
  path: string,
  { clock, signal, onWait }: { clock: Clock; signal?: AbortSignal; onWait: () => void },
): Promise<FileLock> {
  const native = process.platform === 'win32' ? undefined : await loadFlock();
  if (!native && process.platform !== 'win32') return NOT_HELD;
  let hasWaited = false;
  for (;;) {
    const lock = native ? await tryFlock(path, native) : await tryExclusive(path);
    if (lock !== 'busy') return lock;
    if (!hasWaited) onWait();
    hasWaited = true;
    await clock.wait(POLL_MS, signal);
  }
}

async function tryFlock(path: string, { flock, errno, busy }: NativeFlock): Promise<FileLock | 'busy'> {
  const file = await openLock(path, 'a+');
  if (!file) return NOT_HELD;
  if (flock(file.fd, EXCLUSIVE_AT_ONCE) === 0) {
    // Held, unless the file was removed between opening and locking: such a lock guards no name.
    if ((await file.stat()).nlink > 0) return held(file);
    await file.close();
    return 'busy';
  }
  const isBusy = busy.has(errno());
  await file.close();
  return isBusy ? 'busy' : NOT_HELD;
}

/** Python holds the file open while it has the lock, and waits while it cannot open it. */
async function tryExclusive(path: string): Promise<FileLock | 'busy'> {
  try {
    const { O_RDWR, O_CREAT } = (await import('node:fs')).constants;
    return held(await open(path, O_RDWR | O_CREAT | WINDOWS_EXCLUSIVE));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EBUSY' ? 'busy' : NOT_HELD;
  }
}

function held(file: FileHandle): FileLock {
  return { isHeld: true, release: () => file.close() };
}

/** Writable for the group, as Python makes it, so that people who share a cache can wait for each other. */
async function openLock(path: string, flags: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, flags, 0o664);
  } catch {
    return undefined;
  }
}

let loading: Promise<NativeFlock | undefined> | undefined;

function loadFlock(): Promise<NativeFlock | undefined> {
  loading ??= (async () => {
    try {
      const { default: koffi } = await import('koffi');
      // The program itself has libc loaded, whatever its file is called.
      const flock = koffi.load(null).func('int flock(int descriptor, int operation)') as unknown as Flock;
      const { EAGAIN, EWOULDBLOCK, EACCES } = koffi.os.errno;
      return { flock, errno: () => koffi.errno(), busy: new Set([EAGAIN, EWOULDBLOCK, EACCES]) };
    } catch {
      return undefined;
    }
  })();
  return loading;
}
