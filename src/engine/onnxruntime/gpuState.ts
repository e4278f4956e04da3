/**
 * State in buffers of the GPU. Each arena is one buffer, and between steps nothing of it comes to JavaScript. The runtime takes
 * whole buffers as tensors and no part of one, so a tensor of an arena is copied into a buffer of its own before a run and
 * back after it, on the GPU.
 */
import { elementCount } from '../../graph/dimensions.js';
import { checkLayout, rangeWithin } from '../arenas.js';
import type { EngineState, StateLayout } from '../engine.js';
import { EngineError } from '../engineError.js';
import { type GpuBuffer, type GpuDevice, MAP_READ, roundedBytes, USAGE } from './gpu.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** Elements of an arena. */
export interface ArenaPart {
  readonly arena: string;
  readonly start: number;
  readonly length: number;
}

export class GpuState implements EngineState {
  readonly layout: StateLayout;
  readonly device: GpuDevice;
  readonly #arenas = new Map<string, GpuBuffer>();
  /** Buffers that stand for tensors during a run, by name. */
  readonly #tensors = new Map<string, GpuBuffer>();
  #queue: Promise<unknown> = Promise.resolve();

  /** @throws EngineError when a slot lies outside its arena */
  constructor(device: GpuDevice, layout: StateLayout) {
    checkLayout(layout);
    this.device = device;
    this.layout = layout;
    for (const [name, length] of Object.entries(layout.arenas)) this.#arenas.set(name, this.#newBuffer(length));
  }

  async read(arena: string, start?: number, end?: number, into?: Float32Array): Promise<Float32Array> {
    return this.alone(async () => {
      const range = rangeWithin(this.layout, arena, start, end);
      const bytes = (range.end - range.start) * FLOAT;
      const values = into ?? new Float32Array(range.end - range.start);
      if (bytes === 0) return values;
      const staging = this.device.createBuffer({ size: bytes, usage: USAGE.copyTo | USAGE.mapRead });
      const encoder = this.device.createCommandEncoder();
      encoder.copyBufferToBuffer(this.#arena(arena), range.start * FLOAT, staging, 0, bytes);
      this.device.queue.submit([encoder.finish()]);
      await staging.mapAsync(MAP_READ);
      values.set(new Float32Array(staging.getMappedRange()));
      staging.unmap();
      staging.destroy();
      return values;
    });
  }

  async write(arena: string, data: Float32Array, start = 0): Promise<void> {
    return this.alone(async () => {
      rangeWithin(this.layout, arena, start, start + data.length);
      this.device.queue.writeBuffer(this.#arena(arena), start * FLOAT, plain(data));
    });
  }

  async release(): Promise<void> {
    for (const buffer of [...this.#arenas.values(), ...this.#tensors.values()]) buffer.destroy();
    this.#arenas.clear();
    this.#tensors.clear();
  }

  /** Where the tensor that a program's state node stands for lies: a slot, or a whole arena. */
  placeOf(name: string): ArenaPart & { readonly shape: readonly number[] } {
    const slot = this.layout.slots.get(name);
    if (!slot) return { arena: name, start: 0, length: this.layout.arenas[name], shape: [this.layout.arenas[name]] };
    return { arena: slot.arena, start: slot.offset, length: elementCount(slot.shape), shape: slot.shape };
  }

  /** A buffer of a tensor's own, which keeps its place from run to run. */
  tensorOf(name: string, length: number): GpuBuffer {
    const known = this.#tensors.get(name);
    if (known && known.size >= length * FLOAT) return known;
    known?.destroy();
    const buffer = this.#newBuffer(length);
    this.#tensors.set(name, buffer);
    return buffer;
  }

  /** Copies parts of arenas into buffers of their own, on the GPU. */
  gather(parts: Iterable<readonly [ArenaPart, GpuBuffer]>): void {
    this.#copy(parts, (encoder, { arena, start, length }, buffer) =>
      encoder.copyBufferToBuffer(this.#arena(arena), start * FLOAT, buffer, 0, length * FLOAT),
    );
  }

  /** Copies buffers into parts of arenas, on the GPU. */
  scatter(parts: Iterable<readonly [ArenaPart, GpuBuffer]>): void {
    this.#copy(parts, (encoder, { arena, start, length }, buffer) =>
      encoder.copyBufferToBuffer(buffer, 0, this.#arena(arena), start * FLOAT, length * FLOAT),
    );
  }

  /** One run or transfer at a time: all use the same buffers. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => {});
    return result;
  }

  #copy(
    parts: Iterable<readonly [ArenaPart, GpuBuffer]>,
    copy: (encoder: ReturnType<GpuDevice['createCommandEncoder']>, part: ArenaPart, buffer: GpuBuffer) => void,
  ): void {
    const encoder = this.device.createCommandEncoder();
    for (const [part, buffer] of parts) if (part.length > 0) copy(encoder, part, buffer);
    this.device.queue.submit([encoder.finish()]);
  }

  #arena(name: string): GpuBuffer {
    const buffer = this.#arenas.get(name);
    if (buffer) return buffer;
    throw new EngineError(`there is no arena "${name}", or the state was released`, { subject: name });
  }

  /** All 0. */
  #newBuffer(length: number): GpuBuffer {
    const usage = USAGE.storage | USAGE.copyFrom | USAGE.copyTo;
    return this.device.createBuffer({ size: roundedBytes(length * FLOAT), usage });
  }
}

/** WebGPU takes no shared memory. */
function plain(data: Float32Array): Float32Array {
  return data.buffer instanceof ArrayBuffer ? data : new Float32Array(data);
}
