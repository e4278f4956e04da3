import { describe, expect, it } from 'vitest';
import { anyRank, fromFirst, gatherTexts, sumOverRanks, together } from './agreement.js';
import { ALONE, type Collective, PeerError } from './collective.js';
import { memoryCollectives } from './memoryCollective.js';

/** The outcome of `work` on each rank. */
function onRanks<T>(size: number, work: (collective: Collective) => Promise<T>) {
  return Promise.allSettled(memoryCollectives(size).map(work));
}
async function valuesOn<T>(size: number, work: (collective: Collective) => Promise<T>): Promise<T[]> {
  return Promise.all(memoryCollectives(size).map(work));
}

describe('ranks', () => {
  it('add up numbers, which then are the same on all', async () => {
    expect(await valuesOn(3, (ranks) => sumOverRanks(ranks, [ranks.rank, 1]))).toEqual([
      [3, 3],
      [3, 3],
      [3, 3],
    ]);
    expect(await sumOverRanks(ALONE, [4, 5])).toEqual([4, 5]);
  });

  it('add up in the order of ranks: float32 sums depend on it', async () => {
    // (1 + 2⁻²⁴) rounds to 1 and stays there; (2⁻²⁴ + 2⁻²⁴) first would give 1 + 2⁻²³.
    const parts = [1, 2 ** -24, 2 ** -24];
    const sums = await valuesOn(3, async (ranks) => {
      const values = Float32Array.of(parts[ranks.rank]);
      await ranks.allReduce(values);
      return values[0];
    });
    expect(sums).toEqual([1, 1, 1]);
  });

  it('agree that one of them wants something', async () => {
    expect(await valuesOn(3, (ranks) => anyRank(ranks, ranks.rank === 2))).toEqual([true, true, true]);
    expect(await valuesOn(3, (ranks) => anyRank(ranks, false))).toEqual([false, false, false]);
  });

  it('take over what rank 0 has, whatever it is', async () => {
    const value = { text: 'größer 한국어', list: [1, null], nested: { yes: true } };
    const took = await valuesOn(3, (ranks) => fromFirst(ranks, ranks.rank === 0 ? value : undefined));
    expect(took).toEqual([value, value, value]);
    expect(await valuesOn(2, (ranks) => fromFirst(ranks, ranks.rank === 0 ? undefined : 1))).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('learn a text of each', async () => {
    const texts = ['host-a', '', 'höst-ç'];
    expect(await valuesOn(3, (ranks) => gatherTexts(ranks, texts[ranks.rank]))).toEqual([texts, texts, texts]);
  });

  it('cannot go on when they disagree on what comes next', async () => {
    const outcomes = await onRanks(
      2,
      async (ranks): Promise<void> => (ranks.rank === 0 ? ranks.barrier() : ranks.allReduce(new Float32Array(3))),
    );
    for (const { status } of outcomes) expect(status).toBe('rejected');
  });
});

describe('work together', () => {
  it('gives each rank its own result', async () => {
    expect(await valuesOn(2, (ranks) => together(ranks, () => ranks.rank * 10))).toEqual([0, 10]);
  });

  it('fails on all ranks when it fails on one, with the reason, the rank and its machine', async () => {
    const outcomes = await onRanks(3, (ranks) =>
      together(ranks, () => {
        if (ranks.rank === 1) throw new Error('shards/ is not there');
      }),
    );
    const reasons = outcomes.map((outcome) => (outcome as PromiseRejectedResult).reason as Error);
    expect(reasons[1]).not.toBeInstanceOf(PeerError);
    expect(reasons[1].message).toBe('shards/ is not there');
    for (const rank of [0, 2]) {
      expect(reasons[rank]).toBeInstanceOf(PeerError);
      expect(reasons[rank].message).toBe('rank 1 (memory, process 0) failed: shards/ is not there');
    }
  });
});

describe('a rank that cannot go on', () => {
  it('ends what the others wait for and all that they call later', async () => {
    const [first, second] = memoryCollectives(2);
    const waiting = first.allReduce(new Float32Array(1));
    expect(first.waiting().members.map(({ rank }) => rank)).toEqual([1]);
    await second.fail('out of memory');
    await expect(waiting).rejects.toThrow('rank 1 (memory, process 0) failed: out of memory');
    await expect(first.barrier()).rejects.toThrow(PeerError);
  });
});
