import { describe, expect, it } from 'vitest';
import { copy } from '../loops/kernels.js';
import { denseStrides, isDense, likeLayout, permuted, reshaped, scratch, stretched, type View } from './values.js';

/** The elements of a view in row-major order, where the buffer holds 0, 1, 2, … */
function elements(view: View): number[] {
  const dense = scratch(view.type, view.shape);
  const out = new Float32Array(dense.buffer.bytes / 4);
  const memory = Float32Array.from({ length: view.buffer.bytes / 4 }, (_, i) => i);
  copy(view, dense)([memory.subarray(view.offset)], [out]);
  return [...out];
}

describe('a view', () => {
  it('transposed, sees the elements column by column', () => {
    expect(elements(permuted(scratch('f32', [2, 3]), [1, 0]))).toEqual([0, 3, 1, 4, 2, 5]);
  });

  it('stretched, repeats elements by the rule of NumPy', () => {
    expect(elements(stretched(scratch('f32', [2, 1]), [2, 2, 3]))).toEqual([0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1]);
    expect(elements(stretched(scratch('f32', []), [3]))).toEqual([0, 0, 0]);
  });

  it('of dense memory takes any shape of as many elements', () => {
    for (const shape of [[24], [4, 6], [2, 3, 4], [1, 24, 1], [3, 1, 8]]) {
      const view = reshaped(scratch('f32', [2, 12]), shape)!;
      expect(isDense(view)).toBe(true);
      expect(elements(view)).toEqual(Array.from({ length: 24 }, (_, i) => i));
    }
  });

  it('of heads in a row [B, S, A·D] is cut into [B, S, A, D], and put together again', () => {
    const [B, S, A, D] = [2, 3, 2, 4];
    const heads = permuted(reshaped(scratch('f32', [B * S, A * D]), [B, S, A, D])!, [0, 2, 1, 3]);
    expect(heads.shape).toEqual([B, A, S, D]);
    const rows = reshaped(permuted(heads, [0, 2, 1, 3]), [B * S, A * D])!;
    expect(isDense(rows)).toBe(true);
    // Heads apart are not one row: that needs a copy.
    expect(reshaped(heads, [B * A, S * D])).toBeUndefined();
    expect(reshaped(heads, [B, A, 1, S, 2, D / 2])?.strides).toEqual([S * A * D, D, D, A * D, 2, 1]);
  });

  it('of nothing but single elements takes any shape of one element', () => {
    expect(reshaped(scratch('f32', []), [1, 1])?.shape).toEqual([1, 1]);
    expect(reshaped(scratch('f32', [1, 1]), [])?.shape).toEqual([]);
  });

  it('like another has its axes in the same order in memory', () => {
    const heads = permuted(scratch('f32', [2, 3, 4, 5]), [0, 2, 1, 3]);
    const like = likeLayout(heads, 'bf16');
    expect(like.shape).toEqual(heads.shape);
    expect(like.strides).toEqual(heads.strides);
    expect(like.buffer.bytes).toBe(2 * 2 * 3 * 4 * 5);
    expect(denseStrides([2, 3, 4, 5])).toEqual([60, 20, 5, 1]);
  });
});
