/**
 * Unpacks archives (tar, tar.gz, zip) as a stream of files. The archive is not trusted: a name can only be a place inside
 * the target, links and devices are refused, and what comes out is counted against what an archive of weights can hold.
 */
import { crc32 } from '../../crc32.js';
import { type ByteSource, readBytes } from '../byteSource.js';
import { damaged, refused } from '../damaged.js';
import { checkTarKind, parsePax, parseTarHeader, TAR_BLOCK, type TarHeader } from './tar.js';
import { readZipDirectory, shown, type ZipEntry, zipDataPosition } from './zip.js';

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
const MAX_FILES = 10_000;
const READ_BYTES = 1 << 16;
const MAX_HEADER_BYTES = 1 << 16;
const MAX_NAME = 1000;
const DEFLATED = 8;
const STORED = 0;

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
class Unpacking {
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

/** Unpacks a zip archive. @throws CheckpointError */
export async function unpackZip(
  source: ByteSource,
  target: UnpackTarget,
  limits = unpackLimits(source.size),
): Promise<void> {
  const unpacking = new Unpacking(source, target, limits);
  for (const entry of (await readZipDirectory(source)).values()) {
    const { name, unixMode, bytes } = entry;
    // The upper half of a Unix mode is the kind of file: 0 unknown, 8 regular, 4 folder.
    const kind = unixMode >> 12;
    if (kind !== 0 && kind !== 8 && kind !== 4) {
      throw refused(source.name, `its entry ${shown(name)} is a link or a device`, 'Do not trust the archive');
    }
    if (name.endsWith('/') || kind === 4) await unpacking.folder(name);
    else await unpacking.file(name, bytes, zipEntryChunks(source, entry));
  }
}

async function* zipEntryChunks(source: ByteSource, entry: ZipEntry): AsyncGenerator<Uint8Array> {
  const { name, method, compressedBytes } = entry;
  if (method !== STORED && method !== DEFLATED) {
    throw refused(source.name, `its entry ${shown(name)} is compressed by method ${method}, which is not read`);
  }
  const begin = await zipDataPosition(source, entry);
  const stored = chunksOf(source, begin, begin + compressedBytes);
  let crc = 0;
  for await (const chunk of method === STORED ? stored : inflate(stored, 'deflate-raw', source.name)) {
    crc = crc32(chunk, crc);
    yield chunk;
  }
  if (crc !== entry.crc32) throw damaged(source.name, `its entry ${shown(name)} has a wrong checksum`);
}

/** Unpacks a tar archive, compressed by gzip or not. @throws CheckpointError */
export async function unpackTar(
  source: ByteSource,
  target: UnpackTarget,
  options: { gzip: boolean; limits?: UnpackLimits },
): Promise<void> {
  const limits = options.limits ?? unpackLimits(source.size);
  const unpacking = new Unpacking(source, target, limits);
  const raw = chunksOf(source, 0, source.size);
  const reader = new BlockReader(options.gzip ? inflate(raw, 'gzip', source.name) : raw, source.name);
  try {
    await unpackEntries(reader, unpacking, source.name);
  } finally {
    await reader.close();
  }
}

async function unpackEntries(reader: BlockReader, unpacking: Unpacking, source: string): Promise<void> {
  let nextName: string | undefined;
  let nextBytes: number | undefined;
  // Even an archive of headers alone comes to an end.
  for (let headers = 0; headers < 4 * MAX_FILES; headers++) {
    const block = await reader.block();
    if (!block) {
      if (headers === 0) throw damaged(source, 'its tar archive is empty');
      throw damaged(source, 'its tar archive ends without its end mark');
    }
    const header = parseTarHeader(block, source);
    if (!header) return reader.finish();
    if (header.kind === 'long-name' || header.kind === 'pax' || header.kind === 'pax-global') {
      const bytes = await reader.small(header, source);
      if (header.kind === 'long-name') nextName = new TextDecoder().decode(bytes).replace(/\0.*$/s, '');
      const records = header.kind === 'pax' ? parsePax(bytes, source) : undefined;
      nextName = records?.get('path') ?? nextName;
      const size = records?.get('size');
      if (size !== undefined) nextBytes = /^\d{1,15}$/.test(size) ? Number(size) : Number.NaN;
      continue;
    }
    const name = nextName ?? header.name;
    const bytes = nextBytes ?? header.bytes;
    nextName = undefined;
    nextBytes = undefined;
    checkTarKind(header, name, source);
    if (!Number.isSafeInteger(bytes)) throw damaged(source, `its entry ${shown(name)} has an odd size`);
    if (header.kind === 'folder' || name.endsWith('/')) await unpacking.folder(name);
    else await unpacking.file(name, bytes, reader.data(bytes));
  }
  throw refused(source, 'its tar archive has more headers than any checkpoint');
}

/** A stream in blocks of 512 bytes, and runs of them. */
class BlockReader {
  readonly #chunks: AsyncGenerator<Uint8Array>;
  readonly #source: string;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(chunks: AsyncGenerator<Uint8Array>, source: string) {
    this.#chunks = chunks;
    this.#source = source;
  }

