import { describe, expect, it } from 'vitest';
import { mergedSpans } from './spans.js';

describe('mergedSpans', () => {
  it('joins neighbouring positions and gives first and last of each span', () => {
    expect([...mergedSpans(Int32Array.of(3, 4, 5, 9, 11, 12))]).toEqual([3, 5, 9, 9, 11, 12]);
  });

  it('counts a repeated position once and has no span without a position', () => {
    expect([...mergedSpans(Int32Array.of(7, 3, 3, 4))]).toEqual([3, 4, 7, 7]);
    expect([...mergedSpans(new Int32Array(0))]).toEqual([]);
  });

  it('does not join across a token that may not be masked', () => {
    // [CLS] a b [SEP] c: positions 1, 2 and 4
    expect([...mergedSpans(Int32Array.of(1, 2, 4))]).toEqual([1, 2, 4, 4]);
  });
});
