/**
 * Matrices as 8-bit integers with scales: w ≈ q · scale, q in −127…127, a scale for each row or for each group of columns
 * within a row. The scale is the largest magnitude over 127, rounded to half precision, so the largest error is half a scale
 * and 0 stays 0.
 */
import { float32ToHalf, halfToFloat32 } from './halfPrecision.js';

/** The largest integer; −128 is left out, so that a row and its negative are stored alike. */
const LARGEST = 127;

export interface Int8Matrix {
  /** Row-major, as the matrix. */
  readonly data: Int8Array<ArrayBuffer>;
  /** [rows, groups], row-major, as half-precision bits. */
  readonly scales: Uint16Array<ArrayBuffer>;
}

/**
 * Rounds a matrix to 8 bits. Doing it again to what was read back gives the same integers.
 * @param values   row-major
 * @param columns  of the matrix
 * @param group    columns that share a scale; divides `columns`. Default all of a row.
 */
export function toInt8(values: Float32Array, columns: number, group = columns): Int8Matrix {
  const data = new Int8Array(values.length);
  const wanted = new Float32Array(values.length / group);
  for (let i = 0; i < values.length; i++) {
    const index = Math.floor(i / group);
    wanted[index] = Math.max(wanted[index], Math.abs(values[i]) / LARGEST);
  }
  const { data: scales } = float32ToHalf(wanted);
  const rounded = new Float32Array(scales.length);
  halfToFloat32(scales, rounded);
  for (let i = 0; i < values.length; i++) {
    const scale = rounded[Math.floor(i / group)];
    // A scale that is 0 has nothing under it but values below 4e-6.
    if (scale > 0) data[i] = Math.max(-LARGEST, Math.min(LARGEST, Math.round(values[i] / scale)));
  }
  return { data, scales };
}

/**
 * Back to float32.
 * @param data    some of the integers, from element `start` of the matrix on
 * @param group   columns that share a scale
 * @param target  as long as `data`
 */
export function fromInt8(
  data: Int8Array,
  { scales, group, start = 0 }: { readonly scales: Float32Array; readonly group: number; readonly start?: number },
  target: Float32Array,
): void {
  let i = 0;
  while (i < data.length) {
    const index = Math.floor((start + i) / group);
    const scale = scales[index];
    const end = Math.min(data.length, (index + 1) * group - start);
    for (; i < end; i++) target[i] = data[i] * scale;
  }
}
