/** Epochs of rows: every row once an epoch, rows of a step of similar length, the same for every division among ranks. */
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../random/philox.js';
import { countTokens } from '../training/stepFeeds.js';
import { stepShare } from '../training/stepShare.js';
import { epochBatches, orderByLength } from './epochBatches.js';
import { padRows, tokensOf } from './tokenRows.js';

/** Lengths as those of SQuAD at 384 tokens: about 170, now and then cut. */
function squadLike(count: number): number[] {
  const random = new RandomStream(5, 'test');
  return Array.from({ length: count }, () => Math.min(384, Math.max(30, Math.round(170 + 60 * random.normal()))));
}
const rowsOf = (lengths: readonly number[]) =>
  lengths.map((length, row) => ({ ids: new Int32Array(length).fill(row), typeIds: new Int32Array(length) }));

describe('epochs by length', () => {
  const lengths = squadLike(4001);

  it.each([1, 7, 32, 4001, 5000])('have every row once, with %d rows a step', (rowsOfStep) => {
    for (const epoch of [0, 1, 2]) {
      const order = orderByLength(lengths, { seed: 3, epoch, rowsOfStep });
      expect([...order].sort((a, b) => a - b)).toEqual(lengths.map((_, row) => row));
    }
  });

  it('pad less than a tenth of the tokens, where rows of any length are padded by a third', () => {
    const padding = (byLength: boolean) => {
      const share = stepShare({ batchSize: 32, accumulation: 1 });
      const data = epochBatches(rowsOf(lengths), {
        seed: 3,
        share,
        byLength,
        lengthOf: tokensOf,
        batchOf: (rows) => padRows(rows, 0),
      });
      let [tokens, positions] = [0, 0];
      for (let step = 0; step < 375; step++) {
        const batch = data.batch(step, 0) as ReturnType<typeof padRows>;
        tokens += countTokens(batch);
        positions += batch.batchSize * batch.length;
      }
      return 1 - tokens / positions;
    };
    expect(padding(true)).toBeLessThan(0.1);
    expect(padding(false)).toBeGreaterThan(0.3);
  });

  it('differ from epoch to epoch and from seed to seed, and not otherwise', () => {
    const order = (seed: number, epoch: number) => [...orderByLength(lengths, { seed, epoch, rowsOfStep: 32 })];
    expect(order(1, 0)).toEqual(order(1, 0));
    expect(order(1, 0)).not.toEqual(order(1, 1));
    expect(order(1, 0)).not.toEqual(order(2, 0));
    // Rows that were together in a step are not together again.
    const stepOf = (rows: number[]) => new Map(rows.map((row, at) => [row, Math.floor(at / 32)]));
    const [first, second] = [stepOf(order(1, 0)), stepOf(order(1, 1).slice(31))];
    const partners = lengths
      .map((_, row) => row)
      .filter((row) => row > 0 && first.get(row) === first.get(row - 1) && second.get(row) === second.get(row - 1));
    expect(partners.length).toBeLessThan(50);
  });

  it('do not go short to long', () => {
    const order = orderByLength(lengths, { seed: 3, epoch: 0, rowsOfStep: 32 });
    const steps = Array.from({ length: 125 }, (_, step) => lengths[order[step * 32]]);
    const rising = steps.slice(1).filter((length, i) => length > steps[i]).length;
    expect(rising).toBeGreaterThan(45);
    expect(rising).toBeLessThan(80);
  });

  it('give ranks and micro-batches the rows that one rank has in order', () => {
    const rows = rowsOf(lengths.slice(0, 333));
    const batchOf = (own: readonly { ids: Int32Array }[]) => own.map(({ ids }) => ids[0]);
    const settings = { batchSize: 12, accumulation: 2 };
    const data = (rank: number, size: number) => {
      const share = stepShare(settings, { rank, size });
      const order = { seed: 3, share, byLength: true, lengthOf: tokensOf };
      // biome-ignore lint/suspicious/noExplicitAny: batches are row numbers here
      return { share, batches: epochBatches(rows, { ...order, batchOf: batchOf as any }) };
    };
    const alone = data(0, 1);
    const ranks = [0, 1, 2].map((rank) => data(rank, 3));
    for (const step of [0, 13, 14, 40]) {
      const whole = [0, 1].flatMap((microBatch) => alone.batches.batch(step, microBatch) as unknown as number[]);
      const shared = Array.from({ length: ranks[0].share.microBatches }, (_, microBatch) =>
        ranks.flatMap(({ batches }) => batches.batch(step, microBatch) as unknown as number[]),
      ).flat();
      expect(shared).toEqual(whole);
    }
  });
});
