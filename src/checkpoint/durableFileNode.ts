/** Files that are whole or absent: nobody ever sees half a file under its final name, not even after a power cut. */

import { createHash } from 'node:crypto';
import { mkdirSync, statSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { PleiadError } from '../errors.js';

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the file system is read-only',
  EACCES: 'permission was denied',
  EPERM: 'permission was denied',
  ENOENT: 'nothing can be made there',
  ENOTDIR: 'a file is in the way',
  EEXIST: 'a file of that name is in the way',
};

/** Why a file or folder could not be written, in words. */
export function reasonOf(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException)?.code ?? '';
  return REASONS[code] ?? (cause instanceof Error ? cause.message : String(cause));
}

/**
 * Makes a folder and those above it. One at a time: Node's own recursive form never returns where the system takes no
 * folders, for instance under /proc.
 * @throws PleiadError naming the folder and what is in its way
 */
export function makeFolder(path: string): void {
  const missing: string[] = [];
  let folder = resolve(path);
  try {
    for (; !statSync(folder, { throwIfNoEntry: false }); folder = dirname(folder)) missing.push(folder);
    if (!statSync(folder).isDirectory()) throw Object.assign(new Error(), { code: 'EEXIST' });
    for (const each of missing.reverse()) makeOne(each);
  } catch (cause) {
    throw new PleiadError(`the folder ${path} could not be made: ${reasonOf(cause)} (at ${folder})`, {
      subject: path,
      cause,
      expected: 'a folder that can be written',
      advice: 'Choose another folder, or remove what is in the way',
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
 */
export async function writeFileDurably(
  path: string,
  chunks: Iterable<Uint8Array | string> | AsyncIterable<Uint8Array | string>,
): Promise<{ bytes: number; sha256: string }> {
  const temporary = `${path}.tmp`;
  const hash = createHash('sha256');
  let bytes = 0;
  const file = await open(temporary, 'w');
  try {
    for await (const chunk of chunks) {
      const piece = typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk;
      hash.update(piece);
      await writeFully(file, piece);
      bytes += piece.byteLength;
    }
    await file.sync();
  } catch (error) {
    await file.close();
    await rm(temporary, { force: true });
    throw error;
  }
  await file.close();
  await rename(temporary, path);
  await syncFolder(dirname(path));
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
