import { describe, expect, it } from 'vitest';
import { parseDuration } from './durations.js';

describe('durations', () => {
  it('are a number and a unit', () => {
    expect(['90s', '10m', '1.5h', '500ms', ' 2 h '].map(parseDuration)).toEqual([
      90_000, 600_000, 5_400_000, 500, 7_200_000,
    ]);
    expect(['10', 'm', '-1s', '0m', '1d'].map(parseDuration)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
