import { describe, expect, it } from 'vitest';
import type { Initializer } from '../training/objective.js';
import { initializeParameter } from './initialize.js';

const make = (initializer: Initializer, shape = [200, 100], name = 'dense.weight', seed = 1) =>
  initializeParameter({ name, shape, initializer }, { seed, initializerRange: 0.02 });

function moments(values: Float32Array) {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance), largest: values.reduce((most, x) => Math.max(most, Math.abs(x)), 0) };
}

describe('starting values', () => {
  it('are zeros or ones where asked', () => {
    expect([...make('zeros', [3])]).toEqual([0, 0, 0]);
    expect([...make('ones', [3])]).toEqual([1, 1, 1]);
  });

  it('of a truncated normal lie within two deviations and spread as one that is cut there', () => {
    // Standard deviation of a normal cut at ±2: 0.8796 of the uncut one.
    const { mean, deviation, largest } = moments(make('truncatedNormal'));
    expect(largest).toBeLessThanOrEqual(Math.fround(0.04));
    expect(Math.abs(mean)).toBeLessThan(5e-4);
    expect(Math.abs(deviation / 0.02 - 0.8796)).toBeLessThan(0.02);
  });

  it('of a normal are not cut', () => {
    const { deviation, largest } = moments(make('normal'));
    expect(Math.abs(deviation / 0.02 - 1)).toBeLessThan(0.02);
    expect(largest).toBeGreaterThan(0.06);
  });

  it('of Glorot are uniform within √(6/(fan in + fan out))', () => {
    const { deviation, largest } = moments(make('glorotUniform'));
    const limit = Math.sqrt(6 / 300);
    expect(largest).toBeLessThanOrEqual(limit);
    expect(Math.abs(deviation / (limit / Math.sqrt(3)) - 1)).toBeLessThan(0.02);
  });

  it('depend on seed and name alone', () => {
    expect(make('normal', [8])).toEqual(make('normal', [8]));
    expect(make('normal', [8], 'other.weight')).not.toEqual(make('normal', [8]));
    expect(make('normal', [8], 'dense.weight', 2)).not.toEqual(make('normal', [8]));
  });
});
