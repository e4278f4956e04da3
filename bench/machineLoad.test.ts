import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LoadMeter } from './machineLoad.js';

const spin = (ms: number) => {
  for (const end = performance.now() + ms; performance.now() < end; );
};

describe.skipIf(!existsSync('/proc/stat'))('LoadMeter', () => {
  it('counts a busy process among the others, unless it is one of those that are measured', () => {
    const [without, within] = [new LoadMeter([process.pid]), new LoadMeter([])];
    spin(400);
    const difference = within.othersCores()! - without.othersCores()!;
    expect(difference).toBeGreaterThan(0.3); // near 1, on a machine with nothing else to do
    expect(difference).toBeLessThan(1.5); // threads of the test runner count too
  });
});
