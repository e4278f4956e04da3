/** What docs/extending.md shows is added to a copy of the source, type-checked, and run. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reviews, writeTinyEncoder } from './tinyReviews.js';
import { prepareTinyShards } from './tinyShards.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const COPY = mkdtempSync(join(tmpdir(), 'pleiad-extending-'));
afterAll(() => rmSync(COPY, { recursive: true }));
const at = (...names: string[]) => join(COPY, ...names);

/** Code of the page with the file that it is of, in order. */
const blocks = [
  ...readFileSync(join(ROOT, 'docs/extending.md'), 'utf8').matchAll(/^```(ts|diff) (src\/\S+)\n([\s\S]*?)^```$/gm),
].map(([, kind, path, text]) => ({ kind, path, text }));

/** Applies a diff without line numbers: of each part, the lines of before stand together somewhere in the file, once. */
function changed(source: string, diff: string): string {
  return diff.split('@@\n').reduce(changedPart, source);
}

function changedPart(source: string, part: string): string {
  const lines = part.split('\n').slice(0, -1);
  const side = (sign: string) =>
    lines
      .filter((line) => line[0] === ' ' || line[0] === sign)
      .map((line) => `${line.slice(1)}\n`)
      .join('');
  const [before, after] = [side('-'), side('+')];
  expect(source.split(before)).toHaveLength(2);
  return source.replace(before, () => after);
}

function pleiad(...words: string[]): Record<string, unknown> {
  const command = [at('dist/src/cli/main.js'), ...words, '--json'];
  const output = execFileSync(process.execPath, command, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  return JSON.parse(output.trim().split('\n').at(-1)!);
}

function failure(...words: string[]): string {
  try {
    pleiad(...words);
  } catch (error) {
    return String((error as { stderr?: string }).stderr);
  }
  throw new Error('that should have failed');
}

beforeAll(async () => {
  const isSource = (path: string) => !/\.test\.ts$/.test(path);
  cpSync(join(ROOT, 'src'), at('src'), { recursive: true, filter: isSource });
  for (const file of ['package.json', 'tsconfig.json', 'tsconfig.build.json'])
    cpSync(join(ROOT, file), at(file), { dereference: true });
  symlinkSync(join(ROOT, 'node_modules'), at('node_modules'));
  for (const { kind, path, text } of blocks) {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), kind === 'diff' ? changed(readFileSync(at(path), 'utf8'), text) : text);
  }
  // The compiler's complaint is the message of the test.
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  try {
    execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: COPY, encoding: 'utf8' });
  } catch (error) {
    throw new Error(String((error as { stdout?: string }).stdout), { cause: error });
  }
  await prepareTinyShards(COPY);
}, 120_000);

describe('the objective of docs/extending.md', () => {
  const run = ['pretrain', '--objective', 'token-deletion', '--data', at('shards'), '--length', '16'];
  const tiny = [
    '--size',
    'tiny',
    '--model',
    'hiddenSize=32,numHiddenLayers=1,intermediateSize=64',
    '--batch-size',
    '8',
    '--seed',
    '1',
  ];

  it('is one file and one table', () => {
    const ofObjective = blocks.filter(({ path }) => path.startsWith('src/pretraining/'));
    expect(ofObjective.map(({ kind, path }) => [kind, path])).toEqual([
      ['ts', 'src/pretraining/tokenDeletion.ts'],
      ['diff', 'src/pretraining/objectives.ts'],
    ]);
  });

  it('learns, and its loss on held-out text is reported by its name', () => {
    const heldOut = (steps: string, out: string) =>
      pleiad(...run, ...tiny, '--steps', steps, '--learning-rate', '3e-3', '--out', at(out)).heldOut as {
        deletionLoss: number;
        deletionAccuracy: number;
      };
    const [early, late] = [heldOut('1', 'early'), heldOut('60', 'late')];
    expect(early.deletionLoss).toBeGreaterThan(0.5); // ln 2 before anything is learned
    expect(late.deletionLoss).toBeLessThan(early.deletionLoss - 0.1);
    expect(late.deletionAccuracy).toBeGreaterThan(0.7);
  });

  it('is resumed to the same weights', () => {
    const steps = (number: string, out: string, ...more: string[]) =>
      pleiad(...run, ...tiny, '--steps', number, '--out', at(out), '--checkpoint-every', '3', ...more).weightsSha256;
    const whole = steps('6', 'whole');
    steps('6', 'half', '--time', '1ms');
    expect(pleiad('pretrain', '--out', at('half'), '--resume', '--time', '10m').weightsSha256).toBe(whole);
  });

  it('has its settings as flags, which other objectives refuse, and its contradictions', () => {
    const refused = failure(
      ...run,
      '--objective',
      'electra',
      '--missing-weight',
      '2',
      '--steps',
      '1',
      '--out',
      at('no'),
    );
    expect(refused).toContain('--missing-weight is set and --objective is electra; only token-deletion has it');
    const wrong = failure(
      ...run,
      '--masking',
      'random',
      '--duplicates',
      'reference',
      '--steps',
      '1',
      '--out',
      at('no'),
    );
    expect(wrong).toContain('--duplicates is reference and a token can be deleted only once');
  });

  it('leaves a model that begins another run', () => {
    const from = at('late/checkpoints/step-00000060');
    const started = pleiad(...run, '--batch-size', '8', '--steps', '1', '--from', from, '--out', at('further'));
    expect(started.steps).toBe(1);
  });
});

