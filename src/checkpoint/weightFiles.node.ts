/**
 * Writes a model's weights as Hugging Face folders have them: model.safetensors, or several files with an index when they
 * are large. One tensor is in memory at a time, so a model may be larger than memory.
 */

import { readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError } from '../errors/errors.js';
import { makeFolder, writeFileDurably } from '../files/durableFile.node.js';
import { float32ToHalf, halfToFloat32, type Narrowing } from '../formats/halfPrecision.js';
import { fromInt8, toInt8 } from '../formats/int8.js';
import {
  bytesOf,
  bytesPerElement,
  encodeSafetensorsHeader,
  inFileOrder,
  type SafetensorsDtype,
} from '../formats/safetensors.js';
import { elementCount } from '../graph/dimensions.js';
import { encodeShared, type SharedTensors } from './sharedTensors.js';
import { SCALE_ENDING } from './tensorSource.js';

/** A tensor whose values are fetched when their turn comes. */
export interface OutgoingTensor {
  readonly name: string;
  readonly shape: readonly number[];
  read(): Float32Array | Promise<Float32Array>;
}

export interface WeightFilesOptions {
  /**
   * Default F32. F16 is exact for weights that came from F16, else rounded to nearest. I8: matrices become 8-bit integers
   * with a half-precision scale for each row, NAME_scale beside NAME; vectors and matrices of fewer than 4,096 values stay F32.
   */
  readonly dtype?: 'F32' | 'F16' | 'I8';
  /** Tensors that this model shares with another of its pair and that only the other's folder holds. */
  readonly shared?: SharedTensors;
  /** A file takes at most this many bytes of tensors, or one tensor; default 5 GB, as transformers 4 did. */
  readonly maxFileBytes?: number;
  /** Stops between tensors; what was not complete is removed. */
  readonly signal?: AbortSignal;
}

export interface WrittenWeights {
  /** Length and SHA-256 (hex) of each file, by name. */
  readonly files: ReadonlyMap<string, { readonly bytes: number; readonly sha256: string }>;
  /** Tensors of which F16 changed a value, with how many. */
  readonly narrowed: ReadonlyMap<string, Narrowing>;
  /** Of matrices that were written in 8 bits; 0 where there are none. */
  readonly eightBit: {
    readonly matrices: number;
    /** Root mean square of the errors over that of the weights. */
    readonly relativeError: number;
  };
}

/** Below, 8 bits would save nothing: heads of a few labels, token types. */
const SMALLEST_IN_8_BITS = 4096;

const SINGLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
const SHARD = /^model-\d{5}-of-\d{5}\.safetensors$/;
const DEFAULT_MAX_BYTES = 5e9;

/**
 * Writes the weights into `folder`. Each file appears whole or not at all, the index last; weights of an earlier write in
 * the other form are removed, so that nobody reads them by mistake.
 * @throws CheckpointError when a name occurs twice or the values do not fit their shape
 */
export async function writeWeightFiles(
  folder: string,
  tensors: Iterable<OutgoingTensor>,
  { dtype = 'F32', maxFileBytes = DEFAULT_MAX_BYTES, signal, shared }: WeightFilesOptions = {},
): Promise<WrittenWeights> {
  makeFolder(folder);
  const tally: Tally = { narrowed: new Map(), matrices: 0, squares: 0, errors: 0 };
  const pieces: Piece[] = [];
  for (const tensor of tensors) {
    const read = () => {
      signal?.throwIfAborted();
      return tensor.read();
    };
    pieces.push(...(await inPieces({ ...tensor, read }, dtype, tally)));
  }
  // transformers asks for `format`.
  const metadata = { format: 'pt', ...(shared && encodeShared(shared)) };
  const shards = distribute(pieces, maxFileBytes);
  const files = new Map<string, { bytes: number; sha256: string }>();
  const weightMap: Record<string, string> = {};
  for (const [index, shard] of shards.entries()) {
    const file = shards.length === 1 ? SINGLE : shardFile(index + 1, shards.length);
    files.set(file, await writeFileDurably(join(folder, file), shardChunks(shard, metadata)));
    for (const { name } of shard) weightMap[name] = file;
  }
  if (shards.length > 1) files.set(INDEX, await writeFileDurably(join(folder, INDEX), [indexText(pieces, weightMap)]));
  for (const name of readdirSync(folder)) {
    if ((name === SINGLE || name === INDEX || SHARD.test(name)) && !files.has(name)) await rm(join(folder, name));
  }
  const { narrowed, matrices, squares, errors } = tally;
  return { files, narrowed, eightBit: { matrices, relativeError: squares > 0 ? Math.sqrt(errors / squares) : 0 } };
}

