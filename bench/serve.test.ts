/** The load script for a few seconds: what is counted, and nothing that is timed. `npm test` builds the server first. */
import { afterAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../src/checkpoint/testCheckpoints.js';
import { saveTestModel } from '../src/serving/testServing.js';
import { benchServe, describeServe } from './serve.js';

const temporary = temporaryFolder('bench-serve');
afterAll(() => temporary.remove());

describe('a server under load', () => {
  it('loses nothing, answers each its own, and answers what it has accepted after SIGTERM', async () => {
    const model = await saveTestModel(`${temporary.path}/encoder`, 'encoder');
    const sizes = { seconds: 0.3, turns: 1, threads: 1, overload: 2, troubles: 10, peer: false };
    const computing = { engine: 'auto', precision: 'auto' } as const;
    const result = await benchServe({ model, ...sizes, ...computing });
    expect(result.overload).toMatchObject({
      lost: 0,
      wrong: 0,
      cancelled: 10,
      oversized: 10,
      malformed: 10,
      exitCode: 0,
    });
    expect(result.overload!.answered).toBeGreaterThan(0);
    expect(result.workloads.map(({ name, pieces: { least, most, leftOut } }) => [name, least, most, leftOut])).toEqual([
      ['random words', expect.any(Number), expect.any(Number), expect.any(Number)],
    ]);
    expect(result.latencies.map(({ clients }) => clients)).toEqual([1, 8, 32, 128]);
    expect(describeServe(result)).toHaveLength(10);
  });
});
