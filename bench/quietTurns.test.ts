import { expect, test } from 'vitest';
import { quietTurns, turnsThatCount } from './quietTurns.js';

test('turns that met other processes do not count, unless there are no others', () => {
  const turns = [0.05, 0.9, 0.02].map((load, value) => ({ value, load }));
  expect(turnsThatCount(turns, 0.1)).toEqual({ counted: [0, 2], quiet: 2, othersCores: { median: 0.035, most: 0.05 } });
  expect(turnsThatCount(turns, 0.01)).toMatchObject({ counted: [0, 1, 2], quiet: 0 });
});

test('there is always a turn, and no more than are wanted', async () => {
  let taken = 0;
  const take = async () => ++taken;
  const pids = [process.pid];
  expect((await quietTurns({ turns: 3, mostLoad: 100, minutes: 1, pids }, take)).counted).toEqual([1, 2, 3]);
  expect(await quietTurns({ turns: 3, mostLoad: -1, minutes: 0, pids }, take)).toMatchObject({ taken: 1, quiet: 0 });
});
