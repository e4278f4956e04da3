/** Adds up the scalar outputs of an objective's graphs, and the counts that they are over. */
import type { Tensors } from '../engine/engine.js';
import { addCounts, type LossCounts, type LossTotals, type Objective } from './objective.js';

/** Which sums and counts an objective has, in a fixed order. */
export interface MeterLayout {
  readonly sums: readonly string[];
  readonly losses: readonly string[];
}

export function meterLayout({ losses, counters = [] }: Pick<Objective, 'losses' | 'counters'>): MeterLayout {
  const names = losses.map(({ name }) => name);
  return { sums: [...names.flatMap((name) => [`${name}LossSum`, `${name}Correct`]), ...counters], losses: names };
}

export class LossMeter implements LossTotals {
  readonly #sums = new Map<string, number>();
  #counts: LossCounts = {};
  #tokens = 0;

  constructor(readonly layout: MeterLayout) {}

  /** @param tokens  what is no padding */
  add(outputs: Tensors, counts: LossCounts, tokens: number): void {
    for (const name of this.layout.sums) {
      const value = outputs[name]?.data[0];
      if (value === undefined) continue;
      this.#sums.set(name, (this.#sums.get(name) ?? 0) + value);
    }
    this.#counts = addCounts(this.#counts, counts);
    this.#tokens += tokens;
  }

  /** All that was added up, as numbers: those of several meters, added up, are the totals of one meter that saw everything. */
  get totals(): number[] {
    const { sums, losses } = this.layout;
    const pairs = sums.flatMap((name) => [this.#sums.get(name) ?? 0, this.#sums.has(name) ? 1 : 0]);
    return [...pairs, ...losses.map((loss) => this.#counts[loss] ?? 0), this.#tokens];
  }

  static of(layout: MeterLayout, totals: ArrayLike<number>): LossMeter {
    const meter = new LossMeter(layout);
    const { sums, losses } = layout;
    for (const [i, name] of sums.entries()) if (totals[2 * i + 1] > 0) meter.#sums.set(name, totals[2 * i]);
    const counts = 2 * sums.length;
    meter.#counts = Object.fromEntries(losses.map((loss, i) => [loss, totals[counts + i]]));
    meter.#tokens = totals[counts + losses.length];
    return meter;
  }

  merge(other: LossMeter): void {
    for (const [name, value] of other.#sums) this.#sums.set(name, (this.#sums.get(name) ?? 0) + value);
    this.#counts = addCounts(this.#counts, other.#counts);
    this.#tokens += other.#tokens;
  }

  sum(name: string): number | undefined {
    return this.#sums.get(name);
  }

  count(loss: string): number {
    return this.#counts[loss] ?? 0;
  }

  get tokens(): number {
    return this.#tokens;
  }

  /** Whether every sum is a finite number. */
  get isFinite(): boolean {
    return [...this.#sums.values()].every(Number.isFinite);
  }

  get isEmpty(): boolean {
    return this.#sums.size === 0;
  }
}
