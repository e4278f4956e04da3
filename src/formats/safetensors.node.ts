/** Safetensors files on disk: single tensors, or parts of them, are read by position; a file is never loaded whole. */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { CheckpointError } from '../errors/errors.js';
import { writeFileDurably } from '../files/durableFile.node.js';
import {
  bytesPerElement,
  encodeSafetensors,
  parseSafetensorsHeader,
  type SafetensorsDtype,
  type SafetensorsHeader,
  type SafetensorsTensor,
  safetensorsHeaderBytes,
  type TensorData,
  type TensorLocation,
  viewTensor,
} from './safetensors.js';

/**
 * An open safetensors file. Reads are synchronous: a training worker has nothing else to do meanwhile, and a positional
 * read from the page cache takes microseconds where a promise through the thread pool takes tens.
 */
export class SafetensorsFile {
  readonly path: string;
  readonly header: SafetensorsHeader;
  #descriptor: number | undefined;

  private constructor(path: string, descriptor: number, header: SafetensorsHeader) {
    this.path = path;
    this.#descriptor = descriptor;
    this.header = header;
  }

  /**
   * Opens `path` and checks its header against the file's length, so that a shortened file is found here.
   * @throws CheckpointError when the file is missing, damaged or incomplete
   */
  static open(path: string): SafetensorsFile {
    const descriptor = openForReading(path);
    try {
      const fileBytes = fstatSync(descriptor).size;
      const start = readBytes(descriptor, path, 0, Math.min(8, fileBytes));
      const headerBytes = safetensorsHeaderBytes(start, path);
      const bytes = readBytes(descriptor, path, 0, Math.min(headerBytes, fileBytes));
      return new SafetensorsFile(path, descriptor, parseSafetensorsHeader(bytes, { source: path, fileBytes }));
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  get metadata(): Readonly<Record<string, string>> {
    return this.header.metadata;
  }

  get names(): string[] {
    return [...this.header.tensors.keys()];
  }

  /** @throws CheckpointError when the file has no tensor of this name */
  location(name: string): TensorLocation {
    const location = this.header.tensors.get(name);
    if (location) return location;
    throw new CheckpointError(`${this.path} has no tensor ${name}; it has ${this.names.join(', ') || 'none'}`, {
      subject: name,
      found: this.names,
    });
  }

  /** One whole tensor. */
  tensor(name: string): SafetensorsTensor {
    const { dtype, shape } = this.location(name);
    return { name, dtype, shape, data: this.read(name) };
  }

  /**
   * The elements `start` to `end` (exclusive, in memory order) of a tensor, by default all.
   * @throws CheckpointError when the range is outside the tensor or the file has become shorter
   */
  read<D extends SafetensorsDtype = SafetensorsDtype>(name: string, start = 0, end?: number): TensorData<D> {
    if (this.#descriptor === undefined) throw new CheckpointError(`${this.path} was already closed`);
    const { dtype, begin, end: endByte } = this.location(name);
    const size = bytesPerElement(dtype);
    const length = (endByte - begin) / size;
    end ??= length;
    if (!(start >= 0 && start <= end && end <= length)) {
      throw new CheckpointError(`${this.path}: elements ${start} to ${end} of ${name}, which has ${length}`);
    }
    const bytes = readBytes(this.#descriptor, this.path, begin + start * size, (end - start) * size);
    return viewTensor(bytes, dtype) as TensorData<D>;
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

/**
 * Writes a safetensors file that is whole or absent (see `writeFileDurably`).
 * @returns length in bytes and SHA-256 (hex)
 */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<SafetensorsTensor>,
  metadata?: Readonly<Record<string, string>>,
): Promise<{ bytes: number; sha256: string }> {
  return writeFileDurably(path, encodeSafetensors(tensors, metadata));
}

function openForReading(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CheckpointError(`Cannot open ${path}: ${reason}`, { subject: path, cause });
  }
}

function readBytes(descriptor: number, path: string, position: number, length: number): Uint8Array {
  // A fresh buffer starts at offset 0, so whatever dtype is read is aligned.
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const got = readSync(descriptor, bytes, done, Math.min(length - done, 1 << 30), position + done);
    if (got === 0) {
      throw new CheckpointError(`${path} ends at byte ${position + done}, expected ${position + length}`, {
        subject: path,
        advice: 'The file was shortened while it was in use; make it again',
      });
    }
    done += got;
  }
  return bytes;
}
