import { describe, expect, it } from 'vitest';
import { benchTokenize } from './tokenize.js';

describe('bench tokenize', () => {
  it('measures both languages and both paths against the same work of the peer', async () => {
    const result = await benchTokenize({ json: true, megabytes: 0.05 });
    expect(result).toMatchObject({ name: 'tokenize', threads: 1, unit: 'MB/s' });
    expect(result.value).toBeGreaterThan(0);
    expect(result.peakMemoryMiB).toBeGreaterThan(0);
    expect(result.measurements.map(({ language, path }) => `${language} ${path}`)).toEqual([
      'English ids',
      'English offsets',
      'Korean ids',
      'Korean offsets',
    ]);
    const { ratio, ratioMin, ratioMax, runs } = result.against!;
    expect(runs).toBe(5);
    expect(ratioMin).toBeLessThanOrEqual(ratio);
    expect(ratio).toBeLessThanOrEqual(ratioMax);
  });
});
