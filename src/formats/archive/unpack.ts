/** Unpacks archives (tar, tar.gz, zip) file by file; links, devices and everything else that could lead elsewhere are refused. */

import type { ByteSource } from '../../files/byteSource.js';
import { crc32 } from '../crc32.js';
import { damaged, refused } from '../damaged.js';
import { BlockReader, chunksOf, inflate } from './streams.js';
import { checkTarKind, parsePax, parseTarHeader } from './tar.js';
import { MAX_FILES, Unpacking, type UnpackLimits, type UnpackTarget, unpackLimits } from './unpacking.js';
import { readZipDirectory, shown, type ZipEntry, zipDataPosition } from './zip.js';

const DEFLATED = 8;
const STORED = 0;

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
