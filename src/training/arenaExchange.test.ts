import { describe, expect, it } from 'vitest';
import { ALONE } from '../collective/collective.js';
import { memoryCollectives } from '../collective/memoryCollective.js';
import type { EngineState } from '../engine/engine.js';
import { createInterpreterEngine } from '../engine/interpreterEngine.js';
import { ArenaExchange, partOf, pieces } from './arenaExchange.js';

/** More than three buckets, so that each is used again. */
const LENGTH = 3_500_000;

async function stateOf(rank: number): Promise<EngineState> {
  const state = await createInterpreterEngine().createState({ arenas: { values: LENGTH }, slots: new Map() });
  await state.write(
    'values',
    Float32Array.from({ length: LENGTH }, (_, i) => (rank + 1) * (i % 1000)),
  );
  return state;
}

describe('an exchange of arenas', () => {
  it('adds up ranges over ranks and leaves the rest alone', async () => {
    const ranges = [
      { start: 10, end: 20 },
      { start: 1000, end: LENGTH - 5 },
    ];
    const sums = await Promise.all(
      memoryCollectives(2).map(async (collective) => {
        const state = await stateOf(collective.rank);
        await new ArenaExchange(collective, state).sum('values', ranges);
        return state.read('values');
      }),
    );
    for (const [rank, values] of sums.entries()) {
      const isIn = (i: number) => ranges.some(({ start, end }) => i >= start && i < end);
      const wrong = values.findIndex((value, i) => value !== (isIn(i) ? 3 : rank + 1) * (i % 1000));
      expect(wrong, `rank ${rank}`).toBe(-1);
    }
  });

  it('takes over the arenas of rank 0', async () => {
    const taken = await Promise.all(
      memoryCollectives(3).map(async (collective) => {
        const state = await stateOf(collective.rank);
        await new ArenaExchange(collective, state).takeFirst(['values']);
        return state.read('values');
      }),
    );
    for (const values of taken) expect(values.every((value, i) => value === i % 1000)).toBe(true);
  });

  it('works with an engine that only makes copies of its own', async () => {
    const sums = await Promise.all(
      memoryCollectives(2).map(async (collective) => {
        const state = await stateOf(collective.rank);
        const copying: EngineState = {
          layout: state.layout,
          read: (arena, start, end) => state.read(arena, start, end),
          write: (arena, data, start) => state.write(arena, data, start),
          release: () => state.release(),
        };
        await new ArenaExchange(collective, copying).sum('values', [{ start: 0, end: 1000 }]);
        return state.read('values', 999, 1001);
      }),
    );
    expect(sums.map((values) => [...values])).toEqual([
      [3 * 999, 0],
      [3 * 999, 0],
    ]);
  });

  it('ends with the error of a rank that cannot go on, with all its buckets at rest', async () => {
    const [first, second] = memoryCollectives(2);
    const exchange = new ArenaExchange(first, await stateOf(0));
    const waiting = exchange.sum('values', [{ start: 0, end: LENGTH }]);
    await second.fail('gone');
    await expect(waiting).rejects.toThrow('rank 1 (memory, process 0) failed: gone');
  });

  it('does nothing for one rank', async () => {
    const state = await stateOf(0);
    state.read = () => Promise.reject(new Error('it was read'));
    await new ArenaExchange(ALONE, state).sum('values', [{ start: 0, end: 10 }]);
  });
});

describe('pieces', () => {
  it('are ranges cut to a size, and each rank has its part of them', () => {
    const list = pieces(
      [
        { start: 0, end: 5 },
        { start: 8, end: 10 },
      ],
      2,
    );
    expect(list.map(({ start, end }) => [start, end])).toEqual([
      [0, 2],
      [2, 4],
      [4, 5],
      [8, 10],
    ]);
    const parts = [0, 1, 2].map((rank) => partOf(list, { rank, size: 3 }).length);
    expect(parts).toEqual([1, 1, 2]);
  });
});
