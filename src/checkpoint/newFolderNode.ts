/** Folders whose files appear together when all of them are complete, or not at all. */
import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { readdir, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SettingsError, WriteError } from '../errors.js';
import { makeFolder, syncFolder, unwritable } from './durableFileNode.js';

/** Where files lie until all are there. Inside the folder: that may be a mount point, which cannot be renamed onto. */
const UNFINISHED = '.unfinished';

/** Who finds a config.json takes the folder for a model, so it comes last. */
const LAST = 'config.json';

/**
 * @throws SettingsError when `folder` has something in it
 * @throws WriteError when another process is writing there, or was ended while it did
 */
export function requireNewFolder(folder: string): void {
  const names = existsSync(folder) ? entriesOf(folder) : [];
  if (names.includes(UNFINISHED)) throw inUse(folder);
  if (names.length === 0) return;
  throw new SettingsError([`${folder} is not empty; expected a new folder, so that files of two models are not mixed`]);
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (cause) {
    throw unwritable(folder, cause);
  }
}

function inUse(folder: string): WriteError {
  const path = join(folder, UNFINISHED);
  return new WriteError(`${folder} is being written by another process, or by one that was ended before it was done`, {
    subject: folder,
    found: path,
    expected: 'a new folder',
    advice: `If no other process runs, remove ${path} and try again`,
  });
}

/**
 * Writes a folder that is new or empty.
 * @param write  writes the files into the folder it is given; when it throws, nothing is left of them
 * @throws as `requireNewFolder`; WriteError when files cannot be put in place; what `write` throws
 */
export async function writeNewFolder<T>(folder: string, write: (unfinished: string) => Promise<T>): Promise<T> {
  requireNewFolder(folder);
  const isNew = !existsSync(folder);
  makeFolder(folder);
  const unfinished = join(folder, UNFINISHED);
  try {
    mkdirSync(unfinished); // of two processes, one can
  } catch (cause) {
    throw (cause as NodeJS.ErrnoException).code === 'EEXIST' ? inUse(folder) : unwritable(folder, cause);
  }
  try {
    const result = await write(unfinished);
    await moveUp(unfinished, folder);
    return result;
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true }).catch(() => {});
    if (isNew) removeIfEmpty(folder);
    throw error;
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
    // Somebody has put something there, or it cannot be removed: it is in nobody's way.
  }
}
