/** Epochs of rows: every row once an epoch, rows of a step of similar length, the same for every division among ranks. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../random/philox.js';
import { countTokens } from '../training/stepFeeds.js';
import { epochBatches, orderByLength, type RowOrder } from './epochBatches.js';
import { batchesOfEpoch, batchSizes } from './tokenBatches.js';
import { finelyPadded, type PaddedRows, padRows, tokensOf } from './tokenRows.js';

/** Lengths as those of SQuAD at 384 tokens: about 170, now and then cut. */
function squadLike(count: number): number[] {
  const random = new RandomStream(5, 'test');
  return Array.from({ length: count }, () => Math.min(384, Math.max(30, Math.round(170 + 60 * random.normal()))));
}
const rowsOf = (lengths: readonly number[]) =>
  lengths.map((length, row) => ({ ids: new Int32Array(length).fill(row), typeIds: new Int32Array(length) }));

/** Rows are filled with their number. */
const dataOf = (lengths: readonly number[], order: RowOrder) =>
  epochBatches(rowsOf(lengths), {
    order,
    lengthOf: tokensOf,
    batchOf: (rows, length) => padRows(rows, 0, length),
  });
const rowsIn = ({ batchSize, length, inputIds }: PaddedRows) =>
  Array.from({ length: batchSize }, (_, row) => inputIds[row * length]);

const ALONE = { seed: 3, batchSize: 32, accumulation: 1, groupByLength: true, place: { rank: 0, size: 1 } };

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
      const data = dataOf(lengths, { ...ALONE, groupByLength: byLength });
      let [tokens, positions] = [0, 0];
      for (let step = 0; step < 375; step++) {
        const batch = data.batch(step, 0);
        tokens += countTokens(batch);
        positions += batch.batchSize * batch.length;
      }
      const counted = 1 - tokens / positions;
      // An epoch has 126 steps, and what is said of it is of all epochs.
      expect(data.padding()).toBeCloseTo(counted, 1);
      return counted;
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
    const order = { ...ALONE, batchSize: 12, accumulation: 2 };
    const alone = dataOf(lengths.slice(0, 333), order);
    const ranks = [0, 1, 2].map((rank) => dataOf(lengths.slice(0, 333), { ...order, place: { rank, size: 3 } }));
    for (const step of [0, 13, 14, 40]) {
      const whole = [0, 1].flatMap((microBatch) => rowsIn(alone.batch(step, microBatch)));
      expect(ranks.flatMap((each) => rowsIn(each.batch(step, 0)))).toEqual(whole);
    }
  });
});

