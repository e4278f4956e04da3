/** Files and folders on disk as byte sources. */

import { readdirSync, statSync } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { CheckpointError } from '../errors/errors.js';
import type { ByteSource, FileSet } from './byteSource.js';
import { reasonOf } from './durableFile.node.js';
import { MAX_READ } from './storedValues.node.js';

/**
 * Opens a file for reading by position.
 * @throws CheckpointError when it cannot be opened or is no regular file
 */
export async function openFileSource(path: string): Promise<ByteSource> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const reason = missing ? 'there is no such file' : reasonOf(cause);
    throw new CheckpointError(`Cannot open ${path}: ${reason}`, { subject: path, cause });
  });
  const stat = await file.stat();
  if (!stat.isFile()) {
    await file.close();
    throw new CheckpointError(`Cannot open ${path}: it is ${stat.isDirectory() ? 'a folder' : 'no regular file'}`, {
      subject: path,
    });
  }
  return {
    name: path,
    size: stat.size,
    file: { path: await realpath(path), size: stat.size, mtimeMs: stat.mtimeMs, ino: stat.ino },
    async readInto(target, position) {
      let done = 0;
      while (done < target.length) {
        const length = Math.min(target.length - done, MAX_READ);
        const { bytesRead } = await file.read(target, done, length, position + done);
        if (bytesRead === 0) {
          throw new CheckpointError(`${path} ends at byte ${position + done}, expected ${position + target.length}`, {
            subject: path,
            advice: 'The file was shortened while it was in use; make it again',
          });
        }
        done += bytesRead;
      }
    },
    close: () => file.close(),
  };
}

/** The files directly in a folder; folders in it are left out. */
export function folderFiles(folder: string): FileSet {
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map(({ name }) => name)
    .sort();
  return {
    name: folder,
    names,
    open: (name) => openFileSource(join(folder, name)),
    beside(name) {
      const other = join(dirname(resolve(folder)), basename(name));
      return statSync(other, { throwIfNoEntry: false })?.isDirectory() ? folderFiles(other) : undefined;
    },
  };
}
