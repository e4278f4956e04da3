import { describe, expect, it } from 'vitest';
import { BUCKET_BYTES, ethernet, fitLine, fitNetwork, type RankCosts, ringMs, stepCosts } from './costModel.js';

const costs: RankCosts = {
  compute: { start: 10, slope: 30 },
  updateMs: 50,
  normMs: 8,
  gradientBytes: 4 * BUCKET_BYTES,
  copyMs: 20,
};
const network = { bytesPerMs: BUCKET_BYTES, latencyMs: 0.5 };

describe('fitLine', () => {
  it('goes through points on a line, and between others', () => {
    const { start, slope } = fitLine([
      [1, 5],
      [2, 7],
      [4, 11],
    ]);
    expect([start, slope]).toEqual([3, 2]);
    expect(
      fitLine([
        [0, 1],
        [1, 1],
        [2, 4],
      ]),
    ).toEqual({ start: 0.5, slope: 1.5 });
  });
});

describe('a ring', () => {
  it('moves 2·(N−1)/N of the gradients and sends 2·(N−1) messages a bucket', () => {
    expect(ringMs(4 * BUCKET_BYTES, 1, network)).toBe(0);
    expect(ringMs(4 * BUCKET_BYTES, 2, network)).toBe(4 + 4 * 2 * 0.5);
    expect(ringMs(4 * BUCKET_BYTES, 8, network)).toBe((14 / 8) * 4 + 4 * 14 * 0.5);
  });
});

describe('a step', () => {
  it('of one rank has no exchange', () => {
    expect(stepCosts(costs, { ranks: 1, rowsOfStep: 16, mostRows: 8, network })).toEqual({
      computeMs: 2 * 10 + 16 * 30,
      updateMs: 58,
      exchangeMs: 0,
      totalMs: 558,
    });
  });
  it('of two ranks has half the rows, half the norm, copies, the ring and four meetings', () => {
    expect(stepCosts(costs, { ranks: 2, rowsOfStep: 16, mostRows: 8, network })).toEqual({
      computeMs: 10 + 8 * 30,
      updateMs: 54,
      exchangeMs: 20 + 8 + 4,
      totalMs: 250 + 54 + 32,
    });
  });
  it('costs no less than the update and the exchange, however many ranks there are', () => {
    const many = stepCosts(costs, { ranks: 1024, rowsOfStep: 1024, mostRows: 8, network: ethernet(100, 0.02) });
    expect(many.totalMs).toBeGreaterThan(50 + 20);
    expect(many.exchangeMs).toBeGreaterThan(4 * 2046 * 0.02);
  });
});

describe('fitNetwork', () => {
  it('finds again what times were made from', () => {
    const made = { bytesPerMs: 3e6, latencyMs: 0.04 };
    const measured = [1 << 10, 1 << 18, 1 << 20, BUCKET_BYTES, 4 * BUCKET_BYTES, 12 * BUCKET_BYTES].map((bytes) => ({
      bytes,
      ms: ringMs(bytes, 2, made) + bytes * 1e-6,
    }));
    const found = fitNetwork(measured, 1e-6);
    expect(found.bytesPerMs).toBeCloseTo(made.bytesPerMs, 0);
    expect(found.latencyMs).toBeCloseTo(made.latencyMs, 6);
  });
  it('gives a link of 10 Gbit/s 1 MB a millisecond', () => {
    expect(ethernet(10, 0.03)).toEqual({ bytesPerMs: 1e6, latencyMs: 0.03 });
  });
});
