/**
 * A checkpoint as named tensors, whatever file format holds it. Opening one reads names, dtypes and shapes; a tensor's
 * values are read by position when they are asked for. A reader of a format ends with a table of `StoredTensor`s, and
 * everything after that is here.
 */

import { CheckpointError } from '../errors/errors.js';
import { type ByteSource, checkRange } from '../files/byteSource.js';
import { crc32c, maskCrc } from '../formats/crc32.js';
import { damaged } from '../formats/damaged.js';
import { bfloat16ToFloat32, halfToFloat32 } from '../formats/halfPrecision.js';
import { fromInt8 } from '../formats/int8.js';
import { bytesPerElement, type SafetensorsDtype, type TensorData, viewTensor } from '../formats/safetensors.js';
import { elementCount } from '../graph/dimensions.js';

export const TENSOR_FORMATS = {
  safetensors: 'safetensors',
  'torch-zip': 'PyTorch, zip form',
  'torch-legacy': 'PyTorch, form before 1.6',
  'tensorflow-bundle': 'TensorFlow checkpoint (V2 bundle)',
} as const;
export type TensorFormat = keyof typeof TENSOR_FORMATS;

/** Dtypes go by their safetensors names in every format. */
export interface TensorInfo {
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  /** Of a matrix of 8-bit integers, I8 [rows, columns]: what they are multiplied by, [rows, groups of columns]. */
  readonly scales?: TensorInfo;
}

/** Where and how a tensor lies. */
export interface StoredTensor extends TensorInfo {
  readonly source: ByteSource;
  /** Byte position of the first element. */
  readonly begin: number;
  /** Elements from one index to the next, one a dimension; absent where the tensor is row-major and without gaps. */
  readonly strides?: readonly number[];
  /** Masked CRC-32C of the tensor's bytes, where the format stores one; checked while they are read. */
  readonly maskedCrc?: number;
  readonly scales?: StoredTensor;
}

/** The floating-point dtypes that are read as float32. */
export type FloatDtype = 'F64' | 'F32' | 'F16' | 'BF16';
const FLOAT_DTYPES: readonly string[] = ['F64', 'F32', 'F16', 'BF16'] satisfies FloatDtype[];

/** Elements read at a time where values are converted on the way: a few MiB beside the result, whatever its size. */
const CHUNK_ELEMENTS = 1 << 20;

/** Memory for values. */
export type Allocate = (bytes: number) => ArrayBufferLike;
export const onHeap: Allocate = (bytes) => new ArrayBuffer(bytes);

export class TensorSource {
  /** File or folder, for messages. */
  readonly name: string;
  readonly format: TensorFormat;
  /** By name, in the order in which they lie. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** What the file holds besides readable tensors: name → what it is. */
  readonly otherEntries: ReadonlyMap<string, string>;
  readonly metadata: Readonly<Record<string, string>>;
  #open = true;
  readonly #sources: readonly ByteSource[];
  readonly #onClose: (() => Promise<void>) | undefined;

  constructor(parts: {
    name: string;
    format: TensorFormat;
    tensors: ReadonlyMap<string, StoredTensor>;
    otherEntries?: ReadonlyMap<string, string>;
    metadata?: Readonly<Record<string, string>>;
    /** Everything to close with it. */
    sources: readonly ByteSource[];
    /** Runs after the byte sources have been closed. */
    onClose?: () => Promise<void>;
  }) {
    this.name = parts.name;
    this.format = parts.format;
    this.tensors = withScales(parts.tensors, parts.name);
    this.otherEntries = parts.otherEntries ?? new Map();
    this.metadata = parts.metadata ?? {};
    this.#sources = parts.sources;
    this.#onClose = parts.onClose;
  }

  /** @throws CheckpointError when there is no tensor of this name */
  info(name: string): StoredTensor {
    const tensor = this.tensors.get(name);
    if (tensor) return tensor;
    const kind = this.otherEntries.get(name);
    throw new CheckpointError(
      kind ? `${this.name}: ${name} is ${kind}, no readable tensor` : `${this.name} has no tensor ${name}`,
      { subject: name, found: [...this.tensors.keys()] },
    );
  }

  /**
   * The values as they are stored; F16 and BF16 as their bits.
   * @throws CheckpointError when the file is shorter than it was, or the tensor's checksum differs
   */
  async readRaw(name: string, allocate: Allocate = onHeap): Promise<TensorData> {
    const tensor = this.#tensor(name);
    const size = bytesPerElement(tensor.dtype);
    const bytes = new Uint8Array(allocate(elementCount(tensor.shape) * size));
    if (tensor.strides) await gather(tensor, tensor.strides, bytes);
    else await readRowMajor(name, tensor, (start, count) => bytes.subarray(start * size, (start + count) * size));
    return viewTensor(bytes, tensor.dtype);
  }

