/** Loops over strided views: axes merged where that changes nothing, offsets walked in row-major order. */
import { elementCount } from '../../../graph/dimensions.js';
import type { View } from '../plan/values.js';

/** A shape and, for each of some views, its strides. */
export interface Walk {
  readonly shape: readonly number[];
  readonly strides: readonly (readonly number[])[];
}

/** Joins neighbouring axes that are one for every view, and drops those of size 1. The views have one shape. */
export function mergeAxes(views: readonly Pick<View, 'shape' | 'strides'>[]): Walk {
  const shape: number[] = [];
  const strides: number[][] = views.map(() => []);
  views[0].shape.forEach((size, axis) => {
    if (size === 1) return;
    const steps = views.map((view) => view.strides[axis]);
    const joins = shape.length > 0 && strides.every((own, i) => own.at(-1) === steps[i] * size);
    if (joins) {
      shape[shape.length - 1] *= size;
      for (const [i, own] of strides.entries()) own[own.length - 1] = steps[i];
    } else {
      shape.push(size);
      for (const [i, own] of strides.entries()) own.push(steps[i]);
    }
  });
  return { shape, strides };
}

/**
 * Calls `visit` for every run along the last axis with the offset of its first element in each view.
 * @param visit  `step[i]` is the distance of neighbours of a run in view i, `count` how many there are
 */
export function forEachRun(
  { shape, strides }: Walk,
  visit: (offsets: Int32Array, steps: readonly number[], count: number) => void,
): void {
  const last = shape.length - 1;
  const offsets = new Int32Array(strides.length);
  const steps = strides.map((own) => own[last] ?? 0);
  const count = shape[last] ?? 1;
  const index = new Int32Array(Math.max(0, last));
  const runs = elementCount(shape.slice(0, -1));
  for (let run = 0; run < runs; run++) {
    visit(offsets, steps, count);
    for (let axis = last - 1; axis >= 0; axis--) {
      index[axis]++;
      for (let i = 0; i < offsets.length; i++) offsets[i] += strides[i][axis];
      if (index[axis] < shape[axis]) break;
      for (let i = 0; i < offsets.length; i++) offsets[i] -= strides[i][axis] * shape[axis];
      index[axis] = 0;
    }
  }
}
