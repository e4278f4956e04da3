import { describe, expect, it } from 'vitest';
import { gatherRows } from './kernels.js';

describe('rows by number', () => {
  // Below and above the width from which rows are copied as blocks.
  it.each([3, 20])('come in the order that is asked for, one after another or not (%i wide)', (width) => {
    const table = Float32Array.from({ length: 5 * width }, (_, i) => i);
    const ids = Int32Array.of(3, 4, 0, 1, 2, 2, 4);
    const out = new Float32Array(ids.length * width);
    gatherRows(5, width)([table, ids], [out]);
    const expected = [...ids].flatMap((id) => Array.from({ length: width }, (_, j) => id * width + j));
    expect([...out]).toEqual(expected);
  });

  it('that the table does not have are an error, also after rows that it has', () => {
    const table = new Float32Array(5 * 20);
    for (const ids of [[5], [-1], [3, 4, 5]]) {
      const out = new Float32Array(ids.length * 20);
      expect(() => gatherRows(5, 20)([table, Int32Array.from(ids)], [out]), `${ids}`).toThrow(/is none of the 5 rows/);
    }
  });
});
