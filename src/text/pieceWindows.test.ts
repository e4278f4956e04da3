import { expect, it } from 'vitest';
import { pieceWindows } from './pieceWindows.js';

it('judges every piece in one window, where at least an eighth of a window stands around it', () => {
  for (let length = 0; length < 200; length++) {
    for (const size of [1, 2, 3, 8, 30, 64]) {
      const windows = pieceWindows(length, size);
      const judged = windows.flatMap(({ keepFrom, keepTo }) =>
        Array.from({ length: keepTo - keepFrom }, (_, i) => keepFrom + i),
      );
      expect(judged, `${length} in ${size}`).toEqual([...Array(length).keys()]);
      for (const { from, to, keepFrom, keepTo } of windows) {
        expect(to - from).toBeLessThanOrEqual(size);
        const least = Math.floor(Math.floor(size / 4) / 2);
        if (from > 0) expect(keepFrom - from).toBeGreaterThanOrEqual(least);
        if (to < length) expect(to - keepTo).toBeGreaterThanOrEqual(least);
      }
    }
  }
  expect(pieceWindows(400, 300)).toEqual([
    { from: 0, to: 300, keepFrom: 0, keepTo: 268 },
    { from: 236, to: 400, keepFrom: 268, keepTo: 400 },
  ]);
});
