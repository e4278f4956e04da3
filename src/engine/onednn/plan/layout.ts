/** Where the buffers between steps lie in one block of memory: two may share a place when they are never needed at once. */
import { type Plan, resolveAlias, stepOperands } from './plan.js';
import type { PlanBuffer } from './values.js';

/** A cache line; also what the library's kernels like their operands aligned to. */
export const ALIGNMENT = 64;

export interface Layout {
  /** First byte of each scratch or input buffer that owns its memory. */
  readonly offsets: ReadonlyMap<PlanBuffer, number>;
  readonly bytes: number;
}

/** Steps during which a buffer is needed, both included; −1 is before the first. */
interface Lifetime {
  from: number;
  to: number;
}

export function layOut(plan: Plan): Layout {
  const lifetimes = lifetimesOf(plan);
  const starting = new Map<number, PlanBuffer[]>();
  for (const [buffer, { from }] of lifetimes) starting.set(from, [...(starting.get(from) ?? []), buffer]);
  const block = new Block();
  const offsets = new Map<PlanBuffer, number>();
  let live: PlanBuffer[] = [];
  for (let at = -1; at <= plan.steps.length; at++) {
    const ended = live.filter((buffer) => lifetimes.get(buffer)!.to < at);
    for (const buffer of ended) block.free(offsets.get(buffer)!, roundUp(buffer.bytes));
    if (ended.length) live = live.filter((buffer) => lifetimes.get(buffer)!.to >= at);
    for (const buffer of starting.get(at) ?? []) {
      offsets.set(buffer, block.take(roundUp(buffer.bytes)));
      live.push(buffer);
    }
  }
  return { offsets, bytes: block.size };
}

function lifetimesOf({ steps, inputs, outputs, aliases }: Plan): Map<PlanBuffer, Lifetime> {
  const lifetimes = new Map<PlanBuffer, Lifetime>();
  const needed = (buffer: PlanBuffer, at: number) => {
    const root = resolveAlias(aliases, buffer);
    const { kind } = root.residence;
    if (kind !== 'scratch' && kind !== 'input') return;
    const lifetime = lifetimes.get(root);
    if (!lifetime) lifetimes.set(root, { from: at, to: at });
    else lifetime.to = Math.max(lifetime.to, at);
  };
  for (const { view } of inputs) needed(view.buffer, -1);
  for (const [at, step] of steps.entries()) {
    const { reads, writes } = stepOperands(step);
    for (const { view } of [...reads, ...writes]) needed(view.buffer, at);
  }
  for (const { view } of outputs) needed(view.buffer, steps.length);
  return lifetimes;
}

const roundUp = (bytes: number) => Math.ceil(Math.max(1, bytes) / ALIGNMENT) * ALIGNMENT;

/** Memory with gaps. The smallest gap that is large enough is taken, of equals the one that was freed last: it is in a cache. */
class Block {
  size = 0;
  /** Gaps in the order in which they were freed. */
  #gaps: { start: number; bytes: number }[] = [];

  take(bytes: number): number {
    let best = -1;
    for (const [i, gap] of this.#gaps.entries()) {
      if (gap.bytes >= bytes && (best < 0 || gap.bytes <= this.#gaps[best].bytes)) best = i;
    }
    if (best < 0) {
      const start = this.#endingGap(bytes);
      this.size = Math.max(this.size, start + bytes);
      return start;
    }
    const gap = this.#gaps[best];
    const { start } = gap;
    gap.start += bytes;
    gap.bytes -= bytes;
    if (gap.bytes === 0) this.#gaps.splice(best, 1);
    return start;
  }

  /** The start of a gap at the very end, which need only grow; the end where there is none. */
  #endingGap(bytes: number): number {
    const last = this.#gaps.findIndex((gap) => gap.start + gap.bytes === this.size);
    if (last < 0 || this.#gaps[last].bytes >= bytes) return this.size;
    return this.#gaps.splice(last, 1)[0].start;
  }

  free(start: number, bytes: number): void {
    let from = start;
    let to = start + bytes;
    this.#gaps = this.#gaps.filter((gap) => {
      if (gap.start + gap.bytes === from) from = gap.start;
      else if (gap.start === to) to = gap.start + gap.bytes;
      else return true;
      return false;
    });
    this.#gaps.push({ start: from, bytes: to - from });
  }
}