  /** The next block; undefined at the end. @throws CheckpointError when the stream ends inside it */
  async block(): Promise<Uint8Array | undefined> {
    while (this.#rest.length < TAR_BLOCK) {
      const { value, done } = await this.#chunks.next();
      if (done) {
        if (this.#rest.length > 0) throw damaged(this.#source, 'its tar archive ends inside a header');
        return undefined;
      }
      const joined = new Uint8Array(this.#rest.length + value.length);
      joined.set(this.#rest);
      joined.set(value, this.#rest.length);
      this.#rest = joined;
    }
    const block = this.#rest.subarray(0, TAR_BLOCK);
    this.#rest = this.#rest.subarray(TAR_BLOCK);
    return block;
  }

  /** The bytes of an entry; what fills up its last block is passed over. */
  async *data(length: number): AsyncGenerator<Uint8Array> {
    const padded = Math.ceil(length / TAR_BLOCK) * TAR_BLOCK;
    for (let at = 0; at < padded; ) {
      if (this.#rest.length === 0) {
        const { value, done } = await this.#chunks.next();
        if (done) return;
        this.#rest = value;
      }
      const taken = this.#rest.subarray(0, padded - at);
      this.#rest = this.#rest.subarray(taken.length);
      if (at < length) yield taken.subarray(0, length - at);
      at += taken.length;
    }
  }

  /** The content of a header that describes the next one. */
  async small({ bytes }: TarHeader, source: string): Promise<Uint8Array> {
    if (bytes > MAX_HEADER_BYTES) throw refused(source, `its tar archive has an extended header of ${bytes} bytes`);
    const content = new Uint8Array(bytes);
    let at = 0;
    for await (const chunk of this.data(bytes)) {
      content.set(chunk, at);
      at += chunk.length;
    }
    if (at < bytes) throw damaged(source, 'its tar archive ends inside an extended header');
    return content;
  }

  /** Reads to the end, so that a damaged end is found; what follows the end mark is only zeros. */
  async finish(): Promise<void> {
    for (let passed = 0; ; ) {
      const { value, done } = await this.#chunks.next();
      if (done) return;
      passed += value.length;
      if (passed > MIN_ALLOWANCE) throw refused(this.#source, 'its tar archive goes on long after its end mark');
    }
  }

  async close(): Promise<void> {
    await this.#chunks.return(undefined);
  }
}

async function* chunksOf(source: ByteSource, begin: number, end: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let at = begin; at < end; at += READ_BYTES) yield await readBytes(source, at, Math.min(READ_BYTES, end - at));
}

/** Inflates by the platform's own decompressor, which also checks gzip's checksum; browsers have it and Node too. */
async function* inflate(
  chunks: AsyncGenerator<Uint8Array<ArrayBuffer>>,
  format: 'gzip' | 'deflate-raw',
  source: string,
): AsyncGenerator<Uint8Array> {
  const compressed = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      async pull(controller) {
        try {
          const { value, done } = await chunks.next();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          controller.error(error);
        }
      },
    },
    { highWaterMark: 1 },
  );
  const reader = compressed.pipeThrough(new DecompressionStream(format)).getReader();
  try {
    for (;;) {
      const { value, done } = await reader.read().catch((cause: unknown) => {
        throw damaged(
          source,
          `its compressed data are damaged or cut short (${(cause as Error).message})`,
          undefined,
          cause,
        );
      });
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