describe('epochs by a budget of tokens', () => {
  const lengths = squadLike(2001);
  const byTokens = { ...ALONE, batchTokens: 2048 };
  const stepsOf = (own: readonly number[], batchTokens: number) =>
    batchSizes(own.map(finelyPadded), { batchTokens }).length;
  const steps = stepsOf(lengths, 2048);

  it('have every row once, as many batches whatever the seed, and none over the budget', () => {
    for (const seed of [1, 2]) {
      const data = dataOf(lengths, { ...byTokens, seed });
      for (const epoch of [0, 1]) {
        const batches = Array.from({ length: steps }, (_, i) => data.batch(epoch * steps + i, 0));
        for (const { batchSize, length } of batches) expect(batchSize * length).toBeLessThanOrEqual(2048);
        expect(batches.flatMap(rowsIn).sort((a, b) => a - b)).toEqual(lengths.map((_, row) => row));
      }
    }
  });

  it('hold for any lengths and budgets: every row once, nothing over the budget, no rest of a few rows', () => {
    const someLengths = fc.array(fc.integer({ min: 3, max: 120 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(someLengths, fc.integer({ min: 128, max: 3000 }), (own, batchTokens) => {
        const padded = own.map(finelyPadded);
        const sizes = batchSizes(padded, { batchTokens });
        const batches = batchesOfEpoch(padded, sizes, { seed: 1, epoch: 0 });
        expect(batches.flatMap((rows) => [...rows]).sort((a, b) => a - b)).toEqual(own.map((_, row) => row));
        for (const rows of batches) {
          const longest = Math.max(...Array.from(rows, (row) => padded[row]));
          expect(rows.length * longest).toBeLessThanOrEqual(batchTokens);
          if (sizes.length > 1)
            expect(rows.length).toBeGreaterThanOrEqual(Math.floor(Math.min(...sizes.slice(0, -1)) / 2));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('pad less than a tenth of the tokens of long rows and of short ones', () => {
    const short = Array.from({ length: 5000 }, (_, i) => 3 + ((i * 7919) % 23) + (i % 40 === 0 ? 30 : 0));
    const long = dataOf(lengths, byTokens);
    expect(long.padding()).toBeLessThan(0.1);
    expect(dataOf(short, { ...byTokens, batchTokens: 1024 }).padding()).toBeLessThan(0.1);
    // As counted on the batches themselves.
    const batches = Array.from({ length: steps }, (_, step) => long.batch(step, 0));
    const positions = batches.reduce((sum, { batchSize, length }) => sum + batchSize * length, 0);
    const tokens = batches.reduce((sum, batch) => sum + countTokens(batch), 0);
    expect(long.padding()).toBeCloseTo(1 - tokens / positions, 12);
  });

  it('are a pure function of seed and step: asked in any order, they are the same', () => {
    const inOrder = dataOf(lengths, byTokens);
    const first = Array.from({ length: 2 * steps }, (_, step) => rowsIn(inOrder.batch(step, 0)));
    const jumping = dataOf(lengths, byTokens);
    for (const step of [steps + 3, 0, 2 * steps - 1, steps - 1, steps]) {
      expect(rowsIn(jumping.batch(step, 0)), `step ${step}`).toEqual(first[step]);
    }
    expect(rowsIn(dataOf(lengths, { ...byTokens, seed: 4 }).batch(0, 0))).not.toEqual(first[0]);
    const sorted = (rows: number[][]) => rows.map((each) => [...each].sort((a, b) => a - b).join()).sort();
    expect(sorted(first.slice(0, steps))).not.toEqual(sorted(first.slice(steps)));
  });

  it.each([
    [1, 2],
    [1, 3],
    [2, 2],
    [2, 4],
    [3, 2],
    [4, 2],
    [6, 4],
  ])('%d micro-batches: %d ranks have the rows of one rank, padded alike and numbered alike', (accumulation, size) => {
    const order = { ...byTokens, accumulation };
    const alone = dataOf(lengths, order);
    const ranks = Array.from({ length: size }, (_, rank) => dataOf(lengths, { ...order, place: { rank, size } }));
    const numbered = ({ division, batch }: ReturnType<typeof dataOf>, step: number) =>
      Array.from({ length: division!(step, Infinity).microBatches }, (_, microBatch) => {
        const own = batch(step, microBatch);
        const first = division!(step, Infinity).firstRow(microBatch);
        return rowsIn(own).map((row, i) => ({ number: first + i, row, length: own.length }));
      }).flat();
    for (const step of [0, 1, Math.floor(steps / accumulation), 50]) {
      const whole = numbered(alone, step);
      expect(whole.map(({ number }) => number)).toEqual(whole.map((_, i) => i));
      const shared = ranks.flatMap((rank) => numbered(rank, step)).sort((a, b) => a.number - b.number);
      expect(shared).toEqual(whole);
    }
    expect(new Set(ranks.map(({ division }) => division!(0, Infinity).microBatches)).size).toBe(1);
  });

  it('need room for the longest row, one for each rank that shares a batch', () => {
    const least = finelyPadded(Math.max(...lengths));
    expect(() => dataOf(lengths, { ...byTokens, batchTokens: least - 1 })).toThrow(
      `batchTokens is ${least - 1}; expected at least ${least}, the tokens of the longest row`,
    );
    expect(() => dataOf(lengths, { ...byTokens, batchTokens: 512, place: { rank: 0, size: 2 } })).toThrow(
      `batchTokens is 512; expected at least ${2 * least}, the tokens of the longest row, one for each of 2 ranks`,
    );
    expect(() => batchSizes([8, 8], { batchTokens: 30, rowsOfExample: 4 })).toThrow(
      'batchTokens is 30; expected at least 32, the tokens of the longest row with 4 choices',
    );
    expect(() => batchSizes([8, 8], { batchTokens: 64, parts: 3 })).toThrow(
      'an epoch has a batch of 2 rows, which 3 ranks cannot share; start fewer ranks, or raise accumulation',
    );
  });
});
