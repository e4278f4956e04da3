/**
 * The directory of a zip archive, by position: where each file's bytes lie. PKWARE APPNOTE 6.3.9, sections 4.3 and 4.5.3
 * (zip64). The central directory alone is believed; what it says of a file is held against the file's own header.
 */
import type { ByteSource } from '../../files/byteSource.js';
import { readBytes } from '../../files/byteSource.js';
import { damaged, refused } from '../damaged.js';

export interface ZipEntry {
  readonly name: string;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  readonly compressedBytes: number;
  readonly bytes: number;
  readonly crc32: number;
  /** Of the local header. */
  readonly headerAt: number;
  /** File mode as Unix archivers store it, 0 where they did not. */
  readonly unixMode: number;
}

const END_SIGNATURE = 0x06054b50;
const END64_LOCATOR_SIGNATURE = 0x07064b50;
const END64_SIGNATURE = 0x06064b50;
const ENTRY_SIGNATURE = 0x02014b50;
const LOCAL_SIGNATURE = 0x04034b50;
const END_BYTES = 22;
const LOCATOR_BYTES = 20;
const END64_BYTES = 56;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const MAX_COMMENT = 0xffff;
const ZIP64_FIELD = 1;
const ENCRYPTED = 1;
const FULL_16 = 0xffff;
const FULL_32 = 0xffffffff;

/** A checkpoint has a record a tensor and a few more. */
const MAX_ENTRIES = 100_000;
const MAX_DIRECTORY_BYTES = 1 << 25;

interface Directory {
  readonly at: number;
  readonly bytes: number;
  readonly entries: number;
}

/**
 * Reads the central directory.
 * @returns entries by name
 * @throws CheckpointError when it is damaged, or the archive is encrypted, in several parts, or names a file twice
 */
export async function readZipDirectory(source: ByteSource): Promise<ReadonlyMap<string, ZipEntry>> {
  const directory = await findDirectory(source);
  const { at, bytes: length, entries: count } = directory;
  if (count > MAX_ENTRIES || length > MAX_DIRECTORY_BYTES) {
    throw refused(source.name, `its zip directory has ${count} entries in ${length} bytes, beyond any checkpoint`);
  }
  if (at + length > source.size || count * ENTRY_BYTES > length) {
    throw damaged(source.name, `its zip directory (${count} entries, ${length} bytes at ${at}) does not fit the file`);
  }
  const view = viewOf(await readBytes(source, at, length));
  const entries = new Map<string, ZipEntry>();
  let position = 0;
  for (let index = 0; index < count; index++) {
    const { entry, end } = readEntry(view, position, source.name);
    if (entries.has(entry.name)) throw refused(source.name, `its zip directory names ${shown(entry.name)} twice`);
    if (entry.headerAt + LOCAL_BYTES + entry.compressedBytes > at) {
      throw damaged(source.name, `its zip entry ${shown(entry.name)} lies outside the file`);
    }
    entries.set(entry.name, entry);
    position = end;
  }
  return entries;
}

/**
 * Where an entry's bytes begin.
 * @throws CheckpointError when its own header is missing or speaks of another file
 */
export async function zipDataPosition(source: ByteSource, entry: ZipEntry): Promise<number> {
  const view = viewOf(await readBytes(source, entry.headerAt, LOCAL_BYTES));
  const name = new TextEncoder().encode(entry.name);
  if (view.getUint32(0, true) !== LOCAL_SIGNATURE || view.getUint16(26, true) !== name.length) {
    throw damaged(source.name, `its zip entry ${shown(entry.name)} has no header of its own at ${entry.headerAt}`);
  }
  const local = await readBytes(source, entry.headerAt + LOCAL_BYTES, name.length);
  if (local.some((byte, i) => byte !== name[i])) {
    throw damaged(source.name, `its zip entry ${shown(entry.name)} has another name in its own header`);
  }
  const begin = entry.headerAt + LOCAL_BYTES + name.length + view.getUint16(28, true);
  if (begin + entry.compressedBytes > source.size) {
    throw damaged(source.name, `its zip entry ${shown(entry.name)} lies outside the file`);
  }
  return begin;
}

/** From the end record, which is the last thing in the file but for a comment. */
async function findDirectory(source: ByteSource): Promise<Directory> {
  const length = Math.min(source.size, END_BYTES + MAX_COMMENT);
  const tail = viewOf(await readBytes(source, source.size - length, length));
  for (let at = length - END_BYTES; at >= 0; at--) {
    if (tail.getUint32(at, true) !== END_SIGNATURE) continue;
    if (at + END_BYTES + tail.getUint16(at + 20, true) !== length) continue;
    return directoryOf(source, tail, at, source.size - length + at);
  }
  throw damaged(source.name, 'it begins like a zip archive and has no end record: its end is missing');
}

