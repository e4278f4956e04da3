import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CpuMeter, cpuMs } from './cpuMeter.js';

describe('CpuMeter', () => {
  it.skipIf(!existsSync('/proc/self/stat'))('agrees with what Node counts of its own process', () => {
    const meter = new CpuMeter(process.pid);
    const before = process.cpuUsage();
    const startedAt = performance.now();
    const used = () => {
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1000;
    };
    while (used() < 200);
    const cores = meter.coresBusy()!;
    const expected = used() / (performance.now() - startedAt);
    expect(Math.abs(cores / expected - 1)).toBeLessThan(0.2); // 200 ms in ticks of 10 ms
  });
  it('says nothing of a process that is not there', () => {
    expect(cpuMs(2 ** 22 + 1)).toBeUndefined(); // above Linux's greatest process number
  });
});
