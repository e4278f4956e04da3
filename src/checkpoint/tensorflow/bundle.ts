/**
 * TensorFlow checkpoints in the V2 form: NAME.index, a sorted table from variable names to their places, and the values in
 * NAME.data-00000-of-0000N (tensorflow/core/util/tensor_bundle/, protobuf/tensor_bundle.proto). What tf.train.Saver wrote
 * for google-research/electra and everything else of TensorFlow 1.
 */

import { type ByteSource, readBytes } from '../../files/byteSource.js';
import { damaged, refused } from '../../formats/damaged.js';
import { type ProtobufField, ProtobufProblem, protobufFields } from '../../formats/protobuf.js';
import { bytesPerElement, type SafetensorsDtype } from '../../formats/safetensors.js';
import { elementCount } from '../../graph/dimensions.js';
import type { FileContent } from '../safetensorsSource.js';
import { checkTotalBytes, type StoredTensor } from '../tensorSource.js';
import { readTable } from './sstable.js';

/** tensorflow/core/framework/types.proto */
const TENSORFLOW_DTYPES: Readonly<Record<number, SafetensorsDtype>> = {
  1: 'F32',
  2: 'F64',
  3: 'I32',
  4: 'U8',
  5: 'I16',
  6: 'I8',
  9: 'I64',
  10: 'BOOL',
  14: 'BF16',
  17: 'U16',
  19: 'F16',
  22: 'U32',
  23: 'U64',
};
const STRING = 7;

/** Key of the header in the table; those of variables are their names. */
const HEADER_KEY = '';
const LITTLE_ENDIAN = 0;
/** An index has about a hundred bytes a variable. */
const MAX_INDEX_BYTES = 1 << 25;
const MAX_SHARDS = 10_000;
const MAX_RANK = 64;

interface BundleEntry {
  readonly dtype: number;
  readonly shape: readonly number[];
  readonly shard: number;
  readonly offset: number;
  readonly size: number;
  readonly maskedCrc: number;
  readonly sliced: boolean;
}

/** File name of a shard of the bundle with this prefix. */
export function shardName(prefix: string, shard: number, shards: number): string {
  const digits = (value: number) => String(value).padStart(5, '0');
  return `${prefix}.data-${digits(shard)}-of-${digits(shards)}`;
}

/**
 * Reads the table of contents of a bundle.
 * @param index      NAME.index
 * @param openShard  opens one of the data files
 * @throws CheckpointError when a file is missing, damaged or of the V1 form
 */
export async function readBundle(
  index: ByteSource,
  openShard: (shard: number, shards: number) => Promise<ByteSource>,
): Promise<FileContent> {
  if (index.size > MAX_INDEX_BYTES) {
    throw refused(index.name, `it has ${index.size} bytes, beyond any checkpoint index; the V1 form is not read`);
  }
  const table = readTable(await readBytes(index, 0, index.size), index.name);
  const shards = numberOfShards(table.get(HEADER_KEY), index.name);
  const entries = new Map<string, BundleEntry>();
  for (const [name, bytes] of table) {
    if (name !== HEADER_KEY)
      entries.set(
        name,
        parsed(index.name, `entry ${JSON.stringify(name)}`, () => readEntry(bytes)),
      );
  }
  const sources = new Map<number, ByteSource>();
  try {
    for (const { shard } of entries.values()) {
      if (shard >= shards) throw damaged(index.name, `it names data file ${shard} of ${shards}`);
      if (!sources.has(shard)) sources.set(shard, await openShard(shard, shards));
    }
    return place(entries, sources, index.name);
  } catch (error) {
    for (const source of sources.values()) await source.close();
    throw error;
  }
}

function place(
  entries: ReadonlyMap<string, BundleEntry>,
  sources: ReadonlyMap<number, ByteSource>,
  name: string,
): FileContent {
  const tensors = new Map<string, StoredTensor>();
  const otherEntries = new Map<string, string>();
  for (const [variable, entry] of entries) {
    const dtype = TENSORFLOW_DTYPES[entry.dtype];
    const source = sources.get(entry.shard)!;
    if (entry.sliced) otherEntries.set(variable, 'a variable saved in slices');
    else if (!dtype) otherEntries.set(variable, entry.dtype === STRING ? 'text' : `of TensorFlow type ${entry.dtype}`);
    else {
      checkEntry(variable, entry, dtype, source);
      const { shape, offset: begin, maskedCrc } = entry;
      tensors.set(variable, { dtype, shape, source, begin, maskedCrc });
    }
  }
  let dataBytes = 0;
  for (const { size } of sources.values()) dataBytes += size;
  checkTotalBytes(tensors, dataBytes, name);
  return { tensors, otherEntries };
}

