import { expect, it } from 'vitest';
import { ribbons } from './ribbons.js';

it('gives overlapping windows different lanes and takes a lane again when it is free', () => {
  const windows = [
    { from: 0, to: 50, judgedFrom: 0, judgedTo: 40 },
    { from: 30, to: 80, judgedFrom: 40, judgedTo: 70 },
    { from: 60, to: 100, judgedFrom: 70, judgedTo: 100 },
  ];
  const found = ribbons(windows, 100, 200);
  expect(found.map(({ lane }) => lane)).toEqual([0, 1, 0]);
  expect(found[1]).toEqual({ lane: 1, x: 60, width: 100, judgedX: 80, judgedWidth: 60 });
});

it('draws nothing of an empty text', () => {
  expect(ribbons([{ from: 0, to: 0, judgedFrom: 0, judgedTo: 0 }], 0, 200)[0].width).toBe(0);
});