  /**
   * The values as float32: exact from F16 and BF16, rounded to nearest from F64, multiplied by their scales from I8.
   * @throws CheckpointError when it is no floating-point tensor, or a float64 value is beyond float32
   */
  async readFloat32(name: string, allocate: Allocate = onHeap): Promise<Float32Array> {
    const tensor = this.#tensor(name);
    const { dtype, shape } = tensor;
    if (!holdsFloats(tensor)) {
      throw new CheckpointError(`${this.name}: ${name} is ${dtype}, expected floating-point numbers`, {
        subject: name,
        found: dtype,
        expected: FLOAT_DTYPES.join(', '),
      });
    }
    if (dtype === 'F32') return (await this.readRaw(name, allocate)) as Float32Array;
    const what = `${this.name}: ${name}`;
    const values = new Float32Array(allocate(elementCount(shape) * Float32Array.BYTES_PER_ELEMENT));
    await readWidened(name, tensor, values, await wideningOf(tensor, name, what));
    return values;
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    for (const source of this.#sources) await source.close();
    await this.#onClose?.();
  }

  #tensor(name: string): StoredTensor {
    if (!this.#open) throw new CheckpointError(`${this.name} was already closed`);
    const tensor = this.info(name);
    const elements = extent(tensor);
    if (elements > 0) checkRange(tensor.source, tensor.begin, elements * bytesPerElement(tensor.dtype));
    return tensor;
  }
}

export function isFloat(dtype: SafetensorsDtype): dtype is FloatDtype {
  return FLOAT_DTYPES.includes(dtype);
}

/** Whether a tensor is read as float32: floats, and 8-bit integers with scales. */
export function holdsFloats({ dtype, scales }: TensorInfo): boolean {
  return isFloat(dtype) || scales !== undefined;
}

/** What the scales of an 8-bit matrix are called, after its own name; the name is that of vLLM's compressed-tensors. */
export const SCALE_ENDING = '_scale';

/**
 * Joins 8-bit matrices with their scales, which are then no tensors of their own.
 * @throws CheckpointError when scales do not fit their matrix
 */
function withScales(tensors: ReadonlyMap<string, StoredTensor>, source: string): ReadonlyMap<string, StoredTensor> {
  const joined = new Map(tensors);
  for (const [name, tensor] of tensors) {
    const scales = tensors.get(name + SCALE_ENDING);
    if (tensor.dtype !== 'I8' || !scales || !isFloat(scales.dtype)) continue;
    const [rows, columns] = tensor.shape;
    const [scaledRows, groups] = scales.shape;
    const fits = tensor.shape.length === 2 && scales.shape.length === 2 && scaledRows === rows && groups > 0;
    if (!fits || columns % groups !== 0) {
      const shapes = `[${tensor.shape}] and its scales [${scales.shape}]`;
      throw damaged(source, `${name} is ${shapes}, expected a matrix and a number of scales for each row`);
    }
    joined.set(name, { ...tensor, scales });
    joined.delete(name + SCALE_ENDING);
  }
  return joined;
}

/** Turns stored values, from element `start` on, into float32. */
type Widen = (data: TensorData, target: Float32Array, start: number) => void;

async function wideningOf({ dtype, shape, scales: stored }: StoredTensor, name: string, what: string): Promise<Widen> {
  if (!stored) return (data, target) => toFloat32(dtype as FloatDtype, data, target, what);
  const scales = new Float32Array(elementCount(stored.shape));
  const itsName = name + SCALE_ENDING;
  await readWidened(itsName, stored, scales, await wideningOf(stored, itsName, what));
  const group = shape[1] / stored.shape[1];
  return (data, target, start) => fromInt8(data as Int8Array, { scales, group, start }, target);
}

/** Reads a tensor piece by piece, each as float32. */
async function readWidened(name: string, tensor: StoredTensor, values: Float32Array, widen: Widen): Promise<void> {
  const { dtype, strides } = tensor;
  const size = bytesPerElement(dtype);
  const use = (bytes: Uint8Array, start: number) => {
    const data = viewTensor(bytes, dtype);
    widen(data, values.subarray(start, start + data.length), start);
  };
  if (strides) {
    const bytes = new Uint8Array(values.length * size);
    await gather(tensor, strides, bytes);
    use(bytes, 0);
    return;
  }
  const chunk = new Uint8Array(Math.min(CHUNK_ELEMENTS, values.length) * size);
  await readRowMajor(name, tensor, (_, count) => chunk.subarray(0, count * size), use);
}

/** Elements from a tensor's first to its last in the file, both included. */
export function extent({ shape, strides }: Pick<StoredTensor, 'shape' | 'strides'>): number {
  const count = elementCount(shape);
  if (!strides || count === 0) return count;
  return shape.reduce((sum, size, dimension) => sum + (size - 1) * strides[dimension], 1);
}

/**
 * A format in which tensors may share bytes could promise petabytes in a small file. Weights are shared a few times at
 * most (an output matrix tied to the embeddings), so all tensors together may take a few times the file and no more.
 * @throws CheckpointError when they take more
 */
export function checkTotalBytes(tensors: ReadonlyMap<string, TensorInfo>, fileBytes: number, source: string): void {
  let total = 0;
  for (const { dtype, shape } of tensors.values()) total += elementCount(shape) * bytesPerElement(dtype);
  const allowed = 16 * fileBytes + (1 << 24);
  if (total <= allowed) return;
  throw damaged(source, `its tensors would take ${total} bytes, which a file of ${fileBytes} bytes cannot mean`, total);
}

/**
 * Reads a row-major tensor piece by piece.
 * @param target  where the bytes of elements `start` to `start + count` go
 * @param use     called with each piece when it is there
 */
async function readRowMajor(
  name: string,
  tensor: StoredTensor,
  target: (start: number, count: number) => Uint8Array,
  use?: (bytes: Uint8Array, start: number) => void,
): Promise<void> {
  const { source, begin, dtype, shape, maskedCrc } = tensor;
  const size = bytesPerElement(dtype);
  const total = elementCount(shape);
  let crc = 0;
  for (let start = 0; start < total; start += CHUNK_ELEMENTS) {
    const bytes = target(start, Math.min(CHUNK_ELEMENTS, total - start));
    await source.readInto(bytes, begin + start * size);
    if (maskedCrc !== undefined) crc = crc32c(bytes, crc);
    use?.(bytes, start);
  }
  if (maskedCrc !== undefined && maskCrc(crc) !== maskedCrc) {
    throw damaged(source.name, `the checksum of tensor ${name} differs from the stored one`, maskCrc(crc));
  }
}

/**
 * Collects a view (a transposed or sliced tensor, or one with repeated elements) into row-major order. The file is read
 * in runs along the dimension with the longest stride, so that a view of any size needs one run in memory beside it.
 */
async function gather(tensor: StoredTensor, strides: readonly number[], out: Uint8Array): Promise<void> {
  const { source, begin, dtype, shape } = tensor;
  if (out.length === 0) return;
  const size = bytesPerElement(dtype);
  // Steps of a row-major tensor of this shape: where the elements go.
  const steps = shape.map((_, dimension) => elementCount(shape.slice(dimension + 1)));
  const outer = longestStride(shape, strides);
  const inner = shape.map((_, dimension) => dimension).filter((dimension) => dimension !== outer);
  const innerExtent = inner.reduce((sum, dimension) => sum + (shape[dimension] - 1) * strides[dimension], 1);
  const [length, stride, step] = outer < 0 ? [1, 0, 0] : [shape[outer], strides[outer], steps[outer]];
  const perRun = Math.max(1, stride > 0 ? Math.floor((CHUNK_ELEMENTS - innerExtent) / stride) + 1 : length);
  const offsets = innerOffsets(
    inner.map((dimension) => ({ length: shape[dimension], stride: strides[dimension], step: steps[dimension] })),
  );
  for (let first = 0; first < length; first += perRun) {
    const count = Math.min(perRun, length - first);
    const run = new Uint8Array(((count - 1) * stride + innerExtent) * size);
    await source.readInto(run, begin + first * stride * size);
    for (let index = 0; index < count; index++) {
      for (let k = 0; k < offsets.from.length; k++) {
        const from = (index * stride + offsets.from[k]) * size;
        const to = ((first + index) * step + offsets.to[k]) * size;
        for (let byte = 0; byte < size; byte++) out[to + byte] = run[from + byte];
      }
    }
  }
}

/** The dimension of more than one index with the longest stride, or −1. */
function longestStride(shape: readonly number[], strides: readonly number[]): number {
  let longest = -1;
  shape.forEach((length, dimension) => {
    if (length > 1 && (longest < 0 || strides[dimension] > strides[longest])) longest = dimension;
  });
  return longest;
}

/** For every index of the inner dimensions: its offset in the file and in the result, in elements. */
function innerOffsets(dimensions: readonly { length: number; stride: number; step: number }[]): {
  from: Float64Array;
  to: Float64Array;
} {
  let from = new Float64Array(1);
  let to = new Float64Array(1);
  for (const { length, stride, step } of dimensions) {
    const nextFrom = new Float64Array(from.length * length);
    const nextTo = new Float64Array(from.length * length);
    for (let k = 0; k < from.length; k++) {
      for (let index = 0; index < length; index++) {
        nextFrom[k * length + index] = from[k] + index * stride;
        nextTo[k * length + index] = to[k] + index * step;
      }
    }
    from = nextFrom;
    to = nextTo;
  }
  return { from, to };
}

function toFloat32(dtype: FloatDtype, data: TensorData, target: Float32Array, what: string): void {
  if (dtype === 'F32') target.set(data as Float32Array);
  else if (dtype === 'F16') halfToFloat32(data as Uint16Array, target);
  else if (dtype === 'BF16') bfloat16ToFloat32(data as Uint16Array, target);
  else target.set(data as Float64Array);
  if (dtype !== 'F64') return;
  const beyond = target.findIndex((value, i) => !Number.isFinite(value) && Number.isFinite((data as Float64Array)[i]));
  if (beyond < 0) return;
  throw new CheckpointError(`${what} has ${(data as Float64Array)[beyond]}, which is beyond float32`, {
    subject: what,
  });
}
