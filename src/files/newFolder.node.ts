/** Folders whose files appear together when all of them are complete, or not at all. */
import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { readdir, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SettingsError } from '../errors/errors.js';
import { makeFolder, syncFolder, unwritable } from './durableFile.node.js';
import { FolderLock, LOCK_FILE } from './folderLock.node.js';

/** Where files lie until all are there. Inside the folder: that may be a mount point, which cannot be renamed onto. */
const UNFINISHED = '.unfinished';

/** Whether a process that was killed may have left it; a lock that is being set or taken over has more to its name. */
const isLeftBehind = (name: string) => name === UNFINISHED || name.startsWith(LOCK_FILE);

/** Who finds a config.json takes the folder for a model, so it comes last. */
const LAST = 'config.json';

/** @throws SettingsError when `folder` has something in it */
export function requireNewFolder(folder: string): void {
  const names = existsSync(folder) ? entriesOf(folder) : [];
  if (names.every(isLeftBehind)) return;
  throw new SettingsError([`${folder} is not empty; expected a new folder, so that files of two models are not mixed`]);
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (cause) {
    throw unwritable(folder, cause);
  }
}

/**
 * Writes a folder that is new or empty. What a process that was killed had begun there is removed first.
 * @param write  writes the files into the folder it is given; when it throws, nothing is left of them
 * @throws as `requireNewFolder`; FolderInUseError when another process is writing there; WriteError when files cannot be
 *         put in place; what `write` throws
 */
export async function writeNewFolder<T>(folder: string, write: (unfinished: string) => Promise<T>): Promise<T> {
  requireNewFolder(folder);
  const isNew = !existsSync(folder);
  makeFolder(folder);
  const lock = await FolderLock.acquire(folder);
  try {
    requireNewFolder(folder); // another process may have been faster
    const unfinished = join(folder, UNFINISHED);
    try {
      await rm(unfinished, { recursive: true, force: true });
      makeFolder(unfinished);
      const result = await write(unfinished);
      await moveUp(unfinished, folder);
      return result;
    } catch (error) {
      await rm(unfinished, { recursive: true, force: true }).catch(() => {});
      throw error;
    }
  } finally {
    lock.release();
    if (isNew) removeIfEmpty(folder);
  }
}

async function moveUp(unfinished: string, folder: string): Promise<void> {
  const names = await readdir(unfinished);
  const [last, others] = [true, false].map((wanted) => names.filter((name) => (name === LAST) === wanted));
  const moved: string[] = [];
  try {
    for (const name of [...others, ...last]) {
      await rename(join(unfinished, name), join(folder, name));
      moved.push(name);
    }
    await rmdir(unfinished);
    await syncFolder(folder);
  } catch (cause) {
    for (const name of moved) await rm(join(folder, name), { recursive: true, force: true }).catch(() => {});
    throw unwritable(folder, cause);
  }
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // It has its files, or those of somebody else.
  }
}
