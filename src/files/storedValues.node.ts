/** Values that stay in a file on disk. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { CheckpointError } from '../errors/errors.js';
import type { FileRange, StoredValues } from './storedValues.js';

/** A file as it was when it was opened. */
export interface FileIdentity {
  /** Absolute, with no symbolic links in it. */
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
  readonly ino: number;
}

export class FileValues implements StoredValues {
  readonly length: number;
  readonly #file: FileIdentity;
  readonly #begin: number;

  /** @param begin  byte position of the first element, a multiple of 4 */
  constructor(file: FileIdentity, begin: number, length: number) {
    this.#file = file;
    this.#begin = begin;
    this.length = length;
  }

  locate(): FileRange {
    const { path, size, mtimeMs, ino } = this.#file;
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.size !== size || stat.mtimeMs !== mtimeMs || stat.ino !== ino) {
      throw new CheckpointError(`${path} ${stat ? 'was changed' : 'is gone'} since the model was loaded from it`, {
        subject: path,
        found: stat && { size: stat.size, modified: new Date(stat.mtimeMs).toISOString() },
        expected: `${size} bytes, modified ${new Date(mtimeMs).toISOString()}`,
        advice: "Load the model again; to be free of its file, load it with keep: 'memory'",
      });
    }
    return { file: path, begin: this.#begin, bytes: this.length * Float32Array.BYTES_PER_ELEMENT };
  }

  /** In shared memory, which another thread sees without a copy. */
  read(): Float32Array {
    const range = this.locate();
    const memory = new SharedArrayBuffer(range.bytes);
    readRange(range, new Uint8Array(memory));
    return new Float32Array(memory);
  }
}

/** One `read` call takes at most 2 GiB. */
export const MAX_READ = 1 << 30;

/**
 * Fills `target`, which is as long as the range.
 * @throws CheckpointError when the file cannot be opened or ends before
 */
export function readRange({ file, begin }: FileRange, target: Uint8Array): void {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, 'r');
    for (let done = 0; done < target.length; ) {
      const read = readSync(descriptor, target, done, Math.min(MAX_READ, target.length - done), begin + done);
      if (read === 0) throw new Error(`it ends at byte ${begin + done}, expected ${begin + target.length}`);
      done += read;
    }
  } catch (cause) {
    throw new CheckpointError(`${file} could not be read: ${(cause as Error).message}`, { subject: file, cause });
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
