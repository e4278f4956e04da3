import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SettingsError } from '../errors/errors.js';
import { firstRowOf, stepShare } from './stepShare.js';

const share = (batchSize: number, accumulation: number, size: number, rank = 0) =>
  stepShare({ batchSize, accumulation }, { rank, size });

describe('the rows of a step', () => {
  it('are those of the settings on one rank', () => {
    expect(stepShare({ batchSize: 32, accumulation: 4 })).toEqual({ rank: 0, size: 1, rows: 32, microBatches: 4 });
  });

  it('are divided among ranks: accumulation first, then the micro-batch', () => {
    expect(share(32, 4, 2)).toMatchObject({ rows: 32, microBatches: 2 });
    expect(share(32, 4, 4)).toMatchObject({ rows: 32, microBatches: 1 });
    expect(share(32, 4, 8)).toMatchObject({ rows: 16, microBatches: 1 });
    // 64 rows a rank, at most 48 at once: 2 × 32.
    expect(share(48, 4, 3)).toMatchObject({ rows: 32, microBatches: 2 });
  });

  it('each belong to one rank and are no more at once than batchSize, whatever the numbers', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 12 }), (batchSize, accumulation) => {
        const rowsOfStep = batchSize * accumulation;
        for (let size = 1; size <= rowsOfStep; size++) {
          if (rowsOfStep % size !== 0) continue;
          const taken: number[] = [];
          for (let rank = 0; rank < size; rank++) {
            const own = share(batchSize, accumulation, size, rank);
            expect(own.rows).toBeLessThanOrEqual(batchSize);
            for (let micro = 0; micro < own.microBatches; micro++) {
              const first = firstRowOf(own, micro);
              for (let row = 0; row < own.rows; row++) taken.push(first + row);
            }
          }
          expect(taken.sort((a, b) => a - b)).toEqual(Array.from({ length: rowsOfStep }, (_, row) => row));
        }
      }),
      { numRuns: 30 },
    );
  });

  it('that do not divide are refused, with the numbers of ranks that would', () => {
    expect(() => share(32, 1, 3)).toThrow(SettingsError);
    expect(() => share(32, 1, 3)).toThrow(
      'a step has 32 rows (batchSize 32 × accumulation 1), which 3 ranks cannot share equally; start 2 or 4 ranks, or change accumulation',
    );
    expect(() => share(4, 2, 9)).toThrow('start 8 ranks');
  });
});
