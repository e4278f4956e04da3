/** Memory that the library and TypeScript both work on: buffers of JavaScript, whose addresses do not change. */
import { ALIGNMENT } from './plan/layout.js';
import type { Elements } from './plan/plan.js';
import type { ElementType } from './plan/values.js';

/** Says where a buffer lies; 0 where there is no library to tell it to. */
export type AddressOf = (buffer: ArrayBuffer) => number;

/** A block of memory that begins at a multiple of 64 bytes. */
export interface Block {
  readonly buffer: ArrayBuffer;
  /** First byte in `buffer`. */
  readonly start: number;
  readonly bytes: number;
  readonly address: number;
}

export function allocate(bytes: number, addressOf: AddressOf): Block {
  const buffer = new ArrayBuffer(Math.max(1, bytes) + ALIGNMENT);
  const unaligned = addressOf(buffer);
  const start = (ALIGNMENT - (unaligned % ALIGNMENT)) % ALIGNMENT;
  return { buffer, start, bytes, address: unaligned + start };
}

const ARRAYS = { f32: Float32Array, bf16: Uint16Array, s32: Int32Array, u8: Uint8Array } as const;

/** `count` elements of a block from a byte on. */
export function elementsOf(block: Block, offset: number, type: ElementType, count: number): Elements {
  return new ARRAYS[type](block.buffer, block.start + offset, count);
}
