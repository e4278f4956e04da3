import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LoadMeter } from './machineLoad.js';

describe.skipIf(!existsSync('/proc/stat'))('LoadMeter', () => {
  it('counts a busy process among the others, unless it is one of those that are measured', () => {
    const [without, within] = [new LoadMeter([process.pid]), new LoadMeter([])];
    const before = process.cpuUsage();
    const startedAt = performance.now();
    const usedMs = () => {
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1000;
    };
    while (usedMs() < 300);
    const difference = within.othersCores()! - without.othersCores()!;
    const expected = usedMs() / (performance.now() - startedAt);
    expect(Math.abs(difference / expected - 1)).toBeLessThan(0.2); // 300 ms in ticks of 10 ms
  });
});
