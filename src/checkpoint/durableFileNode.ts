/** Files that are whole or absent: nobody ever sees half a file under its final name, not even after a power cut. */

import { createHash } from 'node:crypto';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

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
  } finally {
    await file.close();
  }
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
