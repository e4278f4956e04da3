import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CheckpointError } from '../errors/errors.js';
import { type FetchModelOptions, fetchModel } from './fetchModel.node.js';
import { HubError } from './hubError.js';
import { TestClock } from './testClock.js';
import { COMMIT, NEXT_COMMIT, status, TestHub } from './testHub.node.js';

const NAME = 'google/tiny';
const CONFIG = '{"model_type":"electra"}';
const LARGE = Buffer.alloc(5000, 'weights');

let root: string;
let hub: TestHub;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'fetch-'));
  hub = new TestHub();
  await hub.start();
});
afterEach(async () => {
  await hub.stop();
  rmSync(root, { recursive: true });
});

const fetched = (name: string, options: FetchModelOptions = {}) =>
  fetchModel(name, {
    endpoint: hub.endpoint,
    cacheFolder: join(root, 'a', 'b', 'cache'),
    token: false,
    clock: new TestClock(),
    ...options,
  });
const model = (files: Record<string, string | Buffer>) => hub.add(NAME, { 'config.json': CONFIG, ...files });
const index = (...shards: unknown[]) =>
  JSON.stringify({ weight_map: Object.fromEntries(shards.map((shard, i) => [`t${i}`, shard])) });

describe('fetchModel by name', () => {
  it('gives a folder and says what is in it, all of one commit', async () => {
    model({ 'model.safetensors': LARGE, 'vocab.txt': '[PAD]\n', 'tf_model.h5': LARGE, 'README.md': '#' });
    const { folder, ...report } = await fetched(NAME);
    expect(report).toEqual({
      config: true,
      weights: { format: 'safetensors', files: ['model.safetensors'] },
      tokenizer: ['vocab.txt'],
      absent: ['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json'],
      hub: { repository: NAME, revision: 'main', commit: COMMIT, fetched: true },
    });
    expect(readdirSync(folder).sort()).toEqual(['config.json', 'model.safetensors', 'vocab.txt']);
    expect(readFileSync(join(folder, 'config.json'), 'utf8')).toBe(CONFIG);
    // One question about the branch; then everything is asked of the commit.
    const revisions = hub.requests.map(({ path }) => /\/resolve\/([^/]+)\//.exec(path)?.[1]).filter(Boolean);
    expect(revisions.filter((revision) => revision === 'main')).toHaveLength(1);
  });

  it('brings the span boundary head that a config names, and misses it when it is not there', async () => {
    const config = JSON.stringify({ model_type: 'bert', pleiad: { spanBoundary: { maxSpanTargets: 15 } } });
    const files = { 'config.json': config, 'model.safetensors': LARGE };
    hub.add(NAME, { ...files, 'span_boundary.safetensors': LARGE });
    expect((await fetched(NAME)).weights?.files).toEqual(['model.safetensors', 'span_boundary.safetensors']);
    hub.add('google/other', files);
    await expect(fetched('google/other')).rejects.toThrow(
      'google/other has model.safetensors but not span_boundary.safetensors, which belongs to it',
    );
  });

  it('asks one question when everything is there, and none about a commit', async () => {
    model({ 'pytorch_model.bin': LARGE });
    await fetched(NAME);
    hub.requests.length = 0;
    expect((await fetched(NAME)).hub).toMatchObject({ fetched: false, commit: COMMIT });
    expect(hub.log).toEqual(['hub HEAD config.json']);
    expect((await fetched(NAME, { revision: COMMIT })).weights?.format).toBe('pytorch');
    expect(hub.log).toHaveLength(1);
    await hub.stop();
    const report = await fetched(NAME);
    expect(report.hub?.notAsked).toMatch(/ECONNREFUSED/);
    expect(report.weights?.files).toEqual(['pytorch_model.bin']);
    expect((await fetched(NAME, { offline: true })).hub?.notAsked).toMatch(/offline mode/);
  });

  it('does without an optional file that nobody asked for before, when the hub is gone; not in the middle of a download', async () => {
    model({ 'pytorch_model.bin': LARGE });
    const { folder } = await fetched(NAME);
    rmSync(join(folder, '../../.no_exist'), { recursive: true });
    await hub.stop();
    for (const revision of [COMMIT, 'main']) {
      const report = await fetched(NAME, { revision });
      expect(report).toMatchObject({ folder, weights: { format: 'pytorch' }, hub: { fetched: false } });
      expect(report.hub?.notAsked).toMatch(/ECONNREFUSED/);
    }
    rmSync(join(root, 'a'), { recursive: true });
    await hub.start();
    for (let i = 0; i < 6; i++) hub.faults.push({ server: 'hub', path: /vocab/, act: status(503) });
    await expect(fetched(NAME)).rejects.toMatchObject({ problem: 'unreachable' });
  });

  it.each<[string, Record<string, string | Buffer>, FetchModelOptions['formats'], string, string[]]>([
    [
      'safetensors first',
      { 'model.safetensors': LARGE, 'pytorch_model.bin': LARGE },
      undefined,
      'safetensors',
      ['model.safetensors'],
    ],
    [
      'the shards of an index',
      {
        'model.safetensors.index.json': index('s-2.safetensors', 's-1.safetensors', 's-2.safetensors'),
        's-1.safetensors': LARGE,
        's-2.safetensors': LARGE,
      },
      undefined,
      'safetensors',
      ['model.safetensors.index.json', 's-1.safetensors', 's-2.safetensors'],
    ],
    [
      'pytorch where there is nothing else',
      { 'pytorch_model.bin': LARGE },
      undefined,
      'pytorch',
      ['pytorch_model.bin'],
    ],
    [
      'onnx only when asked for',
      { 'pytorch_model.bin': LARGE, 'onnx/model.onnx': LARGE },
      ['onnx'],
      'onnx',
      ['onnx/model.onnx'],
    ],
    [
      'a checkpoint of TensorFlow only when asked for',
      { 'model.ckpt.index': LARGE, 'model.ckpt.data-00000-of-00001': LARGE },
      ['safetensors', 'tensorflow'],
      'tensorflow',
      ['model.ckpt.index', 'model.ckpt.data-00000-of-00001'],
    ],
  ])('takes %s', async (_, files, formats, format, expected) => {
    model(files);
    const { folder, weights } = await fetched(NAME, { ...(formats && { formats }) });
    expect(weights).toEqual({ format, files: expected });
    for (const file of expected) expect(existsSync(join(folder, file)), file).toBe(true);
  });

  it('takes another revision, in a folder of its own', async () => {
    const { commits, refs } = model({ 'model.safetensors': LARGE });
    commits.set(
      NEXT_COMMIT,
      new Map([
        ['config.json', Buffer.from('{}')],
        ['model.safetensors', LARGE],
      ]),
    );
    refs.set('v2', NEXT_COMMIT);
    const old = await fetched(NAME);
    const next = await fetched(NAME, { revision: 'v2' });
    expect([old.hub?.commit, next.hub?.commit]).toEqual([COMMIT, NEXT_COMMIT]);
    expect(readFileSync(join(next.folder, 'config.json'), 'utf8')).toBe('{}');
    expect(hub.log.filter((line) => line.startsWith('cdn'))).toHaveLength(1);
  });

  it('says what a repository has instead of weights that can be read', async () => {
    model({ 'tf_model.h5': LARGE, 'onnx/model.onnx': LARGE });
    const work = fetched(NAME);
    await expect(work).rejects.toBeInstanceOf(HubError);
    await expect(work).rejects.toThrow(
      /google\/tiny has no weights \(safetensors or pytorch\) at main; it has config\.json, tf_model\.h5, onnx\/model\.onnx/,
    );
    hub.add('google/data', { 'data.csv': 'x' });
    await expect(fetched('google/data')).rejects.toThrow(/google\/data has no config\.json at main; it has data\.csv/);
  });

  it('says what the cache lacks when the hub cannot be asked', async () => {
    model({ 'pytorch_model.bin': LARGE });
    await fetched(NAME);
    const snapshot = join(root, 'a/b/cache/models--google--tiny/snapshots', COMMIT);
    rmSync(join(snapshot, 'pytorch_model.bin'));
    await expect(fetched(NAME, { offline: true })).rejects.toMatchObject({
      problem: 'offline',
      message: expect.stringMatching(/is in the cache without weights \(safetensors or pytorch\), and offline mode/),
    });
  });

  it('says why the hub gave no more, when the cache has only a part', async () => {
    model({ 'pytorch_model.bin': LARGE });
    const { folder } = await fetched(NAME);
    rmSync(join(folder, 'pytorch_model.bin'));
    await hub.stop();
    await expect(fetched(NAME)).rejects.toMatchObject({
      problem: 'unreachable',
      message: expect.stringMatching(
        /is in the cache without weights \(safetensors or pytorch\), and config\.json of google\/tiny could not be fetched/,
      ),
    });
  });

  it.each([
    '../../../../evil.safetensors',
    '/tmp/evil.safetensors',
    'a\\..\\evil.safetensors',
    'C:evil.safetensors',
    'nul\0.safetensors',
  ])('refuses an index that names %j, and writes nothing outside the cache', async (shard) => {
    model({ 'model.safetensors.index.json': index('s-1.safetensors', shard), 's-1.safetensors': LARGE });
    await expect(fetched(NAME)).rejects.toMatchObject({
      problem: 'name',
      message: expect.stringMatching(
        /^google\/tiny\/model\.safetensors\.index\.json names the file .* which is refused/,
      ),
    });
    expect(readdirSync(root)).toEqual(['a']);
    expect(readdirSync(join(root, 'a/b'))).toEqual(['cache']);
    expect(hub.requests.some(({ path }) => path.includes('evil'))).toBe(false);
  });

  it.each([
    ['not JSON', '{"weight_map":'],
    ['without files', '{"weight_map":{}}'],
    ['with a number for a file', index(3)],
    ['with a list', '{"weight_map":["a"]}'],
    ['null', 'null'],
  ])('names an index that is %s', async (_, text) => {
    model({ 'model.safetensors.index.json': text });
    await expect(fetched(NAME)).rejects.toThrow(CheckpointError);
    await expect(fetched(NAME)).rejects.toThrow(
      /google\/tiny\/model\.safetensors\.index\.json (is not JSON|names no files)/,
    );
  });

  it('refuses a file to be read whole that is far too large', async () => {
    model({ 'model.safetensors': LARGE });
    const large = { 'X-Repo-Commit': COMMIT, etag: '"abc"', 'content-length': '200000000' };
    hub.faults.push({ server: 'hub', path: /config/, act: status(200, large) });
    await expect(fetched(NAME)).rejects.toThrow(/config\.json of google\/tiny is refused: it has 200000000 bytes/);
  });

  it('names a shard that is missing', async () => {
    model({ 'pytorch_model.bin.index.json': index('p-1.bin') });
    await expect(fetched(NAME)).rejects.toThrow(/has pytorch_model\.bin\.index\.json but not p-1\.bin/);
  });
});

describe('fetchModel by folder', () => {
  it('takes a folder as it is, and says what is in it', async () => {
    const folder = join(root, 'model');
    mkdirSync(folder);
    writeFileSync(join(folder, 'config.json'), CONFIG);
    writeFileSync(join(folder, 'pytorch_model.bin'), LARGE);
    expect(await fetched(folder)).toMatchObject({
      folder,
      config: true,
      weights: { format: 'pytorch', files: ['pytorch_model.bin'] },
      tokenizer: [],
    });
    const run = join(root, 'run');
    mkdirSync(run);
    expect(await fetched(run)).toMatchObject({ folder: run, config: false, tokenizer: [] });
    expect(hub.requests).toEqual([]);
  });

  it.each([
    ['./nothing', /^\.\/nothing is not a folder/],
    ['/nowhere/model', /is not a folder/],
    ['~/model', /is not a folder/],
    ['runs/mini/best', /is neither a folder nor the name of a repository: it has more than one slash/],
    ['my model', /is neither a folder nor the name of a repository: owner and name are letters/],
    ['', /neither a folder nor the name of a repository: it is empty/],
  ])('says of %j that it is neither folder nor name', async (word, message) => {
    await expect(fetched(word)).rejects.toThrow(CheckpointError);
    await expect(fetched(word)).rejects.toThrow(message);
    expect(hub.requests).toEqual([]);
  });

  it('says of a file that it is one', async () => {
    const file = join(root, 'model.safetensors');
    writeFileSync(file, '');
    await expect(fetched(file)).rejects.toThrow(/model\.safetensors is a file; |model\.safetensors is a file\./);
  });

  it('says of a name that neither is there nor on the hub, or that the hub cannot be asked about', async () => {
    await expect(fetched('runs/mini', { offline: true })).rejects.toMatchObject({
      problem: 'offline',
      message: expect.stringMatching(
        /^runs\/mini is no folder here, and as a name: runs\/mini at main is not in the cache/,
      ),
    });
    await expect(fetched('runs/mini')).rejects.toMatchObject({
      problem: 'repositoryNotFound',
      message: expect.stringMatching(
        /^runs\/mini is no folder here, and as a name: there is no repository runs\/mini at /,
      ),
    });
  });
});
