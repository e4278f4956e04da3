import { describe, expect, it } from 'vitest';
import type { HubEvent } from '../hub/events.js';
import { hubView } from './hubView.js';
import { Output } from './output.js';

/** What a terminal of 100 columns is sent for these events, each two seconds after the one before. */
function shown(isTTY: boolean, ...events: HubEvent[]): { stdout: string[]; stderr: string[] } {
  const written = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => ({
    isTTY,
    columns: 100,
    write: (text: string) => {
      written[name] += text;
    },
  });
  let time = 0;
  const output = new Output({ json: false }, { stdout: stream('stdout'), stderr: stream('stderr') }, {});
  const view = hubView(output, () => time);
  for (const event of events) {
    view(event);
    time += 2000;
  }
  const lines = (text: string) => text.replaceAll('\r\x1b[2K', '\n').split('\n').filter(Boolean);
  return { stdout: lines(written.stdout), stderr: lines(written.stderr) };
}

const START: HubEvent = { type: 'start', file: 'w.bin', bytes: 20e6, resumedFrom: 4e6 };

describe('hubView', () => {
  it('shows a bar with the rate since the start, what was there before left out', () => {
    // 8 MB, 4 of them in 2 s: 2 MB/s, 12 MB left.
    const { stdout, stderr } = shown(true, START, { type: 'progress', file: 'w.bin', received: 8e6, bytes: 20e6 });
    expect(stdout).toEqual(['w.bin  20.0 MB', 'w.bin  ████████░░░░░░░░░░░░  40 % of 20.0 MB  2.0 MB/s  6 s left']);
    expect(stderr).toEqual([]);
  });

  it('shows no bar where the size is unknown', () => {
    const start: HubEvent = { type: 'start', file: 'w.bin', resumedFrom: 0 };
    const { stdout } = shown(true, start, { type: 'progress', file: 'w.bin', received: 8e6 });
    expect(stdout.at(-1)).toBe('w.bin  8.0 MB  4.0 MB/s');
  });

  it('writes to standard error, and without a terminal nothing else, what is worth knowing afterwards', () => {
    const { stdout, stderr } = shown(
      false,
      START,
      { type: 'progress', file: 'w.bin', received: 8e6, bytes: 20e6 },
      { type: 'retry', file: 'w.bin', reason: 'cdn: ECONNRESET', waitMs: 1000 },
      { type: 'waiting', file: 'w.bin' },
      { type: 'checking', file: 'w.bin', bytes: 20e6 },
      { type: 'done', file: 'w.bin', bytes: 20e6, elapsedMs: 9000 },
      { type: 'done', file: 'c.json', bytes: 413, elapsedMs: 20 },
      { type: 'cached', repository: 'a/b', commit: 'c'.repeat(40), reason: 'the network is down' },
      { type: 'note', text: 'a note' },
    );
    expect(stdout).toEqual([]);
    expect(stderr).toEqual([
      'w.bin: cdn: ECONNRESET; trying again in 1 s',
      'w.bin: another process is fetching it; waiting',
      'fetched w.bin: 20.0 MB in 9 s',
      'fetched c.json: 1 kB in 0 s',
      'a/b: using the cache (commit cccccccccccc), because the network is down',
      'a note',
    ]);
  });
});
