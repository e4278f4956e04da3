import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';

/** Keeps 20 MB and lets 400 MB outlive the young generation before they are dropped, as answers under load do; prints the heap's peak, MB. */
const LOAD = `
  const kept = Array.from({ length: 200_000 }, (_, i) => [i, i + 0.5]);
  const passing = new Array(40_000);
  let most = 0;
  for (let i = 0; i < 4_000_000; i++) {
    passing[i % passing.length] = [i, i + 0.5, {}];
    if (i % 10_000 === 0) most = Math.max(most, process.memoryUsage().heapUsed);
  }
  console.log(most / 1e6, kept.length);
`;

function peakMB(start: string): number {
  const words = ['--max-semi-space-size=1', '--input-type=module', '-e', `${start}\n${LOAD}`];
  return Number.parseFloat(execFileSync(process.execPath, words, { encoding: 'utf8' }));
}

it('keeps the heap of a process close to what it holds', () => {
  const early = peakMB("import { collectEarly } from './dist/src/cli/collectEarly.js'; collectEarly();");
  const usual = peakMB('');
  expect(early).toBeLessThan(0.8 * usual);
}, 60_000);
