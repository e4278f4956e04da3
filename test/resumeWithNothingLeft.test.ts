/** The case resume-with-nothing-left: runs that are resumed with nothing left to train, on the command line. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareTinyShards } from './tinyShards.js';

const CLI = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
// A blank in its name: the command that is printed must work all the same.
const folder = mkdtempSync(join(tmpdir(), 'nothing left-'));
const at = (name: string) => join(folder, name);
const SMALL = ['--size', 'tiny', '--batch-size', '4', '--length', '32', '--engine', 'onnxruntime', '--threads', '1'];

interface Ended {
  readonly code: number | null;
  readonly stderr: string;
  readonly json: {
    readonly steps: number;
    readonly trainedSteps: number;
    readonly nothingTrained?: { readonly reason: string; readonly message: string; readonly advice: string };
    readonly interrupted: boolean;
    readonly weightsSha256: string;
    readonly checkpoint: string;
    readonly elapsedMs: number;
  };
}

function pleiad(words: readonly string[], onOutput: (child: ChildProcess, text: string) => void = () => {}) {
  const child = spawn(process.execPath, [CLI, ...words, '--json'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    onOutput(child, text);
  });
  return new Promise<Ended>((resolve) => {
    child.on('close', (code) =>
      resolve({ code, stderr, json: JSON.parse(stdout.trimEnd().split('\n').at(-1) || 'null') }),
    );
  });
}
const begin = (out: string, ...words: string[]) =>
  pleiad(['pretrain', '--data', at('shards'), '--out', at(out), ...SMALL, ...words]);
const resume = (out: string, ...words: string[]) => pleiad(['pretrain', '--resume', '--out', at(out), ...words]);

/** The words of the command that an advice prints in backticks. */
function commandIn(advice: string): string[] {
  const [, command] = /`pleiad ([^`]+)`/.exec(advice)!;
  return [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain);
}

beforeAll(() => prepareTinyShards(folder));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a run that is resumed with nothing left to train', () => {
  let begun: Ended;
  beforeAll(async () => {
    begun = await begin('r', '--steps', '6');
    expect(begun.code, begun.stderr).toBe(0);
  });

  it('says that no step was trained, in words and in a field, and prints a command that trains some', async () => {
    expect(begun.json).toMatchObject({ steps: 6, trainedSteps: 6 });
    expect(begun.json).not.toHaveProperty('nothingTrained');
    const again = await resume('r');
    const { steps, trainedSteps, nothingTrained, weightsSha256 } = again.json;
    expect({ code: again.code, steps, trainedSteps, weightsSha256 }).toEqual({
      code: 0,
      steps: 6,
      trainedSteps: 0,
      weightsSha256: begun.json.weightsSha256,
    });
    expect(nothingTrained).toMatchObject({
      reason: 'steps',
      message: 'No step was trained: all 6 steps of the run are done',
    });
    expect(again.stderr).toContain('No step was trained: all 6 steps of the run are done. `pleiad pretrain --resume');
    expect(again.stderr).toContain('0 steps trained now; in all 6 steps');

    const more = await pleiad(commandIn(nothingTrained!.advice));
    expect(more.code, more.stderr).toBe(0);
    expect(more.json).toMatchObject({ steps: 12, trainedSteps: 6 });
    expect(more.stderr).toMatch(
      /6 steps more from step 6, to step 12 \(it was 6\); the learning rate was .* and goes on at/,
    );
  });

  it('says so with less steps than it has', async () => {
    const { json, stderr } = await resume('r', '--steps', '3');
    expect(json).toMatchObject({ trainedSteps: 0, nothingTrained: { reason: 'steps' } });
    expect(stderr).toMatch(/No step was trained: the run stands at step \d+, beyond the 3 that were asked for/);
  });

  it('goes on to the end of what it was given more, also when it is stopped on the way', async () => {
    const { json } = await resume('r', '--more-steps', '8');
    const given = JSON.parse(readFileSync(at('r/run.json'), 'utf8'));
    expect(given.given).toMatchObject({ steps: json.steps });
    expect(given.given).not.toHaveProperty('moreSteps');
    expect((await resume('r')).json).toMatchObject({ trainedSteps: 0, steps: json.steps });
  });
});

describe('a run that was stopped by Ctrl-C', () => {
  it('says that its time is used up, and takes one second more for one second more', async () => {
    const words = [
      'pretrain',
      '--data',
      at('shards'),
      '--out',
      at('c'),
      ...SMALL,
      '--steps',
      '1000000',
      '--log-every',
      '1',
    ];
    const stopped = await pleiad(words, (child, text) => {
      if (/step 20\//.test(text)) child.kill('SIGINT');
    });
    expect(stopped.json).toMatchObject({ interrupted: true });
    const { json, stderr } = await resume('c', '--time', '1ms');
    expect(json).toMatchObject({ trainedSteps: 0, nothingTrained: { reason: 'time' } });
    expect(stderr).toMatch(/No step was trained: the run has trained for .* already, and its time is 1 ms/);
    const more = await resume('c', '--more', '1s');
    expect(more.json.trainedSteps).toBeGreaterThan(0);
    expect(more.json.steps).toBe(stopped.json.steps + more.json.trainedSteps);
    expect(more.json.elapsedMs).toBeGreaterThan(stopped.json.elapsedMs + 900);
    expect((await resume('c')).json.nothingTrained).toMatchObject({ reason: 'time' });
  });
});

describe('a run with a time', () => {
  it('says that another time changes nothing about its steps, and trains so much more with --more', async () => {
    const begun = await begin('t', '--time', '2s');
    const { json, stderr } = await resume('t', '--time', '3s');
    expect(stderr).toMatch(/was planned for \d+ steps in 2 s and keeps that number with a time of 3s/);
    // Where the machine was too slow for what was planned, the longer time lets it train the rest.
    if (json.trainedSteps === 0) expect(json.nothingTrained!.advice).toContain('--more 3s');
    const more = await resume('t', '--more', '2s');
    expect(more.json.steps).toBeGreaterThan(begun.json.steps);
    expect(more.json.trainedSteps).toBeGreaterThan(0);
  });
});

describe('what contradicts itself', () => {
  it.each([
    [['--data', 'SHARDS', '--more', '1h'], /--more is 1h and --resume is not set/],
    [['--data', 'SHARDS', '--more-steps', '5', '--steps', '5'], /--more-steps is 5 and --resume is not set/],
    [['--resume', '--more', '1h', '--time', '2h'], /--time and --more are both set; --time counts from the beginning/],
    [['--resume', '--more-steps', '5', '--steps', '77'], /--steps and --more-steps are both set/],
    [['--resume', '--more', '500'], /--more is "500"; expected a positive number and ms, s, m or h/],
    [['--resume', '--more-steps', '0'], /--more-steps is 0; expected a whole number from 1/],
  ] as const)('is refused: %s', async (words, message) => {
    await begin('x', '--steps', '1');
    const all = words.map((word) => (word === 'SHARDS' ? at('shards') : word));
    const { code, stderr } = await pleiad(['pretrain', '--out', at('x'), ...all]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});
