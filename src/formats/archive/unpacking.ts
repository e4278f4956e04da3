/**
 * What may come out of an archive and where it may go. The archive is not trusted: a name can only be a place inside the
 * target, and what comes out is counted against what an archive of weights can hold.
 */
import type { ByteSource } from '../../files/byteSource.js';
import { damaged, refused } from '../damaged.js';
import { shown } from './zip.js';

/** Receives what is unpacked; paths are relative, with slashes, and have been checked. */
export interface UnpackTarget {
  folder(path: string): Promise<void>;
  /** Opens a new file; `close` is also called when the archive turns out damaged in the middle of it. */
  file(path: string): Promise<{ write(bytes: Uint8Array): Promise<void>; close(): Promise<void> }>;
}

export interface UnpackLimits {
  /** Bytes of all files together. */
  readonly maxBytes: number;
  readonly maxFiles: number;
}

/** Trained weights hardly compress, text does five times; a bomb a thousand times. */
const MAX_RATIO = 20;
const MIN_ALLOWANCE = 1 << 26;
/** Four times the largest released model. */
const MAX_BYTES = 8 * 2 ** 30;
export const MAX_FILES = 10_000;
const MAX_NAME = 1000;

/** How much an archive of this many bytes may become. */
export function unpackLimits(archiveBytes: number): UnpackLimits {
  return { maxBytes: Math.min(MAX_BYTES, Math.max(MIN_ALLOWANCE, MAX_RATIO * archiveBytes)), maxFiles: MAX_FILES };
}

/**
 * A name from an archive as a path inside the target folder.
 * @returns the path with slashes, without "." parts; empty for the folder itself
 * @throws CheckpointError when it leads or could lead out of it
 */
export function safePath(name: string, source: string): string {
  const parts = name.split('/').filter((part, index) => !(part === '.' || (part === '' && index > 0)));
  const problem =
    (name.length > MAX_NAME && 'is too long') ||
    (name.startsWith('/') && 'is absolute') ||
    (/^[A-Za-z]:/.test(name) && 'begins with a drive') ||
    (name.includes('\\') && 'has a backslash') ||
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    (/[\0-\x1f\x7f]/.test(name) && 'has control characters') ||
    (parts.includes('..') && 'leads out of its folder') ||
    // Windows drops dots and spaces at the end of a name, so two names could be one file.
    (parts.some((part) => /[. ]$/.test(part)) && 'ends in a dot or a space') ||
    (parts.some((part) => part.length > 255) && 'is too long');
  if (!problem) return parts.join('/');
  throw refused(
    source,
    `its entry ${shown(name)} ${problem}`,
    'Nothing of it was written there; do not trust the archive',
  );
}

/** Checks and counts everything on its way to the target. */
export class Unpacking {
  readonly #seen = new Map<string, 'file' | 'folder'>();
  #bytes = 0;
  readonly #target: UnpackTarget;
  readonly #limits: UnpackLimits;
  readonly source: ByteSource;

  constructor(source: ByteSource, target: UnpackTarget, limits: UnpackLimits) {
    this.source = source;
    this.#target = target;
    this.#limits = limits;
  }

  async folder(name: string): Promise<void> {
    const path = safePath(name, this.source.name);
    if (path === '') return;
    await this.#parents(`${path}/`);
  }

  /** @param bytes  the size that the archive gives, counted before anything is written */
  async file(name: string, bytes: number, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const path = safePath(name, this.source.name);
    if (path === '') throw refused(this.source.name, 'it has a file without a name');
    await this.#parents(path);
    this.#claim(path, 'file');
    this.#bytes += bytes;
    if (this.#bytes > this.#limits.maxBytes) throw this.#bomb();
    const file = await this.#target.file(path);
    try {
      let written = 0;
      for await (const chunk of chunks) {
        written += chunk.length;
        if (written > bytes)
          throw damaged(this.source.name, `its entry ${shown(name)} is longer than its ${bytes} bytes`);
        await file.write(chunk);
      }
      if (written < bytes) throw damaged(this.source.name, `it ends inside its entry ${shown(name)}`);
    } finally {
      await file.close();
    }
  }

  async #parents(path: string): Promise<void> {
    for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
      const parent = path.slice(0, at);
      if (this.#seen.get(parent.toLowerCase()) === 'folder') continue;
      this.#claim(parent, 'folder');
      await this.#target.folder(parent);
    }
  }

  /** Lower case and upper case are one on many systems, so they are one here. */
  #claim(path: string, kind: 'file' | 'folder'): void {
    const key = path.toLowerCase();
    if (this.#seen.has(key)) throw refused(this.source.name, `it has ${shown(path)} twice`);
    if (this.#seen.size >= this.#limits.maxFiles) {
      throw refused(this.source.name, `it has over ${this.#limits.maxFiles} entries, beyond any checkpoint`);
    }
    this.#seen.set(key, kind);
  }

  #bomb() {
    const { maxBytes } = this.#limits;
    return refused(
      this.source.name,
      `it would unpack to over ${maxBytes} bytes from ${this.source.size}, beyond any archive of weights`,
      'If you trust it, unpack it yourself and give the folder',
    );
  }
}