describe('the task of docs/extending.md', () => {
  beforeAll(async () => {
    await writeTinyEncoder(at('encoder'));
    const csv = (seed: number) =>
      `text\n${reviews(40, seed)
        .map(({ text }) => `"${text}"\n`)
        .join('')}`;
    writeFileSync(at('texts.csv'), csv(1));
    writeFileSync(at('more.csv'), csv(2));
  });

  it('is one folder and one line', () => {
    const ofTask = blocks.filter(({ path }) => path.startsWith('src/tasks/'));
    expect(ofTask.map(({ kind, path }) => [kind, path])).toEqual([
      ['ts', 'src/tasks/wordOrder/task.ts'],
      ['diff', 'src/tasks/tasks.ts'],
    ]);
  });

  it('trains, is evaluated as what it is, and classifies', () => {
    const engine = ['--engine', 'onnxruntime', '--threads', '1'];
    const words = ['--task', 'word-order', '--from', at('encoder'), '--train', at('texts.csv'), '--length', '32'];
    const out = at('order');
    const { metrics } = pleiad('finetune', ...words, '--dev', at('more.csv'), '--epochs', '2', '--out', out, ...engine);
    // Each text stands there twice; a bag of words cannot tell the two apart.
    expect(metrics).toMatchObject({ majorityAccuracy: 0.5, bagOfWordsAccuracy: 0.5 });
    const evaluated = pleiad('evaluate', '--model', out, '--data', at('more.csv'), ...engine);
    expect(evaluated).toMatchObject({ rows: 80, accuracy: (metrics as { accuracy: number }).accuracy });
    const { result } = pleiad('classify', '--model', out, '--top-k', '2', 'the dog is lovely', ...engine);
    expect((result as { label: string }[]).map(({ label }) => label).sort()).toEqual(['shuffled', 'written']);
  });
});

describe('the call of docs/extending.md', () => {
  it('is one file and one line, and runs where all calls do', async () => {
    const ofCall = blocks.filter(({ path }) => path.startsWith('src/studio/'));
    expect(ofCall.map(({ kind, path }) => [kind, path])).toEqual([
      ['ts', 'src/studio/calls/surprise.ts'],
      ['diff', 'src/studio/studioCalls.ts'],
    ]);
    const { STUDIO_CALLS } = await import(at('dist/src/studio/studioCalls.js'));
    const { testModel } = await import(at('dist/src/pipelines/testModels.js'));
    const { testStudioModels } = await import(at('dist/src/studio/testStudioModels.js'));
    const models = testStudioModels({ one: { model: testModel('ElectraForMaskedLM').model() } });
    const found = await STUDIO_CALLS.surprise.run(models, { model: 'one', role: 'model', text: 'the chef ate' });
    expect(found.map(({ piece }: { piece: string }) => piece)).toEqual(['the', 'chef', 'ate']);
    expect(found.every(({ loss }: { loss: number }) => loss > 0)).toBe(true);
  });
});
