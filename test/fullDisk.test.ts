/**
 * The compiled command line on a disk that is really full, or read-only: a small tmpfs, which only the superuser may
 * mount. Elsewhere these tests are skipped.
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RandomStream } from '../src/random/philox.js';

const CLI = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'full-disk-'));
const at = (...names: string[]) => join(folder, ...names);
/** The small disk. */
const disk = at('disk');

function mount(...words: string[]): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', ...words, 'tmpfs', disk]).status === 0;
}
const unmount = () => spawnSync('umount', [disk]).status === 0;
const sizeDisk = (bytes: number) => expect(mount('-o', `remount,size=${Math.ceil(bytes / 1024)}k`)).toBe(true);
const makeRoom = () => sizeDisk(64 << 20);

mkdirSync(disk);
const canMount = mount('-o', 'size=1m') && unmount();
if (!canMount) console.warn('test/fullDisk.test.ts is skipped: this user may not mount a tmpfs');

function pleiad(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...words, '--json'], { encoding: 'utf8' });
  return { code: status, stderr, json: JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '{}') };
}

/** Exit code 1 and a message, the same as data. */
function failure(...words: string[]): string {
  const { code, stderr, json } = pleiad(...words);
  expect(code, stderr).toBe(1);
  expect(json.error, stderr).toMatchObject({ name: 'WriteError', found: expect.any(String) });
  expect(stderr).toContain(json.error.message);
  return json.error.message;
}

const bytesIn = (path: string): number =>
  statSync(path).isDirectory()
    ? readdirSync(path).reduce((sum, name) => sum + bytesIn(join(path, name)), 0)
    : statSync(path).size;

/** Files by name with their bytes. */
const shardsIn = (path: string) =>
  new Map(
    readdirSync(path)
      .filter((name) => name.endsWith('.safetensors'))
      .map((name) => [name, readFileSync(join(path, name), 'latin1')]),
  );

