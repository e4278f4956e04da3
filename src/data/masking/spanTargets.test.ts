import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergedSpans } from './spans.js';
import { type SpanTargetSettings, spanTargets } from './spanTargets.js';

const [PAD, CLS, SEP] = [0, 2, 3];
const SPECIAL = { clsId: CLS, sepId: SEP };
const REFERENCE: SpanTargetSettings = { maxSpanTargets: 15, endpoints: 'external', edgeSpans: 'drop' };

/** Rows of the same length, [CLS] text [SEP] padding; the text counts up from 100 times the row + 10. */
function rows(length: number, texts: readonly number[], masked: readonly (readonly number[])[], padding = 0) {
  const inputIds = Int32Array.from(
    texts.flatMap((tokens, row) => [
      CLS,
      ...Array.from({ length: tokens }, (_, i) => 100 * row + 10 + i),
      SEP,
      ...Array(length - tokens - 2).fill(PAD),
    ]),
  );
  const positions = masked.flatMap((of, row) => of.map((position) => row * length + position));
  return {
    inputIds,
    maskedPositions: Int32Array.from([...positions, ...Array(padding).fill(0)]),
    maskedWeights: Float32Array.from([...positions.map(() => 1), ...Array(padding).fill(0)]),
  };
}

/** The real targets, one [left, right, offset, id] each. */
function targetsOf(batch: ReturnType<typeof rows>, settings: Partial<SpanTargetSettings> = {}) {
  const { left, right, offsets, ids, weights } = spanTargets(batch, SPECIAL, { ...REFERENCE, ...settings });
  const count = weights.reduce((sum, weight) => sum + weight, 0);
  expect([...weights]).toEqual(Array.from(weights, (_, i) => (i < count ? 1 : 0)));
  return Array.from({ length: count }, (_, i) => [left[i], right[i], offsets[i], ids[i]]);
}

describe('span targets', () => {
  it("are those of the book's sentence: x7 of the span x6..x9 comes from x5, x10 and the second position", () => {
    // [CLS] You are expected to know the laws of your country [SEP]: x1 … x10.
    const batch = rows(12, [10], [[6, 7, 8, 9]]);
    expect(targetsOf(batch)).toEqual([
      [5, 10, 0, 15],
      [5, 10, 1, 16],
      [5, 10, 2, 17],
      [5, 10, 3, 18],
    ]);
  });

  it('take neighbouring masked tokens for one span, whatever scheme masked them', () => {
    expect(targetsOf(rows(12, [10], [[2, 3, 4, 7]]))).toEqual([
      [1, 5, 0, 11],
      [1, 5, 1, 12],
      [1, 5, 2, 13],
      [6, 8, 0, 16],
    ]);
  });

  it('leave out spans beside [CLS] or [SEP], or take these as boundaries, as asked', () => {
    const batch = rows(12, [10], [[1, 2, 5, 10]]);
    expect(targetsOf(batch)).toEqual([[4, 6, 0, 14]]);
    expect(targetsOf(batch, { edgeSpans: 'special' })).toEqual([
      [0, 3, 0, 10],
      [0, 3, 1, 11],
      [4, 6, 0, 14],
      [9, 11, 0, 19],
    ]);
  });

  it('see the [SEP] between two segments', () => {
    const batch = rows(12, [10], [[4, 6, 8]]);
    batch.inputIds[5] = SEP;
    expect(targetsOf(batch)).toEqual([[7, 9, 0, 17]]);
  });

  it('can have the span itself as its end points, edges or not', () => {
    const batch = rows(12, [10], [[1, 2, 5]]);
    expect(targetsOf(batch, { endpoints: 'internal' })).toEqual([
      [1, 2, 0, 10],
      [1, 2, 1, 11],
      [5, 5, 0, 14],
    ]);
  });

  it('stop where the position table does', () => {
    const batch = rows(12, [10], [[2, 3, 4, 5, 6]]);
    expect(targetsOf(batch, { maxSpanTargets: 3 }).map(([, , offset]) => offset)).toEqual([0, 1, 2]);
  });

  it('of several rows follow one another and never cross a row; padding slots have none', () => {
    const batch = rows(6, [4, 2], [[2, 3], [1]], 3);
    expect(targetsOf(batch, { edgeSpans: 'special' })).toEqual([
      [1, 4, 0, 11],
      [1, 4, 1, 12],
      [6, 8, 0, 110],
    ]);
    expect(spanTargets(batch, SPECIAL, REFERENCE).left).toHaveLength(6);
  });

  it('are none when nothing has two boundaries: one long span, or one token alone', () => {
    expect(targetsOf(rows(8, [6], [[1, 2, 3, 4, 5, 6]]))).toEqual([]);
    expect(targetsOf(rows(8, [1], [[1]]))).toEqual([]);
    expect(targetsOf(rows(8, [0], [[]]))).toEqual([]);
  });

  it('always say what stood there, from boundaries that are not masked', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 20 })),
        fc.constantFrom('drop', 'special'),
        (set, edgeSpans) => {
          const masked = [...set].sort((a, b) => a - b);
          const batch = rows(22, [20], [masked]);
          const targets = targetsOf(batch, { edgeSpans });
          for (const [left, right, offset, id] of targets) {
            expect(masked).not.toContain(left);
            expect(masked).not.toContain(right);
            expect(batch.inputIds[left + 1 + offset]).toBe(id);
            expect(left + 1 + offset).toBeLessThan(right);
          }
          const spans = mergedSpans(masked);
          if (edgeSpans === 'special' && spans.length > 0 && masked.length <= 15)
            expect(targets).toHaveLength(masked.length);
        },
      ),
      { seed: 4, numRuns: 200 },
    );
  });
});
