/** Carries out a load plan. */

import type { StoredValues, Values } from '../files/storedValues.js';
import { bytesOf } from '../formats/safetensors.js';
import { elementCount } from '../graph/dimensions.js';
import type { LoadPlan, PlannedTensor, TiedTensor } from './loadPlan.js';
import type { LoadReport } from './loadReport.js';
import { type Allocate, onHeap, type StoredTensor, type TensorSource } from './tensorSource.js';

/** A tensor of a model, in float32. */
export interface LoadedTensor {
  readonly shape: readonly number[];
  /** Of a tensor that stays in its file, read anew each time. */
  readonly data: Float32Array;
  /** Of a tensor that stays in its file. */
  readonly stored?: StoredValues;
}

/** As an engine takes them: a tensor that stays in its file as it lies there. */
export function valuesOf(tensor: LoadedTensor): Values {
  return tensor.stored ?? tensor.data;
}

/** How tensors are kept; by default each in memory of its own. */
export interface TensorKeeping {
  /** Values that stay in their file, where they lie there as they are needed; undefined to read them. */
  readonly inFile?: (tensor: StoredTensor) => StoredValues | undefined;
  /** Memory for the others. */
  readonly allocate?: Allocate;
}

/**
 * Reads the planned tensors one after another as float32.
 * @param use  receives each tensor; its buffer is the receiver's to keep
 */
export async function runLoadPlan(
  source: TensorSource,
  plan: LoadPlan,
  use: (name: string, tensor: LoadedTensor) => void | Promise<void>,
  { inFile, allocate }: TensorKeeping = {},
): Promise<LoadReport> {
  for (const { name, from, shape, transposed } of plan.tensors) {
    const stored = transposed ? undefined : inFile?.(source.info(from));
    if (stored) {
      await use(name, new TensorInFile(shape, stored));
      continue;
    }
    const values = await source.readFloat32(from, transposed ? undefined : allocate);
    await use(name, { shape, data: transposed ? transpose(values, shape, allocate) : values });
  }
  const byName = new Map(plan.tensors.map((tensor) => [tensor.name, tensor]));
  const tied: (TiedTensor & { same?: boolean })[] = [];
  for (const entry of plan.tied) {
    const main = byName.get(entry.to);
    const same = entry.from !== undefined && main ? await haveSameBits(source, entry.from, main.from) : undefined;
    tied.push({ ...entry, ...(same !== undefined && { same }) });
  }
  const isAsStored = ({ dtype, transposed }: PlannedTensor) => dtype === 'F32' && !transposed;
  return {
    source: source.name,
    format: source.format,
    target: plan.target,
    loaded: plan.tensors.filter(isAsStored).map(({ name, from }) => ({ name, from })),
    converted: plan.tensors
      .filter((tensor) => !isAsStored(tensor))
      .map((tensor) => ({ name: tensor.name, from: tensor.from, how: howConverted(tensor) })),
    eightBit: plan.tensors.filter(({ scalesPerRow }) => scalesPerRow !== undefined).map(({ name }) => name),
    tied,
    missing: plan.missing,
    unused: plan.unused,
  };
}

function howConverted({ dtype, scalesPerRow, transposed }: PlannedTensor): string {
  const scaled = scalesPerRow && ` with ${scalesPerRow === 1 ? 'a scale' : `${scalesPerRow} scales`} for each row`;
  const from = dtype === 'F32' ? [] : [`from ${dtype}${scaled ?? ''}`];
  return [...from, ...(transposed ? ['transposed'] : [])].join(', ');
}

class TensorInFile implements LoadedTensor {
  constructor(
    readonly shape: readonly number[],
    readonly stored: StoredValues,
  ) {}
  get data(): Float32Array {
    return this.stored.read();
  }
}

async function haveSameBits(source: TensorSource, one: string, other: string): Promise<boolean> {
  const [a, b] = [source.info(one), source.info(other)];
  if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join()) return false;
  // One storage under two names, as PyTorch saves tied weights: nothing to read.
  if (a.source === b.source && a.begin === b.begin && a.strides?.join() === b.strides?.join()) return true;
  if (a.scales || b.scales) {
    const [first, second] = [await source.readFloat32(one), await source.readFloat32(other)];
    return first.every((value, i) => value === second[i]);
  }
  const [first, second] = [bytesOf(await source.readRaw(one)), bytesOf(await source.readRaw(other))];
  return first.every((byte, i) => byte === second[i]);
}

/** [columns, rows] → [rows, columns], in tiles, as a kernel of a thousand columns does not fit the cache in one line. */
export function transpose(values: Float32Array, shape: readonly number[], allocate: Allocate = onHeap): Float32Array {
  const [rows, columns] = shape;
  const result = new Float32Array(allocate(elementCount(shape) * Float32Array.BYTES_PER_ELEMENT));
  const from = new Uint32Array(values.buffer, values.byteOffset, values.length); // bits, so that no NaN changes
  const to = new Uint32Array(result.buffer);
  const TILE = 32;
  for (let row0 = 0; row0 < rows; row0 += TILE) {
    for (let column0 = 0; column0 < columns; column0 += TILE) {
      const rowEnd = Math.min(rows, row0 + TILE);
      const columnEnd = Math.min(columns, column0 + TILE);
      for (let row = row0; row < rowEnd; row++) {
        for (let column = column0; column < columnEnd; column++) to[row * columns + column] = from[column * rows + row];
      }
    }
  }
  return result;
}
