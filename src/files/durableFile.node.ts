/** Files that are whole or absent: nobody ever sees half a file under its final name, not even after a power cut. */

import { createHash } from 'node:crypto';
import { mkdirSync, statSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { WriteError } from '../errors/errors.js';

/** What a system's code means, and what helps. */
const REASONS: Readonly<Record<string, readonly [reason: string, remedy: string]>> = {
  ENOSPC: ['the disk is full', 'Make room'],
  EDQUOT: ['the disk quota is used up', 'Make room, or have the quota raised'],
  EROFS: ['the file system is read-only', 'Have it mounted for writing, or choose another folder'],
  EACCES: ['permission was denied', 'Allow writing there, or choose another folder'],
  EPERM: ['permission was denied', 'Allow writing there, or choose another folder'],
  ENOENT: ['nothing can be made there', 'Choose another folder, or put it back'],
  ENOTDIR: ['a file is in the way', 'Choose another folder, or remove what is in the way'],
  EISDIR: ['a folder is in the way', 'Choose another folder, or remove what is in the way'],
  EEXIST: ['a file of that name is in the way', 'Choose another folder, or remove what is in the way'],
  EFBIG: ['the file would be larger than the file system allows', 'Choose a folder on another file system'],
  EIO: ['the disk reports an error', 'Check the disk, or choose another one'],
};

function codeOf(cause: unknown): string {
  if (cause instanceof WriteError) return String(cause.found);
  return (cause as NodeJS.ErrnoException)?.code ?? '';
}

/** Why a file or folder could not be written, in words. */
export function reasonOf(cause: unknown): string {
  return REASONS[codeOf(cause)]?.[0] ?? (cause instanceof Error ? cause.message : String(cause));
}

/** What helps against it, the beginning of a sentence. */
export function remedyOf(cause: unknown): string {
  return REASONS[codeOf(cause)]?.[1] ?? 'Mend that';
}

/**
 * The error for a file that could not be written.
 * @param then  what to do after the remedy: the rest of the advice
 */
export function unwritable(path: string, cause: unknown, then = 'then run the same command again'): WriteError {
  // A file inside `path` that is at fault is named too.
  const place = cause instanceof WriteError && cause.subject !== path ? ` (at ${cause.subject})` : '';
  return new WriteError(`${path} could not be written: ${reasonOf(cause)}${place}`, {
    subject: path,
    found: codeOf(cause),
    cause,
    advice: `${remedyOf(cause)}, ${then}`,
  });
}

/**
 * Makes a folder and those above it. One at a time: Node's own recursive form never returns where the system takes no
 * folders, for instance under /proc.
 * @throws WriteError naming the folder and what is in its way
 */
export function makeFolder(path: string): void {
  const missing: string[] = [];
  let folder = resolve(path);
  try {
    for (; !statSync(folder, { throwIfNoEntry: false }); folder = dirname(folder)) missing.push(folder);
    if (!statSync(folder).isDirectory()) throw Object.assign(new Error(), { code: 'EEXIST' });
    for (const each of missing.reverse()) makeOne(each);
  } catch (cause) {
    throw new WriteError(`the folder ${path} could not be made: ${reasonOf(cause)} (at ${folder})`, {
      subject: path,
      found: codeOf(cause),
      cause,
      expected: 'a folder that can be written',
      advice: remedyOf(cause),
    });
  }
}

/** Another process may make it at the same time. */
function makeOne(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !statSync(folder).isDirectory()) throw error;
  }
}

/**
 * Writes `path` by way of `path.tmp`: write, flush to the disk, rename, flush the folder. What was at `path` before stays
 * untouched until then, also when the disk is full.
 * @param chunks  consecutive pieces of the file
 * @returns       length in bytes and SHA-256 (hex) of what was written
 * @throws WriteError naming the file; what `chunks` throws comes through as it is
 */
export async function writeFileDurably(
  path: string,
  chunks: Iterable<Uint8Array | string> | AsyncIterable<Uint8Array | string>,
): Promise<{ bytes: number; sha256: string }> {
  const temporary = `${path}.tmp`;
  const hash = createHash('sha256');
  let bytes = 0;
  const writing = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (cause) {
      throw unwritable(path, cause);
    }
  };
  const file = await writing(open(temporary, 'w'));
  try {
    try {
      for await (const chunk of chunks) {
        const piece = typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk;
        hash.update(piece);
        await writing(writeFully(file, piece));
        bytes += piece.byteLength;
      }
      await writing(file.sync());
    } finally {
      await writing(file.close());
    }
    await writing(rename(temporary, path));
  } catch (error) {
    // What is left of it is in nobody's way, so the first error is the one to tell.
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
  await writing(syncFolder(dirname(path)));
  return { bytes, sha256: hash.digest('hex') };
}

/** Flushes a folder's entries, so that a rename in it survives a power cut. Windows cannot; there it does nothing. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** One `write` may take only a part (at most 2 GiB on Linux, less on a nearly full disk). */
async function writeFully(file: FileHandle, bytes: Uint8Array): Promise<void> {
  let done = 0;
  while (done < bytes.byteLength) {
    const { bytesWritten } = await file.write(bytes, done, Math.min(bytes.byteLength - done, 1 << 30));
    done += bytesWritten;
  }
}
