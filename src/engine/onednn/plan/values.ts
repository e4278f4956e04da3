/** Memory of a plan before it has an address: buffers, and the views of them that steps read and write. */

import { elementCount } from '../../../graph/dimensions.js';

/** How an element lies in memory. Booleans are u8; bf16 is the upper half of a float32. */
export type ElementType = 'f32' | 'bf16' | 's32' | 'u8';

export const ELEMENT_BYTES: Readonly<Record<ElementType, number>> = { f32: 4, bf16: 2, s32: 4, u8: 1 };

/**
 * What a buffer holds: a value between two steps (`scratch`), a tensor fed at each run, a value that never changes, or
 * named state. `shadow` is a bf16 copy of an arena that is renewed when the arena has changed.
 */
export type Residence =
  | { readonly kind: 'scratch' }
  | { readonly kind: 'input'; readonly name: string }
  | { readonly kind: 'constant'; readonly data: ArrayBufferView }
  | { readonly kind: 'state'; readonly name: string }
  | { readonly kind: 'shadow'; readonly name: string };

/** A piece of memory. Compared by identity. */
export interface PlanBuffer {
  readonly residence: Residence;
  readonly bytes: number;
}

/** A strided view of a buffer; a stride of 0 repeats one element along an axis. Strides and offset are in elements. */
export interface View {
  readonly buffer: PlanBuffer;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
}

/** Row-major strides. */
export function denseStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1] * shape[axis + 1];
  return strides;
}

export function scratch(type: ElementType, shape: readonly number[]): View {
  return denseView({ residence: { kind: 'scratch' }, bytes: elementCount(shape) * ELEMENT_BYTES[type] }, type, shape);
}

export function denseView(buffer: PlanBuffer, type: ElementType, shape: readonly number[]): View {
  return { buffer, type, shape, strides: denseStrides(shape), offset: 0 };
}

export function constantView(data: ArrayBufferView, type: ElementType, shape: readonly number[]): View {
  return denseView({ residence: { kind: 'constant', data }, bytes: data.byteLength }, type, shape);
}

/** New memory with the axes in the order in which they lie in another view. */
export function likeLayout(view: View, type: ElementType): View {
  const order = view.shape.map((_, axis) => axis).sort((a, b) => view.strides[b] - view.strides[a] || a - b);
  const dense = scratch(
    type,
    order.map((axis) => view.shape[axis]),
  );
  return permuted(
    dense,
    order.map((_, axis) => order.indexOf(axis)),
  );
}

/** Whether the elements lie one after the other, row-major; axes of size 1 have no say. */
export function isDense({ shape, strides }: View): boolean {
  const dense = denseStrides(shape);
  return shape.every((size, axis) => size === 1 || strides[axis] === dense[axis]);
}

/** Whether no element is repeated along an axis. */
export function isFull({ shape, strides }: View): boolean {
  return shape.every((size, axis) => size === 1 || strides[axis] !== 0);
}

export function sameSizes(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** Whether two views are the same elements in the same order. */
export function sameView(a: View, b: View): boolean {
  return a.buffer === b.buffer && a.offset === b.offset && a.type === b.type && sameLayout(a, b);
}

/** Whether element i of both lies equally far from the first. */
export function sameLayout(a: View, b: View): boolean {
  return (
    sameSizes(a.shape, b.shape) && a.shape.every((size, axis) => size === 1 || a.strides[axis] === b.strides[axis])
  );
}

/** The same elements under another permutation of axes. */
export function permuted(view: View, permutation: readonly number[]): View {
  return {
    ...view,
    shape: permutation.map((axis) => view.shape[axis]),
    strides: permutation.map((axis) => view.strides[axis]),
  };
}

/** The view stretched to a shape by NumPy's rule. */
export function stretched(view: View, shape: readonly number[]): View {
  const missing = shape.length - view.shape.length;
  const strides = shape.map((size, axis) => {
    const own = axis - missing;
    return own < 0 || (view.shape[own] === 1 && size !== 1) ? 0 : view.strides[own];
  });
  return { ...view, shape, strides };
}

/**
 * The view under another shape of as many elements, without copying; undefined where the strides do not allow it.
 * A run of axes that lie densely within one another can be cut anew: its elements are one stride apart.
 */
export function reshaped(view: View, shape: readonly number[]): View | undefined {
  const strides = new Array<number>(shape.length).fill(1);
  let axis = shape.length - 1;
  for (const { size, stride } of denseRuns(view)) {
    let left = size;
    for (let step = stride; left > 1; axis--) {
      if (axis < 0 || left % shape[axis] !== 0) return undefined;
      strides[axis] = step;
      step *= shape[axis];
      left /= shape[axis];
    }
  }
  return { ...view, shape, strides };
}

/** The axes as few as possible, the innermost first; axes of size 1 are left out. */
function denseRuns({ shape, strides }: View): { size: number; stride: number }[] {
  const runs: { size: number; stride: number }[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const last = runs.at(-1);
    if (shape[axis] === 1) continue;
    if (last && strides[axis] === last.stride * last.size) last.size *= shape[axis];
    else runs.push({ size: shape[axis], stride: strides[axis] });
  }
  return runs;
}
