/**
 * Sorted string tables, the file of a TensorFlow checkpoint index: blocks of key/value entries in key order, an index block
 * that says where they are, a footer. The format is leveldb's (leveldb, doc/table_format.md; tensorflow/core/lib/io/
 * format.h); TensorFlow writes indices without compression.
 */
import { crc32c, maskCrc } from '../../formats/crc32.js';
import { damaged, refused } from '../../formats/damaged.js';
import { ProtobufProblem, readCount } from '../../formats/protobuf.js';

const FOOTER_BYTES = 48;
/** Type of compression (one byte) and masked CRC-32C after each block. */
const TRAILER_BYTES = 5;
const NO_COMPRESSION = 0;
const SNAPPY = 1;
/** Last eight bytes of the file, little-endian. */
const MAGIC = 0xdb4775248b80fb57n;

/** Names of variables with optimizer slots: a few thousand of a hundred bytes. */
const MAX_KEY_BYTES = 1024;
const MAX_ENTRIES = 100_000;

/** Whether the bytes at the end of a file are a table's footer. */
export function endsAsTable(end: Uint8Array): boolean {
  if (end.length < FOOTER_BYTES) return false;
  return new DataView(end.buffer, end.byteOffset).getBigUint64(end.length - 8, true) === MAGIC;
}

/**
 * All entries of a table, in key order.
 * @param bytes  the whole file
 * @throws CheckpointError when it is damaged (every block carries a checksum) or its blocks are compressed
 */
export function readTable(bytes: Uint8Array, source: string): Map<string, Uint8Array> {
  if (!endsAsTable(bytes)) throw damaged(source, 'it has no table footer: its end is missing');
  try {
    return entriesOf(bytes, source);
  } catch (error) {
    throw error instanceof ProtobufProblem ? damaged(source, `its table ${error.message}`) : error;
  }
}

function entriesOf(bytes: Uint8Array, source: string): Map<string, Uint8Array> {
  const footer = bytes.subarray(bytes.length - FOOTER_BYTES);
  const metaindex = readHandle(footer, 0);
  const index = readHandle(footer, metaindex.end);
  const entries = new Map<string, Uint8Array>();
  let last: Uint8Array | undefined;
  for (const [, handle] of readBlock(bytes, index, source)) {
    for (const [key, value] of readBlock(bytes, readHandle(handle, 0), source)) {
      // In order and so without repetition, also where the index names one block several times.
      if (last && compareBytes(last, key) >= 0) throw new ProtobufProblem('has keys out of order');
      if (entries.size === MAX_ENTRIES) throw new ProtobufProblem(`has over ${MAX_ENTRIES} entries`);
      last = key;
      entries.set(decodeKey(key), value);
    }
  }
  return entries;
}

interface BlockHandle {
  readonly offset: number;
  readonly size: number;
  readonly end: number;
}

function readHandle(bytes: Uint8Array, at: number): BlockHandle {
  const offset = readCount(bytes, at);
  const size = readCount(bytes, offset.end);
  return { offset: offset.value, size: size.value, end: size.end };
}

/** Entries of one block: shared prefix, rest of the key and value, each with its length; then the restart points. */
function* readBlock(
  file: Uint8Array,
  { offset, size }: BlockHandle,
  source: string,
): Generator<readonly [key: Uint8Array, value: Uint8Array]> {
  const block = checkedBlock(file, offset, size, source);
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const restarts = size >= 4 ? view.getUint32(size - 4, true) : 0;
  const end = size - 4 * (restarts + 1);
  if (restarts === 0 || end < 0) throw new ProtobufProblem(`has a block with ${restarts} restart points`);
  const entries = block.subarray(0, end);
  let key = new Uint8Array(0);
  for (let at = 0; at < end; ) {
    const shared = readCount(entries, at);
    const rest = readCount(entries, shared.end);
    const value = readCount(entries, rest.end);
    const keyAt = value.end;
    const valueAt = keyAt + rest.value;
    if (shared.value > key.length || valueAt + value.value > end)
      throw new ProtobufProblem('has an entry out of range');
    if (shared.value + rest.value > MAX_KEY_BYTES)
      throw new ProtobufProblem(`has a key of over ${MAX_KEY_BYTES} bytes`);
    const next = new Uint8Array(shared.value + rest.value);
    next.set(key.subarray(0, shared.value));
    next.set(entries.subarray(keyAt, valueAt), shared.value);
    key = next;
    at = valueAt + value.value;
    yield [key, entries.subarray(valueAt, at)];
  }
}

function checkedBlock(file: Uint8Array, offset: number, size: number, source: string): Uint8Array {
  if (offset + size + TRAILER_BYTES > file.length - FOOTER_BYTES) throw new ProtobufProblem('has a block out of range');
  const trailer = new DataView(file.buffer, file.byteOffset + offset + size, TRAILER_BYTES);
  const compression = trailer.getUint8(0);
  const stored = trailer.getUint32(1, true);
  if (maskCrc(crc32c(file.subarray(offset, offset + size + 1))) !== stored) {
    throw new ProtobufProblem(`has a wrong checksum for the block at byte ${offset}`);
  }
  if (compression === SNAPPY) {
    throw refused(
      source,
      'its blocks are compressed by Snappy, which is not read',
      'TensorFlow writes indices of checkpoints without compression; save the checkpoint again with tf.train.Saver',
    );
  }
  if (compression !== NO_COMPRESSION) throw new ProtobufProblem(`has a block of compression type ${compression}`);
  return file.subarray(offset, offset + size);
}

function decodeKey(key: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(key);
  } catch {
    throw new ProtobufProblem('has a key that is not UTF-8');
  }
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}
