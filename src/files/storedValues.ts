/** Float32 values that stay in a file until they are used: what a loader of checkpoints gives and an engine takes. */

/** A part of a file: little-endian float32, row-major, without gaps, from a multiple of 4 bytes on. */
export interface FileRange {
  /** Absolute, with no symbolic links in it. */
  readonly file: string;
  /** In bytes. */
  readonly begin: number;
  readonly bytes: number;
}

export interface StoredValues {
  /** In elements. */
  readonly length: number;
  /**
   * Where they lie, for who reads or maps them there.
   * @throws CheckpointError when the file is gone or no longer what it was
   */
  locate(): FileRange;
  /**
   * A copy of them.
   * @throws CheckpointError as `locate`
   */
  read(): Float32Array;
}

/** Values in memory, or in a file. */
export type Values = Float32Array | StoredValues;

export function isStored(values: Values): values is StoredValues {
  return !ArrayBuffer.isView(values);
}

export function inMemory(values: Values): Float32Array {
  return isStored(values) ? values.read() : values;
}
