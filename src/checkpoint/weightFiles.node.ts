/**
 * Writes a model's weights as Hugging Face folders have them: model.safetensors, or several files with an index when they
 * are large. One tensor is in memory at a time, so a model may be larger than memory.
 */

import { readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError } from '../errors/errors.js';
import { makeFolder, writeFileDurably } from '../files/durableFile.node.js';
import { float32ToHalf, type Narrowing } from '../formats/halfPrecision.js';
import { bytesOf, bytesPerElement, encodeSafetensorsHeader, inFileOrder } from '../formats/safetensors.js';
import { elementCount } from '../graph/dimensions.js';

/** A tensor whose values are fetched when their turn comes. */
export interface OutgoingTensor {
  readonly name: string;
  readonly shape: readonly number[];
  read(): Float32Array | Promise<Float32Array>;
}

export interface WeightFilesOptions {
  /** Default F32. F16 is exact for weights that came from F16, else rounded to nearest. */
  readonly dtype?: 'F32' | 'F16';
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
}

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
  { dtype = 'F32', maxFileBytes = DEFAULT_MAX_BYTES, signal }: WeightFilesOptions = {},
): Promise<WrittenWeights> {
  makeFolder(folder);
  const outgoing = [...tensors].map((tensor) => ({
    ...tensor,
    dtype,
    read: () => {
      signal?.throwIfAborted();
      return tensor.read();
    },
  }));
  const shards = distribute(outgoing, maxFileBytes);
  const files = new Map<string, { bytes: number; sha256: string }>();
  const narrowed = new Map<string, Narrowing>();
  const weightMap: Record<string, string> = {};
  for (const [index, shard] of shards.entries()) {
    const file = shards.length === 1 ? SINGLE : shardFile(index + 1, shards.length);
    files.set(file, await writeFileDurably(join(folder, file), shardChunks(shard, narrowed)));
    for (const { name } of shard) weightMap[name] = file;
  }
  if (shards.length > 1)
    files.set(INDEX, await writeFileDurably(join(folder, INDEX), [indexText(outgoing, weightMap)]));
  for (const name of readdirSync(folder)) {
    if ((name === SINGLE || name === INDEX || SHARD.test(name)) && !files.has(name)) await rm(join(folder, name));
  }
  return { files, narrowed };
}

interface TypedTensor extends OutgoingTensor {
  readonly dtype: 'F32' | 'F16';
}

function bytesIn({ shape, dtype }: TypedTensor): number {
  return elementCount(shape) * bytesPerElement(dtype);
}

/** In the order given, each file filled up before the next. */
function distribute(tensors: readonly TypedTensor[], maxBytes: number): TypedTensor[][] {
  const shards: TypedTensor[][] = [[]];
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
  tensors: readonly TypedTensor[],
  narrowed: Map<string, Narrowing>,
): AsyncGenerator<Uint8Array> {
  const sorted = inFileOrder(tensors);
  // transformers asks for this key.
  yield encodeSafetensorsHeader(sorted, { format: 'pt' });
  for (const { name, shape, dtype, read } of sorted) {
    const values = await read();
    if (values.length !== elementCount(shape)) {
      throw new CheckpointError(`Tensor ${name} is [${shape}], but has ${values.length} values`, { subject: name });
    }
    if (dtype === 'F32') {
      yield bytesOf(values);
      continue;
    }
    const { data, ...narrowing } = float32ToHalf(values);
    if (narrowing.rounded > 0) narrowed.set(name, narrowing);
    yield bytesOf(data);
  }
}

function indexText(tensors: readonly TypedTensor[], weightMap: Readonly<Record<string, string>>): string {
  const total = tensors.reduce((sum, tensor) => sum + bytesIn(tensor), 0);
  const parameters = tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  const sorted = Object.fromEntries(Object.entries(weightMap).sort(([a], [b]) => (a < b ? -1 : 1)));
  const index = { metadata: { total_parameters: parameters, total_size: total }, weight_map: sorted };
  return `${JSON.stringify(index, null, 2)}\n`;
}