/** A tensor as it lies in a file. */
interface Piece {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: SafetensorsDtype;
  encode(): Promise<ArrayBufferView>;
}

/** What rounding did. */
interface Tally {
  readonly narrowed: Map<string, Narrowing>;
  matrices: number;
  /** Sums over the values of all matrices in 8 bits. */
  squares: number;
  errors: number;
}

async function inPieces(tensor: OutgoingTensor, dtype: 'F32' | 'F16' | 'I8', tally: Tally): Promise<Piece[]> {
  const { name, shape } = tensor;
  const read = async () => checkedValues(tensor, await tensor.read());
  const asFloats: Piece = { name, shape, dtype: 'F32', encode: read };
  const asHalves: Piece = { name, shape, dtype: 'F16', encode: async () => halves(name, await read(), tally) };
  if (dtype !== 'I8') return [dtype === 'F16' ? asHalves : asFloats];
  if (shape.length !== 2 || elementCount(shape) < SMALLEST_IN_8_BITS) {
    return [float32ToHalf(await read()).overflowed > 0 ? asFloats : asHalves];
  }
  const [rows, columns] = shape;
  const scales = async () => toInt8(await read(), columns).scales;
  return [
    { name, shape, dtype, encode: async () => eightBits(await read(), columns, tally) },
    { name: name + SCALE_ENDING, shape: [rows, 1], dtype: 'F16', encode: scales },
  ];
}

function checkedValues({ name, shape }: OutgoingTensor, values: Float32Array): Float32Array {
  if (values.length === elementCount(shape)) return values;
  throw new CheckpointError(`Tensor ${name} is [${shape}], but has ${values.length} values`, { subject: name });
}

function halves(name: string, values: Float32Array, { narrowed }: Tally): Uint16Array {
  const { data, ...narrowing } = float32ToHalf(values);
  if (narrowing.rounded > 0) narrowed.set(name, narrowing);
  return data;
}

function eightBits(values: Float32Array, columns: number, tally: Tally): Int8Array {
  const { data, scales } = toInt8(values, columns);
  const back = new Float32Array(values.length);
  const widened = new Float32Array(scales.length);
  halfToFloat32(scales, widened);
  fromInt8(data, { scales: widened, group: columns }, back);
  tally.matrices++;
  for (let i = 0; i < values.length; i++) {
    tally.squares += values[i] ** 2;
    tally.errors += (values[i] - back[i]) ** 2;
  }
  return data;
}

function bytesIn({ shape, dtype }: Piece): number {
  return elementCount(shape) * bytesPerElement(dtype);
}

/** In the order given, each file filled up before the next. */
function distribute(tensors: readonly Piece[], maxBytes: number): Piece[][] {
  const shards: Piece[][] = [[]];
  let bytes = 0;
  for (const tensor of tensors) {
    if (bytes > 0 && bytes + bytesIn(tensor) > maxBytes) {
      shards.push([]);
      bytes = 0;
    }
    shards[shards.length - 1].push(tensor);
    bytes += bytesIn(tensor);
  }
  return shards;
}

function shardFile(number: number, count: number): string {
  const digits = (value: number) => String(value).padStart(5, '0');
  return `model-${digits(number)}-of-${digits(count)}.safetensors`;
}

async function* shardChunks(
  pieces: readonly Piece[],
  metadata: Readonly<Record<string, string>>,
): AsyncGenerator<Uint8Array> {
  const sorted = inFileOrder(pieces);
  yield encodeSafetensorsHeader(sorted, metadata);
  for (const { encode } of sorted) yield bytesOf(await encode());
}

function indexText(tensors: readonly Piece[], weightMap: Readonly<Record<string, string>>): string {
  const total = tensors.reduce((sum, tensor) => sum + bytesIn(tensor), 0);
  const parameters = tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  const sorted = Object.fromEntries(Object.entries(weightMap).sort(([a], [b]) => (a < b ? -1 : 1)));
  const index = { metadata: { total_parameters: parameters, total_size: total }, weight_map: sorted };
  return `${JSON.stringify(index, null, 2)}\n`;
}
