/**
 * The state of an engine across ranks: gradients are added up, and rank 0's values taken over. Values pass through a few
 * buckets of shared memory, so that while the ranks exchange one, the engine's thread fills the next and empties the last.
 */
import type { Collective } from '../collective/collective.js';
import type { EngineState } from '../engine/engine.js';

export interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * Elements of a bucket: 4 MiB. A second-level cache or one share of the third holds it, from the engine's copy to the
 * exchange and back. Measured between two ranks of one machine, 14 million floats at once take 26 ms and in buckets
 * of 2²⁰ elements 6 ms; of 2²¹ it is 60 ms, as the caches overflow.
 */
const BUCKET = 1 << 20;
/** One that is filled, one that is exchanged, one that is emptied. */
const BUCKETS = 3;

export class ArenaExchange {
  readonly #buckets: { memory: Float32Array; free: Promise<void> }[] = [];

  constructor(
    private readonly collective: Collective,
    private readonly state: EngineState,
  ) {}

  /** Replaces ranges of an arena by their sums over all ranks. */
  async sum(arena: string, ranges: readonly Range[]): Promise<void> {
    await this.#forEachBucket(arena, ranges, (values) => this.collective.allReduce(values));
  }

  /** Replaces whole arenas by those of rank 0. */
  async takeFirst(arenas: readonly string[]): Promise<void> {
    for (const arena of arenas) {
      const end = this.state.layout.arenas[arena];
      await this.#forEachBucket(arena, [{ start: 0, end }], (values) => this.collective.broadcast(values));
    }
  }

  async #forEachBucket(
    arena: string,
    ranges: readonly Range[],
    exchange: (values: Float32Array) => Promise<void>,
  ): Promise<void> {
    if (this.collective.size === 1) return;
    const { state } = this;
    for (const [index, { start, end }] of pieces(ranges, BUCKET).entries()) {
      const bucket = this.#bucket(index);
      await bucket.free;
      const values = bucket.memory.subarray(0, end - start);
      const read = await state.read(arena, start, end, values);
      if (read !== values) values.set(read); // of a driver that makes copies of its own only
      // Not awaited here: the next bucket is filled meanwhile. Exchanges begin in the order of pieces on every rank.
      bucket.free = exchange(values).then(() => state.write(arena, values, start));
      bucket.free.catch(() => {}); // awaited below or before the bucket's next use
    }
    await Promise.all(this.#buckets.map(({ free }) => free));
  }

  #bucket(index: number) {
    const at = index % BUCKETS;
    this.#buckets[at] ??= {
      memory: new Float32Array(new SharedArrayBuffer(BUCKET * Float32Array.BYTES_PER_ELEMENT)),
      free: Promise.resolve(),
    };
    return this.#buckets[at];
  }
}

/** Ranges cut to at most `size` elements, in order. */
export function pieces<T extends Range>(ranges: readonly T[], size: number): T[] {
  return ranges.flatMap((range) =>
    Array.from({ length: Math.ceil((range.end - range.start) / size) }, (_, index) => ({
      ...range,
      start: range.start + index * size,
      end: Math.min(range.end, range.start + (index + 1) * size),
    })),
  );
}

/** The part of a list that a rank takes: neighbours, as equal in number as can be, all ranks together the whole list. */
export function partOf<T>(list: readonly T[], { rank, size }: { rank: number; size: number }): readonly T[] {
  return list.slice(Math.floor((list.length * rank) / size), Math.floor((list.length * (rank + 1)) / size));
}