function checkEntry(variable: string, entry: BundleEntry, dtype: SafetensorsDtype, source: ByteSource): void {
  const { shape, offset, size } = entry;
  const needed = elementCount(shape) * bytesPerElement(dtype);
  if (needed !== size) {
    throw damaged(source.name, `${variable} is ${dtype} [${shape}], which takes ${needed} bytes, but has ${size}`);
  }
  if (offset + size > source.size) {
    throw damaged(
      source.name,
      `${variable} lies at bytes ${offset} to ${offset + size}, but the file has ${source.size}: its end is missing`,
    );
  }
}

/** BundleHeaderProto: num_shards = 1, endianness = 2, version = 3. */
function numberOfShards(header: Uint8Array | undefined, source: string): number {
  if (!header) throw refused(source, 'it is a table, but not the index of a TensorFlow checkpoint');
  const fields = parsed(source, 'header', () => fieldsOf(header));
  const shards = fields.get(1) ?? 1n;
  if ((fields.get(2) ?? 0n) !== BigInt(LITTLE_ENDIAN)) {
    throw refused(source, 'it was written on a big-endian machine, and such numbers are not read');
  }
  // The V1 form has SavedTensorSliceMeta under the same key, whose first field is a message.
  if (typeof shards !== 'bigint' || shards < 1n || shards > BigInt(MAX_SHARDS)) {
    throw refused(
      source,
      'it is a table, but not the index of a V2 checkpoint',
      'Save a V1 checkpoint again with tf.train.Saver(write_version=tf.train.SaverDef.V2)',
    );
  }
  return Number(shards);
}

/** BundleEntryProto: dtype = 1, shape = 2, shard_id = 3, offset = 4, size = 5, crc32c = 6, slices = 7. */
function readEntry(bytes: Uint8Array): BundleEntry {
  const fields = fieldsOf(bytes);
  const count = (field: number) => {
    const value = fields.get(field) ?? 0n;
    if (typeof value !== 'bigint' || value > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new ProtobufProblem(`has ${typeof value === 'bigint' ? value : 'no number'} in field ${field}`);
    }
    return Number(value);
  };
  const crc = fields.get(6) ?? 0;
  if (typeof crc !== 'number') throw new ProtobufProblem('has no checksum in field 6');
  return {
    dtype: count(1),
    shape: readShape(fields.get(2)),
    shard: count(3),
    offset: count(4),
    size: count(5),
    maskedCrc: crc,
    sliced: fields.has(7),
  };
}

/** TensorShapeProto: dim = 2 { size = 1, name = 2 }, unknown_rank = 3. No shape is that of a scalar. */
function readShape(value: ProtobufField['value'] | undefined): number[] {
  if (value === undefined) return [];
  if (!(value instanceof Uint8Array)) throw new ProtobufProblem('has a shape that is no message');
  const shape: number[] = [];
  for (const field of protobufFields(value)) {
    if (field.number === 3 && field.value !== 0n) throw new ProtobufProblem('has a shape of unknown rank');
    if (field.number !== 2) continue;
    if (!(field.value instanceof Uint8Array)) throw new ProtobufProblem('has a dimension that is no message');
    const size = fieldsOf(field.value).get(1) ?? 0n;
    if (typeof size !== 'bigint' || size > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new ProtobufProblem('has a dimension of unknown size');
    }
    shape.push(Number(size));
    if (shape.length > MAX_RANK) throw new ProtobufProblem(`has over ${MAX_RANK} dimensions`);
  }
  return shape;
}

/** Fields by number; of a repeated one the last, as protobuf readers do. */
function fieldsOf(bytes: Uint8Array): Map<number, ProtobufField['value']> {
  const fields = new Map<number, ProtobufField['value']>();
  for (const { number, value } of protobufFields(bytes)) fields.set(number, value);
  return fields;
}

function parsed<T>(source: string, what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof ProtobufProblem ? damaged(source, `its ${what} ${error.message}`) : error;
  }
}
