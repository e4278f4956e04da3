/**
 * The safetensors format: eight bytes with the header's length (u64, little endian), a JSON header, the tensors' bytes.
 * Format and limits: huggingface/safetensors, README.md "Format" and safetensors/src/tensor.rs. Typed arrays are used
 * as they lie in memory, so this file needs a little-endian machine, as every engine we drive does.
 */

import { CheckpointError } from '../errors/errors.js';
import { elementCount } from '../graph/dimensions.js';
import { jsonExtent } from './jsonExtent.js';

/**
 * Typed array and bytes an element of every dtype that fills whole bytes (F4 and F6 do not); F16, BF16, 8-bit floats and
 * complex numbers are handed out as their raw bits.
 */
export const SAFETENSORS_DTYPES = {
  F64: Float64Array,
  F32: Float32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  F8_E4M3: Uint8Array,
  F8_E5M2: Uint8Array,
  F8_E8M0: Uint8Array,
  F8_E4M3FNUZ: Uint8Array,
  F8_E5M2FNUZ: Uint8Array,
  C64: BigUint64Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U64: BigUint64Array,
  U32: Uint32Array,
  U16: Uint16Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const;

export type SafetensorsDtype = keyof typeof SAFETENSORS_DTYPES;
/** The typed array that holds a tensor of dtype `D`, over a buffer of any kind. */
export type TensorData<D extends SafetensorsDtype = SafetensorsDtype> = {
  F64: Float64Array;
  F32: Float32Array;
  F16: Uint16Array;
  BF16: Uint16Array;
  F8_E4M3: Uint8Array;
  F8_E5M2: Uint8Array;
  F8_E8M0: Uint8Array;
  F8_E4M3FNUZ: Uint8Array;
  F8_E5M2FNUZ: Uint8Array;
  C64: BigUint64Array;
  I64: BigInt64Array;
  I32: Int32Array;
  I16: Int16Array;
  I8: Int8Array;
  U64: BigUint64Array;
  U32: Uint32Array;
  U16: Uint16Array;
  U8: Uint8Array;
  BOOL: Uint8Array;
}[D];

/** A tensor to write, or one that was read. */
export interface SafetensorsTensor<D extends SafetensorsDtype = SafetensorsDtype> {
  readonly name: string;
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: TensorData<D>;
}

/** Where a tensor lies: `begin` and `end` are byte offsets from the start of the file. */
export interface TensorLocation {
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  /** In the order of their bytes in the file. */
  readonly tensors: ReadonlyMap<string, TensorLocation>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Byte offset of the first tensor. */
  readonly dataStart: number;
  /** Length of the whole file in bytes, by its own account. */
  readonly fileBytes: number;
}

/** The reference implementation's limit; it keeps a damaged length from asking for gigabytes. */
const MAX_HEADER_BYTES = 100_000_000;
const LENGTH_BYTES = 8;
const METADATA_KEY = '__metadata__';

/** Bytes that one element of `dtype` takes. */
export function bytesPerElement(dtype: SafetensorsDtype): number {
  return SAFETENSORS_DTYPES[dtype].BYTES_PER_ELEMENT;
}

/**
 * How many bytes of the file the header needs, its length field included.
 * @param bytes   at least the first 8 bytes of the file
 * @param source  file name for messages
 * @throws CheckpointError when there are fewer than 8 bytes or the length is beyond the format's limit
 */
export function safetensorsHeaderBytes(bytes: Uint8Array, source = 'safetensors data'): number {
  if (bytes.length < LENGTH_BYTES) {
    throw damaged(source, `has ${bytes.length} bytes; a safetensors file has at least 8`, bytes.length);
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw damaged(source, `gives a header of ${length} bytes; the format allows ${MAX_HEADER_BYTES}`, length);
  }
  return LENGTH_BYTES + Number(length);
}

/**
 * Reads and checks the header: every tensor in range, as long as its shape and dtype say, with no overlap and no gap.
 * @param bytes    the file from its start, at least up to the end of the header
 * @param options  `source`: file name for messages; `fileBytes`: true length of the file, checked when given
 * @throws CheckpointError that names the file and the tensor
 */
export function parseSafetensorsHeader(
  bytes: Uint8Array,
  options: { source?: string; fileBytes?: number } = {},
): SafetensorsHeader {
  const source = options.source ?? 'safetensors data';
  const dataStart = safetensorsHeaderBytes(bytes, source);
  if (bytes.length < dataStart) {
    throw damaged(source, `ends inside its header (${bytes.length} of ${dataStart} bytes)`, bytes.length);
  }
  const json = parseJsonObject(bytes.subarray(LENGTH_BYTES, dataStart), source);
  const tensors = Object.entries(json)
    .filter(([name]) => name !== METADATA_KEY)
    .map(([name, value]) => [name, checkLocation(value, name, dataStart, source)] as const)
    .sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  const fileBytes = checkCoverage(tensors, dataStart, source);
  if (options.fileBytes !== undefined && options.fileBytes !== fileBytes) {
    throw damaged(source, `has ${options.fileBytes} bytes where its header says ${fileBytes}`, options.fileBytes);
  }
  return { tensors: new Map(tensors), metadata: checkMetadata(json[METADATA_KEY], source), dataStart, fileBytes };
}

/**
 * Reads a whole file that is already in memory. Tensors are views of `bytes` where their alignment allows, else copies.
 * @throws CheckpointError that names the file and the tensor
 */
export function decodeSafetensors(
  bytes: Uint8Array,
  source?: string,
): { tensors: Map<string, SafetensorsTensor>; metadata: Readonly<Record<string, string>> } {
  const header = parseSafetensorsHeader(bytes, { source, fileBytes: bytes.length });
  const tensors = new Map<string, SafetensorsTensor>();
  for (const [name, { dtype, shape, begin, end }] of header.tensors) {
    tensors.set(name, { name, dtype, shape, data: viewTensor(bytes.subarray(begin, end), dtype) });
  }
  return { tensors, metadata: header.metadata };
}

/**
 * The typed array for a tensor's bytes: a view when they are aligned, else a copy.
 * @param bytes  whole elements
 */
export function viewTensor<D extends SafetensorsDtype>(bytes: Uint8Array, dtype: D): TensorData<D> {
  const size = bytesPerElement(dtype);
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  const View = SAFETENSORS_DTYPES[dtype] as unknown as new (b: ArrayBufferLike, at: number, n: number) => TensorData<D>;
  return new View(aligned.buffer, aligned.byteOffset, aligned.byteLength / size);
}

/**
 * Encodes tensors as consecutive pieces of a file; the tensors' own pieces are views, nothing is copied.
 * @throws CheckpointError when a name occurs twice or a shape does not fit its data
 */
export function encodeSafetensors(
  tensors: Iterable<SafetensorsTensor>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array[] {
  const sorted = inFileOrder(tensors);
  for (const tensor of sorted) checkData(tensor);
  return [encodeSafetensorsHeader(sorted, metadata), ...sorted.map(({ data }) => bytesOf(data))];
}

/**
 * Tensors in the order of the reference writer, wide elements first and then by name: so every tensor is aligned to its
 * element size, and equal tensors give equal bytes in whatever order they come.
 */
export function inFileOrder<T extends Pick<SafetensorsTensor, 'name' | 'dtype'>>(tensors: Iterable<T>): T[] {
  return [...tensors].sort(
    (a, b) => bytesPerElement(b.dtype) - bytesPerElement(a.dtype) || compareStrings(a.name, b.name),
  );
}

/** The bytes under a typed array, without a copy. */
export function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function checkData({ name, dtype, shape, data }: SafetensorsTensor): void {
  const needed = elementCount(shape);
  if (needed === data.length && data.BYTES_PER_ELEMENT === bytesPerElement(dtype)) return;
  throw new CheckpointError(
    `Tensor ${name} is ${dtype} [${shape}], which takes ${needed} elements of ${bytesPerElement(dtype)} bytes; ` +
      `its data has ${data.length} of ${data.BYTES_PER_ELEMENT}`,
    { subject: name, found: data.length, expected: String(needed) },
  );
}

/**
 * The beginning of a file whose tensors follow one another in this order; their data need not be there yet.
 * @param tensors  in the order of `inFileOrder`
 * @throws CheckpointError when a name occurs twice
 */
export function encodeSafetensorsHeader(
  tensors: readonly Pick<SafetensorsTensor, 'name' | 'dtype' | 'shape'>[],
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  // A null prototype keeps a tensor called "__proto__" an ordinary entry.
  const header: Record<string, unknown> = Object.create(null);
  if (metadata) {
    // Sorted, so that the same metadata gives the same bytes.
    const entries = Object.entries(metadata).sort(([a], [b]) => compareStrings(a, b));
    header[METADATA_KEY] = Object.fromEntries(entries);
  }
  let offset = 0;
  for (const { name, dtype, shape } of tensors) {
    if (name in header) throw new CheckpointError(`Tensor ${name} is given twice`, { subject: name });
    const end = offset + elementCount(shape) * bytesPerElement(dtype);
    header[name] = { dtype, shape, data_offsets: [offset, end] };
    offset = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(LENGTH_BYTES + padded).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.set(json, LENGTH_BYTES);
  return bytes;
}

/** A header is an object of objects with arrays of numbers: nothing in it lies deeper. */
const MAX_HEADER_DEPTH = 3;
/** The largest published models have some 100,000; each takes about a kilobyte of memory. */
const MAX_TENSORS = 500_000;

function parseJsonObject(bytes: Uint8Array, source: string): Record<string, unknown> {
  const { depth, objects } = jsonExtent(bytes);
  if (depth > MAX_HEADER_DEPTH) throw damaged(source, `has a header nested over ${MAX_HEADER_DEPTH} levels deep`);
  if (objects > MAX_TENSORS) throw damaged(source, `has a header of over ${MAX_TENSORS} tensors`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw damaged(source, 'has a header that is not JSON in UTF-8', undefined, cause);
  }
  if (!isRecord(value)) throw damaged(source, 'has a header that is not a JSON object', value);
  return value;
}

function checkLocation(value: unknown, name: string, dataStart: number, source: string): TensorLocation {
  const fail = (text: string): never => {
    throw damaged(source, `tensor ${name} ${text}`, value);
  };
  if (!isRecord(value)) return fail('has no description');
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !Object.hasOwn(SAFETENSORS_DTYPES, dtype)) {
    return fail(`has dtype ${JSON.stringify(dtype)}; known are ${Object.keys(SAFETENSORS_DTYPES).join(', ')}`);
  }
  if (!isCountArray(shape)) return fail(`has shape ${JSON.stringify(shape)}`);
  if (!isCountArray(offsets) || offsets.length !== 2 || offsets[1] < offsets[0]) {
    return fail(`has data_offsets ${JSON.stringify(offsets)}`);
  }
  const needed = elementCount(shape) * bytesPerElement(dtype as SafetensorsDtype);
  if (needed !== offsets[1] - offsets[0]) {
    return fail(`is ${dtype} [${shape}], which takes ${needed} bytes, but has ${offsets[1] - offsets[0]}`);
  }
  return { dtype: dtype as SafetensorsDtype, shape, begin: dataStart + offsets[0], end: dataStart + offsets[1] };
}

/** Tensors, sorted by offset, must follow one another; returns where the last one ends. */
function checkCoverage(
  sorted: readonly (readonly [string, TensorLocation])[],
  dataStart: number,
  source: string,
): number {
  let end = dataStart;
  for (const [name, location] of sorted) {
    if (location.begin !== end) {
      const what = location.begin < end ? 'overlaps the tensor before it' : 'leaves a gap after the tensor before it';
      throw damaged(source, `tensor ${name} ${what} (starts at byte ${location.begin}, expected ${end})`);
    }
    end = location.end;
  }
  return end;
}

function checkMetadata(value: unknown, source: string): Record<string, string> {
  // `null` is no metadata to the reference implementation, whose field is an optional map of strings.
  if (value === undefined || value === null) return {};
  if (!isRecord(value) || Object.values(value).some((text) => typeof text !== 'string')) {
    throw damaged(source, `has a ${METADATA_KEY} that is not a map of strings: ${shown(value)}`, value);
  }
  return value as Record<string, string>;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

function damaged(source: string, text: string, found?: unknown, cause?: unknown): CheckpointError {
  return new CheckpointError(`${source}: ${text}`, {
    subject: source,
    found,
    expected: 'a complete safetensors file',
    advice: 'The file is damaged or incomplete; copy, download or make it again',
    cause,
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCountArray(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

/** By UTF-16 code unit: the same order on every machine, unlike `localeCompare`. */
function compareStrings(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