const VOCAB = ['vocab', at('text.txt'), '--size', '200'];
const PREPARE = ['prepare', at('text.txt'), '--tokenizer', at('vocab'), '--shard-tokens', '20000'];
const RUN = {
  data: at('shards'),
  size: 'tiny',
  model: 'hiddenSize=32,numHiddenLayers=1,numAttentionHeads=2,intermediateSize=64,embeddingSize=16',
  length: 16,
  'batch-size': 4,
  threads: 1,
  'log-every': 1,
  'evaluate-batches': 1,
};
const run = (out: string, more: object) => [
  'pretrain',
  ...Object.entries({ ...RUN, out, ...more }).flatMap(([name, value]) => [`--${name}`, String(value)]),
];

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(!canMount)('on a full disk', () => {
  beforeAll(() => {
    const random = new RandomStream(3, 'test');
    const word = () => `w${random.integer(60)}`;
    const document = () => Array.from({ length: 200 }, word).join(' ');
    writeFileSync(at('text.txt'), Array.from({ length: 2000 }, document).join('\n\n'));
    for (const words of [
      [...VOCAB, '--out', at('vocab')],
      [...PREPARE, '--out', at('shards')],
    ]) {
      expect(pleiad(...words).code).toBe(0);
    }
  });
  beforeEach(() => {
    expect(mount('-o', 'size=64m')).toBe(true);
    return () => {
      expect(unmount()).toBe(true);
    };
  });
  it('vocab names the file and leaves no half of one', () => {
    sizeDisk(4 << 10);
    const out = join(disk, 'vocab');
    expect(failure(...VOCAB, '--out', out)).toMatch(
      new RegExp(
        `^${out}/(tokenizer\\.json|vocab\\.txt) could not be written: the disk is full\\. Make room, then run the same command again$`,
      ),
    );
    expect(readdirSync(out).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    makeRoom();
    expect(pleiad(...VOCAB, '--out', out).code).toBe(0);
  });

  it('prepare names the file, keeps the shards that are whole, and continues to the same result', () => {
    const out = join(disk, 'shards');
    sizeDisk(0.6 * bytesIn(at('shards')));
    expect(failure(...PREPARE, '--out', out)).toMatch(
      /disk\/shards\/\S+ could not be written: the disk is full\. Make room, then run the same command again$/,
    );
    expect(shardsIn(out).size).toBeGreaterThan(1);
    expect(failure(...PREPARE, '--out', out)).toContain('could not be written: the disk is full');
    makeRoom();
    const { code, json, stderr } = pleiad(...PREPARE, '--out', out);
    expect([code, json.status], stderr).toEqual([0, 'continued']);
    expect(shardsIn(out)).toEqual(shardsIn(at('shards')));
  });

  it('pretrain names the checkpoint and its file, leaves the one before, and goes on from it', () => {
    const words = { steps: 20, 'checkpoint-every': 5, 'evaluate-every': 10 };
    const whole = pleiad(...run(at('whole'), words));
    expect(whole.code, whole.stderr).toBe(0);
    const out = join(disk, 'run');
    const checkpoint = (step: string) => join(out, 'checkpoints', `step-000000${step}`);
    sizeDisk(1.5 * bytesIn(whole.json.checkpoint) + (100 << 10));
    expect(failure(...run(out, words))).toMatch(
      new RegExp(
        `^${checkpoint('10')} could not be written: the disk is full \\(at ${join(out, 'checkpoints')}/\\.writing-step-00000010/\\S+\\)\\. ` +
          'Make room, then resume the run: earlier checkpoints are untouched$',
      ),
    );
    expect(readdirSync(join(out, 'checkpoints'))).toEqual(['step-00000005']);
    expect(readFileSync(join(out, 'latest'), 'utf8')).toBe('step-00000005\n');
    expect(existsSync(join(out, 'pleiad.lock'))).toBe(false);
    makeRoom();
    const { code, json, stderr } = pleiad('pretrain', '--resume', '--out', out);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain(`going on from ${checkpoint('05')}`);
    expect(json.weightsSha256).toBe(whole.json.weightsSha256);
  });

  it('pretrain names the log that it cannot write, and what became of its checkpoint', () => {
    const words = { steps: 300, 'checkpoint-every': 150, 'evaluate-every': 150 };
    const whole = pleiad(...run(at('logged'), words));
    expect(whole.code, whole.stderr).toBe(0);
    const out = join(disk, 'run');
    const logs = bytesIn(at('logged')) - bytesIn(at('logged', 'checkpoints'));
    // Room for the first checkpoint and three quarters of the logs; both are written in pages of 4 KiB.
    sizeDisk(1.1 * bytesIn(whole.json.checkpoint) + 0.75 * logs + (40 << 10));
    const checkpoint = join(out, 'checkpoints', 'step-00000150');
    expect(failure(...run(out, words))).toMatch(
      new RegExp(
        `^${out}/(metrics\\.jsonl|events\\.out\\.tfevents\\.\\d+\\.${hostname()}) could not be written: the disk is full\\. Make room, then resume the run\\. ` +
          `Then ${out}/checkpoints/step-\\d+ could not be written: the disk is full`,
      ),
    );
    expect(readdirSync(join(out, 'checkpoints'))).toEqual(['step-00000150']);
    // Not even a lock can be written.
    writeFileSync(join(disk, 'rest'), '');
    spawnSync('sh', ['-c', `cat /dev/zero > ${join(disk, 'rest')}`]);
    expect(failure('pretrain', '--resume', '--out', out)).toContain(
      'pleiad.lock could not be written: the disk is full',
    );
    expect(existsSync(join(out, 'pleiad.lock'))).toBe(false);
    makeRoom();
    const { code, json, stderr } = pleiad('pretrain', '--resume', '--out', out);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain(`going on from ${checkpoint}`);
    expect(json.weightsSha256).toBe(whole.json.weightsSha256);
    const steps = readFileSync(join(out, 'metrics.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter(({ type }) => type === 'step');
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
  });

  it('convert and export leave nothing, and are done once there is room', () => {
    const model = at('whole', 'checkpoints', 'step-00000020', 'discriminator');
    for (const words of [
      ['convert', model, join(disk, 'converted')],
      ['export', model, '--out', join(disk, 'exported')],
    ]) {
      sizeDisk(0.5 * bytesIn(model));
      expect(failure(...words)).toMatch(
        /could not be written: the disk is full\. Make room, then run the same command again$/,
      );
      expect(readdirSync(disk)).toEqual([]);
      makeRoom();
      const { code, stderr } = pleiad(...words);
      expect(code, stderr).toBe(0);
      for (const name of readdirSync(disk)) rmSync(join(disk, name), { recursive: true });
    }
  });

  it('that is read-only, a run is used and not gone on with; the message says so', () => {
    const out = join(disk, 'run');
    const { code, stderr } = pleiad(...run(out, { steps: 4 }));
    expect(code, stderr).toBe(0);
    cpSync(at('shards'), join(disk, 'shards'), { recursive: true });
    expect(mount('-o', 'remount,ro')).toBe(true);
    expect(failure('pretrain', '--resume', '--out', out, '--steps', '8')).toBe(
      `${join(out, 'pleiad.lock')} could not be written: the file system is read-only. Have it mounted for writing, or choose another folder, then run the same command again`,
    );
    expect(failure(...PREPARE, '--out', join(disk, 'more'))).toContain(
      `the folder ${join(disk, 'more')} could not be made`,
    );
    expect(pleiad(...PREPARE, '--out', join(disk, 'shards')).json.status).toBe('unchanged');
    expect(pleiad('detect', '--model', out, 'w1 w2').code).toBe(0);
    expect(pleiad('evaluate', '--task', 'pretraining', '--model', out, '--data', join(disk, 'shards')).code).toBe(0);
  });
});
