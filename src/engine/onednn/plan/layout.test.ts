import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { elementCount } from '../../../graph/dimensions.js';
import { ALIGNMENT, layOut } from './layout.js';
import { type LoopStep, type Plan, stepOperands } from './plan.js';
import { type PlanBuffer, scratch, type View } from './values.js';

function planOf(views: readonly View[], reads: readonly (readonly number[])[]): Plan {
  const steps = reads.map(
    (read, at): LoopStep => ({
      kind: 'loop',
      op: 'step',
      reads: read.map((i) => views[i]),
      writes: [views[at]],
      overwrites: [],
      run: () => {},
    }),
  );
  return { steps, inputs: [], outputs: [], updates: [], shadows: [], aliases: new Map() };
}

describe('the memory between steps', () => {
  it('is shared by buffers that are never needed at once, and never by others', () => {
    // Step i writes buffer i and reads some of those before it.
    const steps = fc
      .array(fc.record({ size: fc.integer({ min: 1, max: 300 }), reads: fc.array(fc.nat(), { maxLength: 3 }) }), {
        minLength: 1,
        maxLength: 40,
      })
      .map((list) => list.map(({ size, reads }, at) => ({ size, reads: at === 0 ? [] : reads.map((i) => i % at) })));
    fc.assert(
      fc.property(steps, (list) => {
        const views = list.map(({ size }) => scratch('f32', [size]));
        const plan = planOf(
          views,
          list.map(({ reads }) => reads),
        );
        const { offsets, bytes } = layOut(plan);
        const needed = views.map(({ buffer }, at) => {
          const uses = plan.steps.flatMap((step, i) =>
            [...stepOperands(step).reads, ...stepOperands(step).writes].some(({ view }) => view.buffer === buffer)
              ? [i]
              : [],
          );
          return { buffer, from: at, to: Math.max(...uses) };
        });
        for (const a of needed) {
          const start = offsets.get(a.buffer)!;
          expect(start % ALIGNMENT).toBe(0);
          expect(start + a.buffer.bytes).toBeLessThanOrEqual(bytes);
          for (const b of needed) {
            if (a === b || a.to < b.from || b.to < a.from) continue;
            expect(overlaps(a.buffer, b.buffer, offsets), 'buffers needed at once overlap').toBe(false);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('of a chain of equal buffers is that of two of them', () => {
    const views = Array.from({ length: 10 }, () => scratch('f32', [64]));
    const { bytes } = layOut(
      planOf(
        views,
        views.map((_, at) => (at === 0 ? [] : [at - 1])),
      ),
    );
    expect(bytes).toBe(2 * 4 * elementCount([64]));
  });
});

function overlaps(a: PlanBuffer, b: PlanBuffer, offsets: ReadonlyMap<PlanBuffer, number>): boolean {
  const [startA, startB] = [offsets.get(a)!, offsets.get(b)!];
  return startA < startB + b.bytes && startB < startA + a.bytes;
}
