import { describe, expect, it } from 'vitest';
import { dropoutFeeds, keepBytes } from './dropoutMasks.js';

describe('bytes that are kept', () => {
  it('are those that are not below the limit, for every byte, limit and place in a word', () => {
    const bytes = Uint8Array.from({ length: 1024 }, (_, i) => (i >> 2) + 37 * (i & 3));
    for (let limit = 0; limit < 256; limit++) {
      const kept = bytes.slice();
      keepBytes(new Uint32Array(kept.buffer), limit);
      expect([...kept], `limit ${limit}`).toEqual(Array.from(bytes, (byte) => (byte >= limit ? 1 : 0)));
    }
  });
});

describe('masks', () => {
  const draw = { seed: 5, step: 2, firstRow: 7 };
  const maskOf = (rows: number, width: number, from = draw) => {
    const sites = [{ input: 'keep', shape: ['batch', 'width'], rate: { drop256: 64 } }];
    const sizes = new Map(Object.entries({ batch: rows, width }));
    return dropoutFeeds(sites, sizes, from).keep.data as Uint8Array;
  };

  it.each([8, 9, 10, 11])("are each row's own, whichever rows stand beside it: rows of %i", (width) => {
    const all = maskOf(3, width);
    for (let row = 0; row < 3; row++) {
      expect(maskOf(1, width, { ...draw, firstRow: 7 + row })).toEqual(all.slice(row * width, (row + 1) * width));
    }
  });

  it('drop as often as they should', () => {
    const kept = maskOf(64, 1001).reduce((sum, keep) => sum + keep, 0) / (64 * 1001);
    expect(kept).toBeCloseTo(0.75, 2);
  });
});
