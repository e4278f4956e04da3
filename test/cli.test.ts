/** The compiled command line as child processes, on a corpus that is made here. `npm test` builds it first. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UNIT_BYTES } from '../src/data/prepare/readUnits.node.js';
import { VERSION } from '../src/version.js';

const MAIN = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const FOLDER = mkdtempSync(join(tmpdir(), 'pleiad-cli-'));
const at = (...names: string[]) => join(FOLDER, ...names);

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The last line of standard output, parsed. */
  // biome-ignore lint/suspicious/noExplicitAny: each command has keys of its own, and a wrong one fails its test
  readonly json: any;
}

function start(...words: string[]): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [MAIN, ...words], { env: { ...process.env, NO_COLOR: '1' } });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code) => {
      const last = stdout.trimEnd().split('\n').at(-1) ?? '';
      resolve({ code, stdout, stderr, json: last.startsWith('{') ? JSON.parse(last) : undefined });
    });
  });
  return { child, ended };
}

const pleiad = (...words: string[]): Promise<Ended> => {
  const { child, ended } = start(...words);
  child.stdin!.end();
  return ended;
};

/** A child whose words on standard error can be waited for, whole lines or parts of them, each once and in order. */
function watched(...words: string[]) {
  const { child, ended } = start(...words);
  child.stdin!.end();
  let text = '';
  let look = () => {};
  child.stderr!.on('data', (chunk) => {
    text += chunk;
    look();
  });
  const seen = (pattern: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      look = () => {
        const found = pattern.exec(text);
        if (!found) return;
        text = text.slice(found.index + found[0].length);
        resolve();
      };
      look();
      ended.then(({ stderr }) => reject(new Error(`ended without ${pattern}: ${stderr}`)));
    });
  return { child, ended, seen };
}

const TINY = ['--size', 'tiny', '--threads', '1', '--length', '16', '--batch-size', '4', '--log-every', '1'];
const FIELDS = 'hiddenSize=16,numHiddenLayers=1,numAttentionHeads=1,intermediateSize=16,embeddingSize=16';
const MODEL = ['--model', FIELDS];

const ENDLESS = ['pretrain', '--data', at('shards'), '--steps', '1000000', '--json'];

/** Documents of short sentences, every one different. */
function corpus(): string[] {
  const who = ['the chef', 'a child', 'the old man', 'my sister', 'the crew'];
  const did = ['cooked', 'ate', 'sold', 'saw', 'painted'];
  const what = ['the meal', 'a fish', 'the red boat', 'some bread', 'the picture'];
  return Array.from({ length: 60 }, (_, i) =>
    Array.from({ length: 6 }, (_, j) => {
      const n = i * 7 + j * 3;
      return `${who[n % 5]} ${did[(n + i) % 5]} ${what[(n + j + (i >> 2)) % 5]} number ${i}.`;
    }).join(' '),
  );
}

beforeAll(async () => {
  const documents = corpus();
  writeFileSync(at('a.txt'), documents.slice(0, 40).join('\n\n'));
  writeFileSync(
    at('b.jsonl.gz'),
    gzipSync(
      documents
        .slice(40)
        .map((text) => `${JSON.stringify({ text })}\n`)
        .join(''),
    ),
  );
  const vocab = await pleiad('vocab', at('a.txt'), at('b.jsonl.gz'), '--size', '120', '--out', at('vocab'), '--json');
  expect(vocab.code, vocab.stderr).toBe(0);
  expect(vocab.json).toMatchObject({ out: at('vocab'), size: 120 });
  const prepare = ['prepare', at('a.txt'), at('b.jsonl.gz'), '--tokenizer', at('vocab'), '--out', at('shards')];
  const prepared = await pleiad(...prepare, '--held-out-fraction', '0.2', '--json');
  expect(prepared.code, prepared.stderr).toBe(0);
  expect(prepared.json.status).toBe('prepared');
  expect(prepared.json.train.documents + prepared.json.heldOut.documents).toBe(60);
  const run = await pleiad(
    'pretrain',
    '--data',
    at('shards'),
    '--out',
    at('run'),
    ...TINY,
    ...MODEL,
    '--steps',
    '6',
    '--json',
  );
  expect(run.code, run.stderr).toBe(0);
  writeFileSync(at('pretrain.json'), JSON.stringify(run));
});

