/**
 * Bytes that are read by position: the one thing every reader of a checkpoint format asks for. A file on disk, a `Blob` in
 * a browser and bytes in memory all serve, and nothing is read that is not asked for.
 */
import { CheckpointError } from '../errors/errors.js';

export interface ByteSource {
  /** What messages call it, for instance the file's path. */
  readonly name: string;
  /** Length in bytes. */
  readonly size: number;
  /** The file on disk that it is, where it is one, so that its values can stay there. */
  readonly file?: { readonly path: string; readonly size: number; readonly mtimeMs: number; readonly ino: number };
  /** Fills `target` with the bytes from `position`; the caller stays inside `size` (`readBytes` checks that). */
  readInto(target: Uint8Array, position: number): Promise<void>;
  close(): Promise<void>;
}

/** Files that belong together, by name: a folder on disk, or what a user dropped into a page. */
export interface FileSet {
  /** What messages call it. */
  readonly name: string;
  /** Of the files directly in it. */
  readonly names: readonly string[];
  open(name: string): Promise<ByteSource>;
  /** The files of the folder of this name beside this one, where there is one: the other half of a pair of models. */
  beside?(folder: string): FileSet | undefined;
}

/**
 * Bytes `position` to `position + length` in a buffer of their own, which starts at offset 0 and so suits any dtype.
 * @throws CheckpointError when the source ends before
 */
export async function readBytes(
  source: ByteSource,
  position: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  checkRange(source, position, length);
  const bytes = new Uint8Array(length);
  await source.readInto(bytes, position);
  return bytes;
}

/** @throws CheckpointError when the range is not inside the source */
export function checkRange(source: ByteSource, position: number, length: number): void {
  if (position >= 0 && length >= 0 && position + length <= source.size) return;
  throw new CheckpointError(
    `${source.name}: bytes ${position} to ${position + length} are needed, but it has ${source.size}`,
    {
      subject: source.name,
      found: source.size,
      expected: 'a complete file',
      advice: 'The file is incomplete or damaged; copy, download or make it again',
    },
  );
}

export function memorySource(bytes: Uint8Array, name: string): ByteSource {
  return {
    name,
    size: bytes.length,
    async readInto(target, position) {
      target.set(bytes.subarray(position, position + target.length));
    },
    async close() {},
  };
}

/** A file that a user chose in a browser, or any other `Blob`. */
export function blobSource(blob: Blob, name: string): ByteSource {
  return {
    name,
    size: blob.size,
    async readInto(target, position) {
      target.set(new Uint8Array(await blob.slice(position, position + target.length).arrayBuffer()));
    },
    async close() {},
  };
}

/**
 * Files in memory or in a browser, by name.
 * @param beside  files of other folders, by the folder's name
 */
export function fileSetOf(
  files: ReadonlyMap<string, Uint8Array | Blob>,
  name: string,
  beside: ReadonlyMap<string, FileSet> = new Map(),
): FileSet {
  return {
    name,
    names: [...files.keys()],
    beside: (folder) => beside.get(folder),
    async open(file) {
      const content = files.get(file);
      if (!content)
        throw new CheckpointError(`${name} has no file ${file}`, { subject: file, found: [...files.keys()] });
      const label = `${name}/${file}`;
      return content instanceof Uint8Array ? memorySource(content, label) : blobSource(content, label);
    },
  };
}
