/**
 * One process at a time in a folder. Two runs in one folder would overwrite each other's checkpoints and shards, each of
 * them whole and all of them useless.
 *
 * The lock is a file that says which process holds it. A process that was killed leaves it behind: on the same machine
 * the next one sees that its owner is gone and takes it over. (The kernel's own file locks would end with the process,
 * but Node cannot set them without koffi's binary, and on network file systems, where runs lie, they are often not kept and
 * name no owner. The hub's cache must use them all the same, as Python does: hub/fileLock.node.ts.)
 */
import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { FolderInUseError } from '../errors/errors.js';
import { unwritable } from './durableFile.node.js';

export const LOCK_FILE = 'pleiad.lock';

const ownerSchema = z.object({
  pid: z.number().int().positive(),
  host: z.string(),
  /** When the process began, as the system counts it: another process with the same number began at another time. */
  processStart: z.string().optional(),
  /** ISO 8601. */
  since: z.string(),
  /** Tells this lock from every other one. */
  id: z.string(),
});
type LockOwner = z.infer<typeof ownerSchema>;

/** A lock that cannot be read may be just being written: how often and how long to wait before it counts as torn. */
const READ_ATTEMPTS = 10;
const READ_PAUSE_MS = 20;
/** Others may come and go meanwhile. */
const ACQUIRE_ATTEMPTS = 20;

/** A folder held by this process, until `release`. */
export class FolderLock {
  private constructor(
    private readonly folder: string,
    private readonly text: string,
  ) {}

  /**
   * Takes the lock of an existing folder.
   * @throws FolderInUseError naming the process that holds it; WriteError when nothing can be written there
   */
  static async acquire(folder: string): Promise<FolderLock> {
    const path = join(folder, LOCK_FILE);
    const owner: LockOwner = {
      pid: process.pid,
      host: hostname(),
      processStart: processStart(process.pid),
      since: new Date().toISOString(),
      id: randomUUID(),
    };
    const text = `${JSON.stringify(owner)}\n`;
    for (let attempt = 0; attempt < ACQUIRE_ATTEMPTS; attempt++) {
      if (create(path, text)) return new FolderLock(folder, text);
      const found = await readOwner(path);
      if (found?.owner && isRunning(found.owner)) throw inUse(folder, found.owner);
      if (found) removeStale(path, found.text);
    }
    throw new FolderInUseError(`${folder} is taken again and again by other processes`, {
      subject: folder,
      advice: 'Choose another folder',
    });
  }

  /**
   * Makes sure that the lock is still this one, before something is written that another process would write too. A lock
   * that was deleted is set again.
   * @throws FolderInUseError when another process has taken it since
   */
  async check(): Promise<void> {
    const path = join(this.folder, LOCK_FILE);
    for (let attempt = 0; attempt < ACQUIRE_ATTEMPTS; attempt++) {
      const found = await readOwner(path);
      if (found?.text === this.text) return;
      if (found?.owner) throw inUse(this.folder, found.owner);
      if (found) removeStale(path, found.text);
      if (create(path, this.text)) return;
    }
  }

  release(): void {
    const path = join(this.folder, LOCK_FILE);
    if (readText(path) === this.text) rmSync(path, { force: true });
  }
}

/** @throws FolderInUseError when a running process holds the folder, which need not exist */
export async function refuseFolderInUse(folder: string): Promise<void> {
  const found = await readOwner(join(folder, LOCK_FILE));
  if (found?.owner && isRunning(found.owner)) throw inUse(folder, found.owner);
}

/**
 * The lock appears with its text in it, where the file system has hard links: a process may be stopped at any place for any
 * time, and an empty lock would count as torn.
 * @returns false when there is a lock already
 */
function create(path: string, text: string): boolean {
  const draft = `${path}.${randomUUID()}`;
  try {
    writeNew(draft, text);
    try {
      linkSync(draft, path);
      return true;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
      return writeNew(path, text);
    }
  } catch (cause) {
    throw unwritable(path, cause);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** @returns false when there is such a file already */
function writeNew(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: 'wx' });
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    rmSync(path, { force: true });
    throw cause;
  }
}

/** @returns undefined when there is no lock; without an owner when it is torn */
async function readOwner(path: string): Promise<{ text: string; owner?: LockOwner } | undefined> {
  let text: string | undefined;
  for (let attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
    if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, READ_PAUSE_MS));
    text = readText(path);
    if (text === undefined) return undefined;
    const owner = parseOwner(text);
    if (owner) return { text, owner };
  }
  return { text: text! };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function parseOwner(text: string): LockOwner | undefined {
  try {
    return ownerSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Whether the owner still runs; of a process on another machine that cannot be told, so it counts as running. */
function isRunning({ pid, host, processStart: start }: LockOwner): boolean {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0); // asks only
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // somebody else's process
  }
  const now = processStart(pid);
  return now !== ENDED && (now === undefined || start === undefined || now === start);
}

const ENDED = 'ended';

/**
 * When a process began, in clock ticks since the machine did; `ENDED` when it only waits for its parent; undefined where
 * the system does not tell. Linux, proc_pid_stat(5): fields 3 (state) and 22 (starttime); the name before them may hold
 * anything.
 */
function processStart(pid: number): string | undefined {
  const fields = readText(`/proc/${pid}/stat`)
    ?.replace(/^.*\) /s, '')
    .split(' ');
  if (!fields) return undefined;
  return fields[0] === 'Z' || fields[0] === 'X' ? ENDED : fields[22 - 3];
}

/** Takes a stale lock out of the way, unless another process has done so and set its own since it was read. */
function removeStale(path: string, text: string): void {
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return; // another process was faster
    throw unwritable(path, cause);
  }
  // A lock of somebody else goes back, unless a third has set one meanwhile; `check` tells the loser before it writes.
  const taken = readText(aside);
  if (taken !== undefined && taken !== text) create(path, taken);
  rmSync(aside, { force: true });
}

function inUse(folder: string, { pid, host, since }: LockOwner): FolderInUseError {
  const here = host === hostname();
  return new FolderInUseError(`${folder} is in use by process ${pid} on ${host} since ${since}`, {
    subject: folder,
    found: { pid, host, since },
    expected: 'a folder that no other process works in',
    advice: here
      ? 'Wait for it or end it, or choose another folder'
      : `Wait for it, or choose another folder; if it has ended, delete ${join(folder, LOCK_FILE)}`,
  });
}
