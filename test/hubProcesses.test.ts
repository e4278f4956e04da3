/**
 * The cache of the hub between processes: several of ours, one that is killed, the command line, and Python's
 * huggingface_hub, which is skipped where it is not installed (PLEIAD_PYTHON names a Python, `python3` by default).
 * `npm test` builds what is run here.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { saveModelFolder } from '../src/checkpoint/modelFolder.node.js';
import { SYSTEM_CLOCK } from '../src/hub/clock.js';
import { fetchModel } from '../src/hub/fetchModel.node.js';
import { lockFile } from '../src/hub/fileLock.node.js';
import { COMMIT, TestHub } from '../src/hub/testHub.node.js';
import { TEST_CONFIG, TEST_TOKENIZER, testModel } from '../src/pipelines/testModels.js';

const CLI = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const PYTHON = process.env.PLEIAD_PYTHON ?? 'python3';
const SCRIPT = fileURLToPath(new URL('./python/hub_cache.py', import.meta.url));
const NAME = 'google/tiny';
const FOLDER = 'models--google--tiny';
const WEIGHTS = Buffer.from(Uint32Array.from({ length: 500_000 }, (_, i) => Math.imul(i, 2_654_435_761)).buffer);
const HASH = createHash('sha256').update(WEIGHTS).digest('hex');
const CONFIG = '{"model_type":"electra"}';

let root: string;
let cacheFolder: string;
let hub: TestHub;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'hub-processes-'));
  cacheFolder = join(root, 'hub');
  hub = new TestHub();
  await hub.start();
  hub.add(NAME, { 'config.json': CONFIG, 'model.safetensors': WEIGHTS, 'vocab.txt': '[PAD]\n[UNK]\n' });
});
afterEach(async () => {
  await hub.stop();
  rmSync(root, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const environment = () => ({
  ...process.env,
  NO_COLOR: '1',
  HF_HUB_CACHE: cacheFolder,
  HF_HOME: root,
  HF_ENDPOINT: hub.endpoint,
  HF_HUB_DISABLE_IMPLICIT_TOKEN: '1',
  HF_HUB_DISABLE_XET: '1',
  HF_HUB_DISABLE_TELEMETRY: '1',
});

function run(command: string, words: readonly string[]): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(command, words, { env: environment() });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  return { child, ended: new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr }))) };
}

const pleiad = (...words: string[]) => {
  const { child, ended } = run(process.execPath, [CLI, ...words]);
  child.stdin?.end();
  return { child, ended };
};
const cdnRequests = () => hub.requests.filter(({ server }) => server === 'cdn');
const blob = () => join(cacheFolder, FOLDER, 'blobs', HASH);

describe('processes at once', () => {
  it('fetch a file once between them', async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => pleiad('download', NAME, '--json').ended));
    for (const { code, stdout, stderr } of all) {
      expect(code, stderr).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({
        folder: join(cacheFolder, FOLDER, 'snapshots', COMMIT),
        weights: { format: 'safetensors' },
      });
    }
    expect(cdnRequests()).toHaveLength(1);
    expect(readFileSync(blob()).equals(WEIGHTS)).toBe(true);
    expect(readdirSync(join(cacheFolder, FOLDER, 'blobs')).filter((name) => name.includes('.'))).toEqual([]);
  });

  it('leave a partial file when they are killed, and another goes on from there', async () => {
    const sent = 900_000;
    const isSent = new Promise<void>((resolve) => {
      hub.faults.push({
        server: 'cdn',
        path: /./,
        // The rest never comes: the process is killed while it waits.
        act: (_request, response, body) => {
          response.writeHead(200, { 'content-length': body!.length });
          response.write(body!.subarray(0, sent), () => resolve());
          return true;
        },
      });
    });
    const { child, ended } = pleiad('download', NAME);
    await isSent;
    const partial = `${blob()}.incomplete`;
    while ((statSync(partial, { throwIfNoEntry: false })?.size ?? 0) < sent)
      await new Promise((ok) => setTimeout(ok, 10));
    child.kill('SIGKILL');
    expect((await ended).code).toBeNull();
    const again = await pleiad('download', NAME).ended;
    expect(again.code, again.stderr).toBe(0);
    expect(again.stderr).toMatch(/fetched model\.safetensors: 2\.0 MB in /);
    expect(again.stdout).toContain(join(cacheFolder, FOLDER, 'snapshots', COMMIT));
    expect(cdnRequests().at(-1)?.range).toBe(`bytes=${sent}-`);
    expect(readFileSync(blob()).equals(WEIGHTS)).toBe(true);
  });
});

describe('the command line', () => {
  it('reads a model by name, and says what is wrong with one', async () => {
    const folder = join(root, 'model');
    const { graph, weights } = testModel('ElectraForPreTraining');
    const tensors = new Map(graph.parameters.map(({ name, shape }) => [name, { shape, data: weights.get(name)! }]));
    const model = { config: TEST_CONFIG, architecture: 'ElectraForPreTraining' as const, tensors };
    await saveModelFolder(folder, { ...model, tokenizer: TEST_TOKENIZER });
    const files = Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
    hub.add('me/detector', files);
    const words = ['detect', '--model', 'me/detector', '--threads', '1', '--json', 'the chef ate'];
    const { code, stdout, stderr } = await pleiad(...words).ended;
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout).tokens.map(({ token }: { token: string }) => token)).toEqual(['the', 'chef', 'ate']);
    expect(stderr).toMatch(/fetched model\.safetensors: /);
    await hub.stop();
    const offline = await pleiad(...words).ended;
    expect(JSON.parse(offline.stdout)).toEqual(JSON.parse(stdout));
    expect(offline.stderr).toMatch(/me\/detector: using the cache \(commit aaaaaaaaaaaa\), because .*ECONNREFUSED/);
    const missing = await pleiad('detect', '--model', './nothing', '--json', 'the').ended;
    expect([missing.code, JSON.parse(missing.stdout).error.name]).toEqual([1, 'CheckpointError']);
    expect(missing.stderr).toMatch(/\.\/nothing is not a folder/);
  });

  it('refuses formats that are none', async () => {
    const { code, stderr } = await pleiad('download', NAME, '--formats', 'safetensors,h5').ended;
    expect([code, stderr]).toEqual([2, expect.stringMatching(/--formats has "h5"; expected safetensors, pytorch/)]);
  });
});

const version = spawnSync(PYTHON, [SCRIPT, 'version'], { encoding: 'utf8' });
const hasPython = version.status === 0;
if (!hasPython) console.warn('huggingface_hub is skipped: no Python with it; PLEIAD_PYTHON names one');

async function python(action: string, words: object): Promise<Record<string, never>> {
  const { child, ended } = run(PYTHON, [SCRIPT, action, JSON.stringify(words)]);
  child.stdin?.end();
  const { code, stdout, stderr } = await ended;
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

describe.skipIf(!hasPython)('huggingface_hub in Python', () => {
  const FILES = {
    repository: NAME,
    present: ['config.json', 'model.safetensors', 'vocab.txt'],
    absent: ['tokenizer.json'],
  };
  const fetched = (options = {}) => fetchModel(NAME, { endpoint: hub.endpoint, cacheFolder, token: false, ...options });

  it('finds what we fetched, without a network', async () => {
    const { folder } = await fetched();
    await hub.stop();
    expect(await python('read', FILES)).toEqual({
      paths: Object.fromEntries(FILES.present.map((name) => [name, join(folder, name)])),
      sizes: { 'config.json': CONFIG.length, 'model.safetensors': WEIGHTS.length, 'vocab.txt': 12 },
      absent: ['tokenizer.json'],
      snapshot: folder,
      warnings: [],
      repositories: [NAME],
      refs: ['main'],
    });
  });

  it('fetches nothing again that we fetched', async () => {
    await fetched();
    hub.requests.length = 0;
    await python('fetch', FILES);
    expect(hub.requests.filter(({ method }) => method === 'GET')).toEqual([]);
  });

  it('fetches what we then find, without a network', async () => {
    await python('fetch', FILES);
    hub.requests.length = 0;
    const { folder, weights, tokenizer, absent } = await fetched({ offline: true });
    expect(folder).toBe(join(cacheFolder, FOLDER, 'snapshots', COMMIT));
    expect([weights?.format, tokenizer]).toEqual(['safetensors', ['vocab.txt']]);
    expect(absent).toContain('tokenizer.json');
    expect(readFileSync(join(folder, 'model.safetensors')).equals(WEIGHTS)).toBe(true);
    expect(hub.requests).toEqual([]);
  });

  it('and we fetch a file once between us', async () => {
    await Promise.all([fetched(), python('fetch', FILES), fetched()]);
    expect(cdnRequests()).toHaveLength(1);
    expect(readFileSync(blob()).equals(WEIGHTS)).toBe(true);
  });

  it('and we wait for each other’s locks', async () => {
    mkdirSync(cacheFolder);
    const path = join(cacheFolder, 'one.lock');
    const { child, ended } = run(PYTHON, [SCRIPT, 'hold', JSON.stringify({ path })]);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    let hasWaited = false;
    const onWait = () => {
      hasWaited = true;
      child.stdin?.end();
    };
    const lock = await lockFile(path, { clock: SYSTEM_CLOCK, onWait });
    expect([hasWaited, lock.isHeld]).toEqual([true, true]);
    await ended;
    expect(await python('take', { path })).toEqual({ taken: false });
    await lock.release();
    expect(await python('take', { path })).toEqual({ taken: true });
  });
});