afterAll(() => {
  rmSync(FOLDER, { recursive: true, force: true });
});

describe('pleiad vocab and prepare', () => {
  it('write a tokenizer folder that says its casing', () => {
    expect(readFileSync(at('vocab', 'vocab.txt'), 'utf8').split('\n').slice(0, 5)).toEqual([
      '[PAD]',
      '[UNK]',
      '[CLS]',
      '[SEP]',
      '[MASK]',
    ]);
    expect(JSON.parse(readFileSync(at('vocab', 'tokenizer_config.json'), 'utf8')).do_lower_case).toBe(true);
    expect(existsSync(at('vocab', 'tokenizer.json'))).toBe(true);
  });

  it('keep case with --cased, and tear Hangul only when told to', async () => {
    writeFileSync(at('mixed.txt'), 'Chef Chef Chef 한국 한국 한국');
    const train = async (...flags: string[]) => {
      await pleiad('vocab', at('mixed.txt'), '--size', '200', '--out', at('vocab-mixed'), '--overwrite', ...flags);
      return readFileSync(at('vocab-mixed', 'vocab.txt'), 'utf8').split('\n');
    };
    expect(await train('--cased')).toEqual(expect.arrayContaining(['Chef', '한국']));
    expect(await train('--uncased')).toEqual(expect.arrayContaining(['chef', '한국']));
    expect(await train('--no-preserve-hangul')).toEqual(expect.arrayContaining(['chef', '한국'.normalize('NFD')]));
  });

  it('do nothing the second time', async () => {
    const words = ['prepare', at('a.txt'), at('b.jsonl.gz'), '--tokenizer', at('vocab'), '--out', at('shards')];
    const again = await pleiad(...words, '--held-out-fraction', '0.2', '--json');
    expect([again.code, again.json.status]).toEqual([0, 'unchanged']);
  });

  it('are refused a folder that another process is preparing, naming it', async () => {
    writeFileSync(at('much.txt'), corpus().join(' ').repeat(5000));
    const words = ['prepare', at('much.txt'), '--tokenizer', at('vocab'), '--out', at('busy-shards'), '--json'];
    const first = watched(...words);
    await expect.poll(() => existsSync(at('busy-shards', 'pleiad.lock')), { interval: 1, timeout: 20_000 }).toBe(true);
    first.child.kill('SIGSTOP'); // however fast it is, it is still there
    const second = await pleiad(...words);
    first.child.kill('SIGCONT');
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`${at('busy-shards')} is in use by process ${first.child.pid} on `);
    const { code, stderr, json } = await first.ended;
    expect([code, json.status], stderr).toEqual([0, 'prepared']);
    expect(readdirSync(at('busy-shards'))).not.toContain('pleiad.lock');
  });

  it('report all bad flags at once', async () => {
    const bad = ['--workers', '-1', '--held-out-fraction', 'x', '--shard-tokens', '1.5'];
    const { code, json } = await pleiad('prepare', at('a.txt'), ...bad, '--json');
    expect(code).toBe(2);
    expect(json.error.problems).toEqual([
      '--out is missing; expected the folder to write',
      '--tokenizer is missing; expected the folder that `pleiad vocab` wrote, or a model folder or name',
      '--workers is "-1"; expected a whole number from 0',
      '--shard-tokens is "1.5"; expected a whole number from 1',
      '--held-out-fraction is "x"; expected a number from 0 to below 1',
    ]);
  });

  it('make the same of parts, each by a command of its own, and a merge', async () => {
    const words = ['prepare', at('a.txt'), at('b.jsonl.gz'), '--tokenizer', at('vocab'), '--out', at('parts')];
    const shared = [...words, '--held-out-fraction', '0.2', '--json'];
    const part = await pleiad(...shared, '--part', '2/2');
    expect(part.code, part.stderr).toBe(0);
    expect(part.json).toMatchObject({ status: 'prepared', part: '2/2', out: at('parts', 'part-2-of-2') });
    expect(part.stderr).toContain(`pleiad prepare --merge --out ${at('parts')}`);
    const early = await pleiad('prepare', '--merge', '--out', at('parts'));
    expect([early.code, early.stderr]).toEqual([1, expect.stringContaining('missing: 1/2')]);
    await pleiad(...shared, '--part', '1/2');
    const merged = await pleiad('prepare', '--merge', '--out', at('parts'), '--json');
    const { train, heldOut, textBytes } = JSON.parse(readFileSync(at('shards', 'manifest.json'), 'utf8'));
    expect(merged.json).toMatchObject({
      status: 'merged',
      parts: 2,
      textBytes,
      train: { documents: train.documents, tokens: train.tokens },
      heldOut: { documents: heldOut.documents, tokens: heldOut.tokens },
    });
    const wrong = await pleiad('prepare', at('a.txt'), '--merge', '--part', '3/2');
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toMatch(/--out is missing[\s\S]*--merge takes nothing but --out; given too: files, --part/);
    const nothing = await pleiad('prepare', '--part', '3/2', '--out', at('parts'));
    expect(nothing.code).toBe(2);
    expect(nothing.stderr).toMatch(
      /no files are given[\s\S]*--part is "3\/2"; expected i\/n[\s\S]*--tokenizer is missing/,
    );
  });

  it('name a missing file, and the line of a broken one, with exit code 1', async () => {
    const missing = await pleiad('vocab', at('nothing.txt'), '--out', at('x'));
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain(`${at('nothing.txt')} does not exist`);
    writeFileSync(at('broken.jsonl'), '{"text":"good"}\n{"text":\n');
    const broken = await pleiad('vocab', at('broken.jsonl'), '--out', at('x'), '--json');
    expect(broken.code).toBe(1);
    expect(broken.stderr).toMatch(/broken\.jsonl:2:9 is not JSON: expected a value, found the end/);
    expect(broken.json.error).toMatchObject({ name: 'DataError', found: 2 });
  });
});