async function directoryOf(source: ByteSource, tail: DataView, at: number, endAt: number): Promise<Directory> {
  if (endAt >= LOCATOR_BYTES) {
    const locator = viewOf(await readBytes(source, endAt - LOCATOR_BYTES, LOCATOR_BYTES));
    if (locator.getUint32(0, true) === END64_LOCATOR_SIGNATURE) return directory64(source, locator);
  }
  const [disk, directoryDisk, onDisk, entries] = [4, 6, 8, 10].map((field) => tail.getUint16(at + field, true));
  const [bytes, position] = [12, 16].map((field) => tail.getUint32(at + field, true));
  if (disk !== 0 || directoryDisk !== 0 || onDisk !== entries) throw severalParts(source);
  if (entries === FULL_16 || bytes === FULL_32 || position === FULL_32) {
    throw damaged(source.name, 'its zip64 end record is missing');
  }
  return { at: position, bytes, entries };
}

async function directory64(source: ByteSource, locator: DataView): Promise<Directory> {
  if (locator.getUint32(4, true) !== 0 || locator.getUint32(16, true) > 1) throw severalParts(source);
  const at = uint64(locator, 8);
  if (at + END64_BYTES > source.size) throw damaged(source.name, 'its zip64 end record lies outside the file');
  const view = viewOf(await readBytes(source, at, END64_BYTES));
  if (view.getUint32(0, true) !== END64_SIGNATURE) throw damaged(source.name, 'its zip64 end record is missing');
  if (view.getUint32(16, true) !== 0 || view.getUint32(20, true) !== 0) throw severalParts(source);
  if (uint64(view, 24) !== uint64(view, 32)) throw severalParts(source);
  return { at: uint64(view, 48), bytes: uint64(view, 40), entries: uint64(view, 32) };
}

function readEntry(view: DataView, at: number, source: string): { entry: ZipEntry; end: number } {
  if (at + ENTRY_BYTES > view.byteLength || view.getUint32(at, true) !== ENTRY_SIGNATURE) {
    throw damaged(source, `its zip directory has no entry at byte ${at}`);
  }
  const [flags, method] = [8, 10].map((field) => view.getUint16(at + field, true));
  const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => view.getUint16(at + field, true));
  const nameAt = at + ENTRY_BYTES;
  const end = nameAt + nameBytes + extraBytes + commentBytes;
  if (end > view.byteLength) throw damaged(source, `its zip directory ends inside an entry at byte ${at}`);
  const name = decodeName(new Uint8Array(view.buffer, view.byteOffset + nameAt, nameBytes), source);
  if (flags & ENCRYPTED) throw refused(source, `its zip entry ${shown(name)} is encrypted`);
  const fields = {
    bytes: view.getUint32(at + 24, true),
    compressedBytes: view.getUint32(at + 20, true),
    headerAt: view.getUint32(at + 42, true),
    disk: view.getUint16(at + 34, true),
  };
  readZip64(view, nameAt + nameBytes, extraBytes, fields, source, name);
  if (fields.disk !== 0) throw refused(source, `its zip entry ${shown(name)} lies in another part of the archive`);
  const { bytes, compressedBytes, headerAt } = fields;
  const crc32 = view.getUint32(at + 16, true);
  return {
    entry: { name, method, bytes, compressedBytes, headerAt, crc32, unixMode: view.getUint16(at + 40, true) },
    end,
  };
}

/** Values that do not fit their field stand in the extra field, those and no others, in this order. */
function readZip64(
  view: DataView,
  extraAt: number,
  extraBytes: number,
  fields: { bytes: number; compressedBytes: number; headerAt: number; disk: number },
  source: string,
  name: string,
): void {
  const full = (['bytes', 'compressedBytes', 'headerAt'] as const).filter((field) => fields[field] === FULL_32);
  if (full.length === 0 && fields.disk !== FULL_16) return;
  for (let at = extraAt; at + 4 <= extraAt + extraBytes; at += 4 + view.getUint16(at + 2, true)) {
    const length = view.getUint16(at + 2, true);
    const needed = 8 * full.length + (fields.disk === FULL_16 ? 4 : 0);
    if (view.getUint16(at, true) !== ZIP64_FIELD || length < needed || at + 4 + length > extraAt + extraBytes) continue;
    full.forEach((field, index) => {
      fields[field] = uint64(view, at + 4 + 8 * index);
    });
    if (fields.disk === FULL_16) fields.disk = view.getUint32(at + 4 + 8 * full.length, true);
    return;
  }
  throw damaged(source, `its zip entry ${shown(name)} has no zip64 sizes`);
}

function decodeName(bytes: Uint8Array, source: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw damaged(source, 'its zip directory has a name that is not UTF-8');
  }
}

function severalParts(source: ByteSource) {
  return refused(source.name, 'it is one part of a zip archive in several parts');
}

/** Beyond 2^53 rounded, which is outside every file all the same. */
function uint64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A name for a message; it comes from the file and may be anything. */
export function shown(name: string): string {
  return JSON.stringify(name.length > 120 ? `${name.slice(0, 120)}…` : name);
}
