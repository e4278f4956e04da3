import { describe, expect, it } from 'vitest';
import { Output } from './output.js';

function streams(isTTY: boolean) {
  const written = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => ({
    isTTY,
    columns: 20,
    write: (text: string) => {
      written[name] += text;
    },
  });
  return { written, streams: { stdout: stream('stdout'), stderr: stream('stderr') } };
}

describe('Output', () => {
  it('keeps progress off standard output with --json', () => {
    const { written, streams: to } = streams(false);
    const output = new Output({ json: true }, to, {});
    output.line('working');
    output.json({ answer: 42 });
    expect(written).toEqual({ stdout: '{"answer":42}\n', stderr: 'working\n' });
  });

  it('keeps notes off standard output always, and clears the status line before one', () => {
    const { written, streams: to } = streams(true);
    const output = new Output({ json: false }, to, {});
    output.status('half');
    output.note('again in 2 s');
    expect(written).toEqual({ stdout: '\r\x1b[2Khalf\r\x1b[2K', stderr: 'again in 2 s\n' });
  });

  it('breaks lines between words at the width of a terminal, and nowhere else', () => {
    const long = '  a text of more than twenty columns, 한국어';
    for (const [isTTY, expected] of [
      [true, '  a text of more\n    than twenty\n    columns, 한국어\n'],
      [false, `${long}\n`],
    ] as const) {
      const { written, streams: to } = streams(isTTY);
      const output = new Output({ json: false }, to, { NO_COLOR: '1' });
      output.line(long);
      output.note(long);
      expect(written).toEqual({ stdout: expected, stderr: expected });
    }
  });

  it('prints no JSON without --json', () => {
    const { written, streams: to } = streams(false);
    const output = new Output({ json: false }, to, {});
    output.line('result');
    output.json({ answer: 42 });
    expect(written).toEqual({ stdout: 'result\n', stderr: '' });
  });

  it('shows a status line on a terminal only, cut to its width, and clears it before the next line', () => {
    const plain = streams(false);
    new Output({ json: false }, plain.streams, {}).status('step 1');
    expect(plain.written.stdout).toBe('');
    const live = streams(true);
    const output = new Output({ json: false }, live.streams, {});
    output.status('step 1 of a very long run');
    output.line('done');
    expect(live.written.stdout).toBe('\r\x1b[2Kstep 1 of a very l…\r\x1b[2Kdone\n');
  });

  it('colours on a terminal only, and never when NO_COLOR is set', () => {
    const styled = (isTTY: boolean, environment: Record<string, string>) =>
      new Output({ json: false }, streams(isTTY).streams, environment).style('a', 'red');
    expect(styled(true, {})).toBe('\x1b[31ma\x1b[39m');
    expect(styled(true, { NO_COLOR: '1' })).toBe('a');
    expect(styled(true, { TERM: 'dumb' })).toBe('a');
    expect(styled(false, {})).toBe('a');
  });
});