describe('pleiad pretrain', () => {
  it('prints progress to standard error and one line of JSON with the promised keys', () => {
    const { stdout, stderr, json } = JSON.parse(readFileSync(at('pretrain.json'), 'utf8'));
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(/step 3\/6 {2}generator \d\.\d{3} {2}discriminator 0\.\d{4} {2}replaced \d+\.\d %/);
    expect(stderr).toMatch(/generator loss +\d\.\d{4} +baseline \d\.\d{4} \(unigram cross-entropy\)/);
    expect(stderr).toMatch(/discriminator AUC +0\.\d{4} +baseline 0\.5000 \(chance\)/);
    expect(json).toMatchObject({ steps: 6, interrupted: false, checkpoint: at('run', 'checkpoints', 'step-00000006') });
    expect(json.tokensSeen).toBeGreaterThan(0);
    expect(json.tokensPerSecond).toBeGreaterThan(0);
    expect(json.weightsSha256).toMatch(/^[0-9a-f]{64}$/);
    const heldOut = [
      'generatorLoss',
      'generatorAccuracy',
      'unigramCrossEntropy',
      'unigramEntropy',
      'replacedRate',
      'discriminatorLoss',
      'rtdAuc',
      'rtdPrecision',
      'rtdRecall',
    ];
    for (const key of heldOut) expect(json.heldOut[key], key).toEqual(expect.any(Number));
  });

  it('reports all bad settings at once, from flags and file, with exit code 2', async () => {
    writeFileSync(at('bad.yaml'), 'learningRat: 3\ntemperature: -1\n');
    const { code, stderr, json } = await pleiad(
      'pretrain',
      '--config',
      at('bad.yaml'),
      '--steps',
      '0',
      '--mask-prob',
      'x',
      '--json',
    );
    expect(code).toBe(2);
    for (const problem of [
      /learningRat .*learningRate/,
      /temperature \(\S+bad\.yaml\) is -1/,
      /--steps is 0/,
      /--mask-prob is "x"/,
      /--data is missing/,
      /--out is missing/,
    ]) {
      expect(stderr).toMatch(problem);
    }
    expect(json.error.problems.length).toBeGreaterThanOrEqual(6);
    const unknown = await pleiad('pretrain', '--lerning-rate', '3');
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain('--learning-rate');
  });

  it('names a settings file that it cannot use, with exit code 2', async () => {
    const { code, stderr, json } = await pleiad('pretrain', '--config', at('none.yaml'), '--json');
    expect(code).toBe(2);
    expect(stderr).toContain(`pleiad: --config ${at('none.yaml')} does not exist; expected a YAML or JSON file`);
    expect(json.error).toMatchObject({ name: 'SettingsError', problems: [expect.any(String)] });
  });

  it('says that a folder to be resumed holds no run', async () => {
    const { code, stderr } = await pleiad('pretrain', '--resume', '--out', at('nowhere'));
    expect(code).toBe(2);
    expect(stderr).toContain(`--resume is set and ${at('nowhere')} holds no run to take settings from`);
    expect(stderr).toContain('--data is missing');
  });

  it('trains on a text that is a single line, longer than what is read at a time', async () => {
    writeFileSync(at('line.txt'), corpus().join(' ').repeat(60)); // 0.9 MB
    const steps = [
      ['vocab', at('line.txt'), '--size', '120', '--out', at('line-vocab')],
      ['prepare', at('line.txt'), '--tokenizer', at('line-vocab'), '--out', at('line-shards')],
      ['pretrain', '--data', at('line-shards'), '--out', at('line-run'), ...TINY, ...MODEL, '--steps', '2'],
    ];
    for (const words of steps) {
      const { code, stderr } = await pleiad(...words, '--json');
      expect(code, stderr).toBe(0);
    }
    expect(statSync(at('line.txt')).size).toBeGreaterThan(3 * UNIT_BYTES);
  });

  it('takes settings from a file, and flags over them', async () => {
    const settings = {
      data: at('shards'),
      out: at('run-file'),
      size: 'tiny',
      steps: 9,
      length: 16,
      batchSize: 4,
      threads: 1,
    };
    const fields = Object.fromEntries(
      FIELDS.split(',').map((pair) => [pair.split('=')[0], Number(pair.split('=')[1])]),
    );
    writeFileSync(at('run.json'), JSON.stringify({ ...settings, model: fields }));
    const { code, json } = await pleiad('pretrain', '--config', at('run.json'), '--steps', '2', '--json');
    expect([code, json.steps]).toEqual([0, 2]);
  });

  it('goes on from a run on shards made with its tokenizer, and says what was loaded and what cannot be', async () => {
    const words = ['prepare', at('a.txt'), at('b.jsonl.gz'), '--tokenizer', at('run'), '--out', at('shards')];
    const again = await pleiad(...words, '--held-out-fraction', '0.2', '--json');
    expect([again.code, again.json?.status], again.stderr).toEqual([0, 'unchanged']);
    const from = ['pretrain', '--data', at('shards'), '--out', at('run-from'), '--from', at('run'), '--steps', '2'];
    const refused = await pleiad(...from, '--size', 'base', '--generator', 'numHiddenLayers=7', '--json');
    expect(refused.code).toBe(2);
    expect(refused.json.error.problems).toEqual([
      expect.stringContaining('--size is base'),
      expect.stringContaining('--generator numHiddenLayers is 7'),
    ]);
    const { code, stdout, stderr } = await pleiad(...from, '--length', '16', '--batch-size', '4', '--threads', '1');
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^discriminator from .*run: .* as ElectraForPreTraining: \d+ loaded, 0 converted/m);
    expect(stdout).toMatch(/^generator from .* as ElectraForMaskedLM: \d+ loaded/m);
    expect(stdout).toContain('5 tensors are shared by generator and discriminator: the same in both, bit for bit');
    expect(stdout.indexOf('step 0, held out:')).toBeGreaterThan(0);
  });

  it('refuses a rank timeout that is no duration, with exit code 2', async () => {
    const { code, stderr } = await pleiad(
      'pretrain',
      '--data',
      at('shards'),
      '--out',
      at('late'),
      '--rank-timeout',
      'soon',
    );
    expect(code).toBe(2);
    expect(stderr).toContain('--rank-timeout is soon; expected a duration such as 30s or 10m');
  });

  it('on the first Ctrl-C writes a checkpoint and exits 130; resumed, it ends with the weights of an unbroken run', async () => {
    const words = [
      'pretrain',
      '--data',
      at('shards'),
      ...TINY,
      ...MODEL,
      '--steps',
      '400',
      '--evaluate-every',
      '400',
      '--checkpoint-every',
      '400',
      '--json',
    ];
    const whole = await pleiad(...words, '--out', at('whole'));
    const { child, ended } = start(...words, '--out', at('broken'));
    let seen = '';
    child.stderr!.on('data', (chunk) => {
      seen += chunk;
      if (seen.includes('step 5/400') && !child.killed) child.kill('SIGINT');
    });
    const broken = await ended;
    expect(broken.code, broken.stderr).toBe(130);
    expect(broken.json.interrupted).toBe(true);
    expect(broken.json.steps).toBeLessThan(400);
    expect(existsSync(broken.json.checkpoint)).toBe(true);
    const resumed = await pleiad('pretrain', '--resume', '--out', at('broken'), '--json');
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.stderr).toContain(`going on from ${broken.json.checkpoint}`);
    expect(resumed.json.steps).toBe(400);
    expect(resumed.json.weightsSha256).toBe(whole.json.weightsSha256);
  });

  it('on SIGTERM does the same', async () => {
    const { child, ended, seen } = watched(...ENDLESS, '--out', at('endless'), ...TINY, ...MODEL);
    await seen(/step 2\//);
    child.kill('SIGTERM');
    const { code, json, stderr } = await ended;
    expect([code, json.interrupted], stderr).toEqual([130, true]);
    expect(json.checkpoint).toBe(at('endless', 'checkpoints', `step-${String(json.steps).padStart(8, '0')}`));
    expect(existsSync(json.checkpoint)).toBe(true);
  });

  it('on a second signal leaves at once, in the middle of a long step, and can be resumed', async () => {
    // Rows enough for an engine call that is long beside the death of a process.
    const slow = ['--size', 'small', '--length', '128', '--batch-size', '24', '--threads', '1', '--log-every', '1'];
    const longText = corpus().join(' ').repeat(40);
    writeFileSync(at('long.txt'), Array(4).fill(longText).join('\n\n'));
    const prepared = await pleiad('prepare', at('long.txt'), '--tokenizer', at('vocab'), '--out', at('long-shards'));
    expect(prepared.code, prepared.stderr).toBe(0);
    const words = [...ENDLESS, '--out', at('left'), ...slow, '--data', at('long-shards'), '--accumulation', '1'];
    const { child, ended, seen } = watched(...words);
    await seen(/step 1\//);
    const stepStartedAt = performance.now();
    await seen(/step 2\//);
    const stepMs = performance.now() - stepStartedAt;
    child.kill('SIGINT');
    await seen(/interrupted: finishing the step and writing a checkpoint \(again to leave at once\)/);
    const leftAt = performance.now();
    child.kill('SIGTERM');
    await ended;
    // A shell shows death by SIGINT as exit code 130.
    expect([child.exitCode, child.signalCode]).toEqual([null, 'SIGINT']);
    expect(performance.now() - leftAt, `a step takes ${stepMs} ms`).toBeLessThan(stepMs / 2);
    expect(readdirSync(at('left', 'checkpoints'))).toEqual([]);
    // Its lock does not stand in the way.
    expect(existsSync(at('left', 'pleiad.lock'))).toBe(true);
    const again = watched('pretrain', '--resume', '--out', at('left'), '--json');
    await again.seen(/There is no whole checkpoint/);
    again.child.kill('SIGKILL');
    await again.ended;
  }, 180_000);

  it('refuses a run folder that another process works in, naming both; after kill -9 of that one it does not', async () => {
    const first = watched(...ENDLESS, '--out', at('busy'), ...TINY, ...MODEL, '--checkpoint-every', '5');
    await first.seen(/step 6\//);
    for (const words of [
      ['pretrain', '--resume', '--out', at('busy'), '--json'],
      [...ENDLESS, ...TINY, ...MODEL, '--out', at('busy')],
    ]) {
      const second = await pleiad(...words);
      expect(second.code).toBe(1);
      expect(second.stderr).toContain(`${at('busy')} is in use by process ${first.child.pid} on `);
      expect(second.json.error).toMatchObject({ name: 'FolderInUseError', found: { pid: first.child.pid } });
    }
    first.child.kill('SIGKILL');
    await first.ended;
    const third = watched('pretrain', '--resume', '--out', at('busy'), '--json');
    await third.seen(/going on from/);
    third.child.kill('SIGTERM');
    expect((await third.ended).code).toBe(130);
  });
});

describe('pleiad detect, fill-mask, evaluate and info', () => {
  const TEXT = 'the chef 🍕 ate the meal';

  it('detect gives every token with its place and probability, from an argument, a file and standard input', async () => {
    const argument = await pleiad('detect', '--model', at('run'), TEXT, '--json');
    expect(argument.code, argument.stderr).toBe(0);
    const { tokens } = argument.json;
    for (const { token, start: from, end, replaced } of tokens) {
      if (token !== '[UNK]') expect(TEXT.slice(from, end)).toBe(token.replace(/^##/, ''));
      expect(replaced).toBeGreaterThan(0);
      expect(replaced).toBeLessThan(1);
    }
    expect(tokens.at(-1).end).toBe(TEXT.length);
    writeFileSync(at('text.txt'), TEXT);
    const file = await pleiad('detect', '--model', at('run'), '--file', at('text.txt'), '--json');
    expect(file.json).toEqual(argument.json);
    const { child, ended } = start('detect', '--model', at('run'), '--lines', '--json');
    child.stdin!.end(`${TEXT}\n\n${TEXT}\n`);
    const lines = await ended;
    expect(lines.json.texts.map(({ tokens: found }: { tokens: unknown[] }) => found.length)).toEqual([
      tokens.length,
      tokens.length,
    ]);
    const plain = await pleiad('detect', '--model', at('run'), TEXT);
    const [header, ...rows] = plain.stdout.trimEnd().split('\n');
    expect(header).toBe('replaced  start  end  token');
    expect(rows.slice(0, -2)).toHaveLength(tokens.length);
    expect(rows.slice(-2)).toEqual(['', expect.stringMatching(/^replaced: how probable it is that the token/)]);
    expect(plain.stdout).not.toContain('\u001b');
  });

  it('fill-mask gives candidates for each mask and joint fillings', async () => {
    const { code, json } = await pleiad(
      'fill-mask',
      '--model',
      at('run'),
      'the [MASK] ate [MASK] .',
      '--top-k',
      '3',
      '--json',
    );
    expect(code).toBe(0);
    expect(json.masks.map(({ candidates }: { candidates: unknown[] }) => candidates.length)).toEqual([3, 3]);
    expect(json.fillings).toHaveLength(3);
  });

  it('refuse a text without a mask and a model of the other kind, with exit code 1', async () => {
    const noMask = await pleiad('fill-mask', '--model', at('run'), 'nothing to fill');
    expect(noMask.code).toBe(1);
    expect(noMask.stderr).toContain('has no [MASK]');
    const discriminator = at('run', 'checkpoints', 'step-00000006', 'discriminator');
    const wrong = await pleiad('fill-mask', '--model', discriminator, 'a [MASK]');
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toMatch(/holds ElectraForPreTraining, this needs ElectraForMaskedLM/);
    const nowhere = await pleiad('detect', '--model', at('nowhere'), 'a');
    expect(nowhere.code).toBe(1);
    expect(nowhere.stderr).toContain(`${at('nowhere')} is not a folder`);
  });

  it('evaluate agrees with the evaluation in training', async () => {
    const { json: trained } = JSON.parse(readFileSync(at('pretrain.json'), 'utf8'));
    const checkpoint = at('run', 'checkpoints', 'step-00000006');
    const words = [
      'evaluate',
      '--task',
      'pretraining',
      '--model',
      checkpoint,
      '--data',
      at('shards'),
      '--batches',
      '16',
      '--json',
    ];
    const { code, json, stderr } = await pleiad(...words);
    expect(code, stderr).toBe(0);
    expect(json.heldOut.generatorLoss).toBeCloseTo(trained.heldOut.generatorLoss, 4);
    expect(json.heldOut.rtdAuc).toBeCloseTo(trained.heldOut.rtdAuc, 4);
    expect(json.weightsSha256).toBe(trained.weightsSha256);
    const bare = await pleiad('evaluate', '--batches', 'x');
    expect(bare.code).toBe(2);
    for (const flag of ['--model', '--data', '--batches']) expect(bare.stderr).toContain(flag);
  });

  it('info shows the versions and what a run holds', async () => {
    expect((await pleiad('info', '--json')).json).toMatchObject({ pleiad: VERSION, node: process.versions.node });
    const { json } = await pleiad('info', at('run'), '--json');
    expect(json.models.map(({ architecture }: { architecture: string }) => architecture)).toEqual([
      'ElectraForPreTraining',
      'ElectraForMaskedLM',
    ]);
    expect(json.models[0].heads).toEqual(['discriminator_predictions']);
    expect(json.models[0].config.hiddenSize).toBe(16);
  });
});

describe('pleiad', () => {
  it('has the version of package.json', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
    expect((await pleiad('--version')).stdout.trim()).toBe(version);
  });

  it.skipIf(!existsSync('/dev/full'))(
    'says that its standard output cannot be written, and does without the other',
    async () => {
      const run = (redirection: string) =>
        promisify(execFile)('sh', ['-c', `"$0" "$1" info --json ${redirection}`, process.execPath, MAIN]).then(
          ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
          (error) => error,
        );
      const full = await run('> /dev/full');
      expect(full.code).toBe(1);
      expect(full.stderr).toContain(
        'pleiad: standard output could not be written: the disk is full. Send it elsewhere',
      );
      expect(full.stderr).not.toContain('    at ');
      const silent = await run('2> /dev/full');
      expect([silent.code, JSON.parse(silent.stdout).pleiad]).toEqual([0, VERSION]);
    },
  );

  it('takes no command and an unknown one as bad usage, and help as success', async () => {
    expect((await pleiad()).code).toBe(2);
    const unknown = await pleiad('pretrian');
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain('pretrain');
    for (const name of ['vocab', 'prepare', 'pretrain', 'detect', 'fill-mask', 'evaluate', 'info']) {
      const help = await pleiad(name, '--help');
      expect([name, help.code]).toEqual([name, 0]);
      expect(help.stdout).toContain('--json');
    }
  });

  it('has a flag with a description for every setting', async () => {
    const { describeSettings } = await import('../src/settings/describeSettings.js');
    const { pretrainingSchema } = await import('../src/pretraining/settings.js');
    const { stdout } = await pleiad('pretrain', '--help-all');
    for (const { name } of describeSettings(pretrainingSchema)) {
      const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
      expect(stdout).toMatch(new RegExp(`${flag} .*\\S`));
    }
  });
});
