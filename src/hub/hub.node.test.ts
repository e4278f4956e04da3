import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SYSTEM_CLOCK } from './clock.js';
import type { HubEvent } from './events.js';
import { lockFile } from './fileLock.node.js';
import { type HubDependencies, HubRepository } from './hub.node.js';
import { HubError } from './hubError.js';
import type { HubOptions } from './settings.node.js';
import { TestClock } from './testClock.js';
import { COMMIT, cutAfter, gitHash, NEXT_COMMIT, status, TestHub } from './testHub.node.js';

const NAME = 'google/tiny';
const FOLDER = 'models--google--tiny';
const CONFIG = '{"model_type":"electra"}';
/** 300,000 bytes that repeat nowhere, so a piece in the wrong place shows. */
const WEIGHTS = Buffer.from(Uint32Array.from({ length: 75_000 }, (_, i) => Math.imul(i, 2_654_435_761)).buffer);
const WEIGHTS_HASH = createHash('sha256').update(WEIGHTS).digest('hex');

let root: string;
let cacheFolder: string;
let hub: TestHub;
let clock: TestClock;
let events: HubEvent[];

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'hub-'));
  cacheFolder = join(root, 'deep', 'down', 'cache');
  hub = new TestHub();
  await hub.start();
  hub.add(NAME, { 'config.json': CONFIG, 'model.safetensors': WEIGHTS, 'onnx/model.onnx': 'nested' });
  clock = new TestClock();
  events = [];
});
afterEach(async () => {
  await hub.stop();
  rmSync(root, { recursive: true });
});

function repository(options: HubOptions = {}, dependencies: HubDependencies = {}, name = NAME): HubRepository {
  const all = { endpoint: hub.endpoint, cacheFolder, token: false, ...options } as const;
  const onHubEvent = (event: HubEvent) => {
    events.push(event);
    dependencies.onHubEvent?.(event);
  };
  return new HubRepository(name, all, { clock, ...dependencies, onHubEvent });
}
const at = (...parts: string[]) => join(cacheFolder, FOLDER, ...parts);
const get = (file: string, revision = 'main') => repository().file(file, revision);
const eventsOf = <T extends HubEvent['type']>(type: T) =>
  events.filter((event): event is Extract<HubEvent, { type: T }> => event.type === type);

/** What was kept of the weights: their beginning. */
function partialFile(): Buffer {
  const partial = readFileSync(at('blobs', `${WEIGHTS_HASH}.incomplete`));
  expect(WEIGHTS.subarray(0, partial.length).equals(partial)).toBe(true);
  return partial;
}

/** Where in the file each request to the other server began. How much of a cut transfer arrives differs. */
const rangeStarts = () =>
  hub.requests.filter(({ server }) => server === 'cdn').map(({ range }) => Number(/\d+/.exec(range ?? '0')));

/** Not toEqual: it would print every byte. */
const isSame = (path: string, bytes: Uint8Array) => readFileSync(path).equals(bytes);

async function failure(work: Promise<unknown>): Promise<HubError> {
  const error = await work.then(
    () => undefined,
    (thrown) => thrown,
  );
  expect(error).toBeInstanceOf(HubError);
  return error;
}

describe('fetching a file', () => {
  it('lays it out as huggingface_hub does: blob by hash, ref, relative link', async () => {
    const config = await get('config.json');
    expect(config).toEqual({ state: 'present', path: at('snapshots', COMMIT, 'config.json'), commit: COMMIT });
    await get('model.safetensors');
    await get('onnx/model.onnx');
    expect(readFileSync(at('refs/main'), 'utf8')).toBe(COMMIT);
    const snapshot = (file: string) => at('snapshots', COMMIT, file);
    expect(readlinkSync(snapshot('config.json'))).toBe(`../../blobs/${gitHash(Buffer.from(CONFIG))}`);
    expect(readlinkSync(snapshot('model.safetensors'))).toBe(`../../blobs/${WEIGHTS_HASH}`);
    expect(readlinkSync(snapshot('onnx/model.onnx'))).toBe(`../../../blobs/${gitHash(Buffer.from('nested'))}`);
    expect(readFileSync(snapshot('model.safetensors'))).toEqual(WEIGHTS);
    expect(readdirSync(join(cacheFolder, '.locks', FOLDER))).toContain(`${WEIGHTS_HASH}.lock`);
    expect(readdirSync(at('blobs')).filter((name) => name.includes('incomplete'))).toEqual([]);
  });

  it('asks once for what it has, and never for a commit that it has', async () => {
    await get('config.json');
    hub.requests.length = 0;
    await get('config.json');
    expect(hub.log).toEqual(['hub HEAD config.json']);
    await get('config.json', COMMIT);
    expect(hub.log).toHaveLength(1);
  });

  it('fetches of a new commit only what has changed', async () => {
    const { commits, refs } = hub.add(NAME, { 'config.json': CONFIG, 'model.safetensors': WEIGHTS });
    await get('config.json');
    await get('model.safetensors');
    commits.set(NEXT_COMMIT, new Map([...commits.get(COMMIT)!, ['config.json', Buffer.from('{}')]]));
    refs.set('main', NEXT_COMMIT);
    hub.requests.length = 0;
    await get('config.json');
    await get('model.safetensors', NEXT_COMMIT);
    expect(hub.log).toEqual(['hub HEAD config.json', 'hub GET config.json', 'hub HEAD model.safetensors']);
    expect(readFileSync(at('snapshots', NEXT_COMMIT, 'config.json'), 'utf8')).toBe('{}');
    expect(readFileSync(at('snapshots', COMMIT, 'config.json'), 'utf8')).toBe(CONFIG);
    expect(readFileSync(at('refs/main'), 'utf8')).toBe(NEXT_COMMIT);
  });

  it('remembers that a file is absent', async () => {
    expect(await get('vocab.txt')).toEqual({ state: 'absent', commit: COMMIT });
    expect(readFileSync(at('.no_exist', COMMIT, 'vocab.txt'), 'utf8')).toBe('');
    hub.requests.length = 0;
    expect(await get('vocab.txt', COMMIT)).toEqual({ state: 'absent', commit: COMMIT });
    expect(hub.log).toEqual([]);
  });

  it('takes revisions with slashes, and a repository by its old name', async () => {
    hub.repositories.get(NAME)!.refs.set('refs/pr/1', COMMIT);
    await get('config.json', 'refs/pr/1');
    expect(hub.requests[0].path).toBe(`/${NAME}/resolve/refs%2Fpr%2F1/config.json`);
    expect(readFileSync(at('refs/refs/pr/1'), 'utf8')).toBe(COMMIT);
    hub.renamed.set('old-name', NAME);
    const old = await repository({}, {}, 'old-name').file('model.safetensors', 'main');
    expect(old.state === 'present' && old.path).toContain('models--old-name');
  });

  it('copies where links cannot be made', async () => {
    process.env.HF_HUB_DISABLE_SYMLINKS = '1';
    try {
      await get('config.json');
      await get('config.json');
    } finally {
      delete process.env.HF_HUB_DISABLE_SYMLINKS;
    }
    expect(lstatSync(at('snapshots', COMMIT, 'config.json')).isFile()).toBe(true);
    expect(hub.log).toEqual(['hub HEAD config.json', 'hub GET config.json', 'hub HEAD config.json']);
  });

  it('tells how far it is', async () => {
    await get('model.safetensors');
    expect(events[0]).toEqual({ type: 'start', file: 'model.safetensors', bytes: WEIGHTS.length, resumedFrom: 0 });
    expect(eventsOf('progress').length).toBeGreaterThan(0);
    expect(events.at(-1)).toMatchObject({ type: 'done', file: 'model.safetensors', bytes: WEIGHTS.length });
  });
});

describe('the token', () => {
  it('goes to the hub and not to the server that it redirects to', async () => {
    hub.repositories.get(NAME)!.token = 'hf_secret';
    await repository({ token: 'hf_secret' }).file('model.safetensors', 'main');
    const sent = hub.requests.map(({ server, method, authorization }) => [server, method, authorization]);
    expect(sent).toEqual([
      ['hub', 'HEAD', 'Bearer hf_secret'],
      ['hub', 'GET', 'Bearer hf_secret'],
      ['cdn', 'GET', undefined],
    ]);
  });

  it('is asked for by a gated repository, with the way to get access', async () => {
    hub.repositories.get(NAME)!.gated = true;
    const error = await failure(get('config.json'));
    expect(error).toMatchObject({ problem: 'gated', status: 401 });
    expect(error.message).toContain(`Ask for access at ${hub.endpoint}/${NAME} and give a token`);
    const refused = await failure(repository({ token: 'other' }).file('config.json', 'main'));
    expect(refused).toMatchObject({ problem: 'gated', status: 403 });
  });

  it('is named when it is wrong, and is itself in no message', async () => {
    const error = await failure(repository({ token: 'wrong' }).file('config.json', 'main'));
    expect(error).toMatchObject({ problem: 'refused', status: 401 });
    expect(error.message).toMatch(/Invalid credentials.*Check the token in HF_TOKEN/);
    const odd = () => repository({ token: 'hf secret\n' });
    expect(odd).toThrow(/the token has a space/);
    expect(odd).not.toThrow(/secret/);
  });
});

describe('what is not there', () => {
  it('is told apart: repository, revision, file', async () => {
    const error = await failure(repository({}, {}, 'google/nothing').file('config.json', 'main'));
    expect(error).toMatchObject({ problem: 'repositoryNotFound', status: 401 });
    expect(error.message).toMatch(/there is no repository google\/nothing at .*if it is private/);
    const revision = await failure(get('config.json', 'v9'));
    expect(revision).toMatchObject({ problem: 'revisionNotFound', status: 404 });
    expect(revision.message).toContain('google/tiny has no revision "v9"');
    expect(await get('nothing.txt')).toMatchObject({ state: 'absent' });
  });

  it('is an address that is no hub', async () => {
    hub.faults.push({ server: 'hub', path: /config/, act: status(200, { etag: '"x"' }) });
    const error = await failure(get('config.json'));
    expect(error).toMatchObject({ problem: 'protocol' });
    expect(error.message).toMatch(/gives no X-Repo-Commit.*Check HF_ENDPOINT/);
  });
});

describe('a transfer that fails', () => {
  it('goes on where the connection was cut', async () => {
    hub.faults.push({ server: 'cdn', path: /./, act: cutAfter(100_000) });
    hub.faults.push({ server: 'cdn', path: /./, act: cutAfter(50_000) });
    await get('model.safetensors');
    expect(isSame(at('snapshots', COMMIT, 'model.safetensors'), WEIGHTS)).toBe(true);
    const [none, first, second] = rangeStarts();
    expect([none, first > 0, first <= 100_000, second > first, second <= first + 50_000]).toEqual([
      0,
      true,
      true,
      true,
      true,
    ]);
    // Each failure came after data, so patience began anew: one second both times.
    expect(clock.waits).toEqual([1000, 1000]);
    expect(eventsOf('retry').map(({ file }) => file)).toEqual(['model.safetensors', 'model.safetensors']);
  });

  it('starts again when the server says that the content is another one, or sends all of it', async () => {
    // The server that cut the connection called the content "cut"; the next one does not know that name.
    hub.faults.push({ server: 'cdn', path: /./, act: cutAfter(100_000) });
    await get('model.safetensors');
    expect(hub.requests.at(-1)).toMatchObject({ range: expect.stringMatching(/^bytes=\d+-$/), ifRange: '"cut"' });
    expect(eventsOf('checking')).toHaveLength(1);
    expect(isSame(at('blobs', WEIGHTS_HASH), WEIGHTS)).toBe(true);
  });

  it('takes up the partial file that a process left behind', async () => {
    mkdirSync(at('blobs'), { recursive: true });
    writeFileSync(at('blobs', `${WEIGHTS_HASH}.incomplete`), WEIGHTS.subarray(0, 123_456));
    await get('model.safetensors');
    expect(hub.log.at(-1)).toMatch(/^cdn GET .* bytes=123456-$/);
    expect(events[0]).toMatchObject({ type: 'start', resumedFrom: 123_456 });
    expect(isSame(at('blobs', WEIGHTS_HASH), WEIGHTS)).toBe(true);
    expect(readdirSync(at('blobs'))).toEqual([WEIGHTS_HASH]);
  });

  it('names a partial file that is already whole after only checking it', async () => {
    mkdirSync(at('blobs'), { recursive: true });
    writeFileSync(at('blobs', `${WEIGHTS_HASH}.incomplete`), WEIGHTS);
    await get('model.safetensors');
    expect(hub.log).toEqual(['hub HEAD model.safetensors']);
    expect(isSame(at('blobs', WEIGHTS_HASH), WEIGHTS)).toBe(true);
  });

  it.each([
    ['of other content', Buffer.alloc(150_000, 7)],
    ['longer than the file', Buffer.alloc(WEIGHTS.length + 5, 7)],
    ['of the same length and other content', Buffer.alloc(WEIGHTS.length, 7)],
  ])('fetches anew over a partial file %s', async (_, partial) => {
    mkdirSync(at('blobs'), { recursive: true });
    writeFileSync(at('blobs', `${WEIGHTS_HASH}.incomplete`), partial);
    await get('model.safetensors');
    expect(isSame(at('blobs', WEIGHTS_HASH), WEIGHTS)).toBe(true);
  });

  it('keeps what it has when patience ends, for the next time', async () => {
    hub.faults.push({ server: 'cdn', path: /./, act: cutAfter(100_000) });
    for (let i = 0; i < 6; i++) hub.faults.push({ server: 'cdn', path: /./, act: status(503) });
    const error = await failure(get('model.safetensors'));
    expect(error).toMatchObject({ problem: 'unreachable', status: 503 });
    expect(error.message).toMatch(
      /model\.safetensors of google\/tiny could not be fetched: .* answered 503\. .*is kept/,
    );
    expect(clock.waits).toEqual([1000, 2000, 4000, 8000, 8000]);
    const { length } = partialFile();
    expect(length).toBeGreaterThan(0);
    await get('model.safetensors');
    expect(rangeStarts().at(-1)).toBe(length);
    expect(isSame(at('blobs', WEIGHTS_HASH), WEIGHTS)).toBe(true);
  });

  it('waits as long as a busy hub asks, in seconds, as a date or by its own header, but not for hours', async () => {
    const date = new Date(clock.now() + 7000).toUTCString();
    hub.faults.push({ server: 'hub', path: /./, act: status(429, { 'retry-after': '3' }) });
    hub.faults.push({ server: 'hub', path: /./, act: status(429, { 'retry-after': date }) });
    hub.faults.push({ server: 'hub', path: /./, act: status(429, { ratelimit: '"api";r=0;t=55' }) });
    await get('config.json');
    expect(clock.waits).toEqual([3000, 4000, 55_000]);
    hub.faults.push({ server: 'hub', path: /./, act: status(429, { 'retry-after': '7200' }) });
    const elsewhere = repository({ cacheFolder: join(root, 'empty') });
    const error = await failure(elsewhere.file('model.safetensors', 'main'));
    expect(error.message).toMatch(/answered 429; it asks to wait 7200 s/);
  });

  it('gives up on silence, and not on slowness', async () => {
    let dripped = 0;
    hub.faults.push({
      server: 'cdn',
      path: /./,
      act: (_request, response, body) => {
        response.writeHead(200, { 'content-length': body!.length });
        const next = () => response.write(body!.subarray(dripped * 10_000, ++dripped * 10_000));
        next();
        drip = next;
        return true;
      },
    });
    let drip: () => void = () => {};
    const onEvent = ({ type }: HubEvent) => {
      if (type !== 'progress') return;
      // Nine seconds between pieces, ten allowed; after ten pieces, more.
      if (dripped < 10) {
        clock.advance(9000);
        drip();
      } else if (dripped++ === 10) {
        setTimeout(() => clock.advance(10_000), 20);
      }
    };
    await repository({}, { onHubEvent: onEvent }).file('model.safetensors', 'main');
    expect(eventsOf('retry')).toMatchObject([{ reason: expect.stringMatching(/gave no data for 10 s/) }]);
    expect(hub.log.at(-1)).toMatch(/bytes=100000-$/);
    expect(isSame(at('blobs', WEIGHTS_HASH), WEIGHTS)).toBe(true);
  });

  it('gives up on a hub that takes the question and never answers', async () => {
    hub.faults.push({
      server: 'hub',
      path: /./,
      act: () => {
        setTimeout(() => clock.advance(10_000), 20);
        return true;
      },
    });
    await get('config.json');
    expect(eventsOf('retry')).toMatchObject([{ reason: expect.stringMatching(/gave no answer for 10 s/) }]);
  });

  it('refuses content of another hash or size, and keeps nothing of it', async () => {
    const send = (body: Buffer, length: number) => ({
      server: 'cdn' as const,
      path: /./,
      act: (_: unknown, response: import('node:http').ServerResponse) => {
        response.writeHead(200, { 'content-length': length }).end(body);
        return true;
      },
    });
    hub.faults.push(send(Buffer.alloc(WEIGHTS.length, 1), WEIGHTS.length));
    const wrong = await failure(get('model.safetensors'));
    expect(wrong).toMatchObject({ problem: 'damaged' });
    expect(wrong.message).toMatch(new RegExp(`damaged: its SHA-256 is not ${WEIGHTS_HASH}`));
    const tooMuch = Buffer.alloc(WEIGHTS.length + 1, 1);
    hub.faults.push(send(tooMuch, tooMuch.length));
    expect((await failure(get('model.safetensors'))).message).toMatch(/more than its 300000 bytes were sent/);
    expect(readdirSync(at('blobs'))).toEqual([]);
    hub.faults.push({
      server: 'hub',
      path: /./,
      method: 'GET',
      act: (_, response) => !!response.end('{"model":"other"}'),
    });
    expect((await failure(get('config.json'))).message).toMatch(
      /config.json of google\/tiny.* is damaged: its SHA-1 is not/,
    );
    expect(existsSync(at('snapshots', COMMIT, 'config.json'))).toBe(false);
  });

  it('takes the SHA-1 of the content for a hash as well, as some mirrors give it', async () => {
    hub.etag = (body) => createHash('sha1').update(body).digest('hex');
    await get('config.json');
    await get('model.safetensors');
    expect(isSame(at('snapshots', COMMIT, 'model.safetensors'), WEIGHTS)).toBe(true);
  });

  it('does not go on from a partial file that no hash would check', async () => {
    hub.etag = () => 'no-hash';
    mkdirSync(at('blobs'), { recursive: true });
    writeFileSync(at('blobs', 'no-hash.incomplete'), Buffer.alloc(150_000, 7));
    await get('model.safetensors');
    expect(isSame(at('blobs', 'no-hash'), WEIGHTS)).toBe(true);
  });

  it('fetches anew what is damaged in the cache by its size', async () => {
    await get('model.safetensors');
    truncateSync(at('blobs', WEIGHTS_HASH), 1000);
    await get('model.safetensors');
    expect(eventsOf('note')[0].text).toMatch(/has 1000 bytes instead of 300000; fetching it anew/);
    expect(isSame(at('blobs', WEIGHTS_HASH), WEIGHTS)).toBe(true);
  });

  it('stops when told to, and keeps what was fetched', async () => {
    const controller = new AbortController();
    hub.faults.push({ server: 'cdn', path: /./, act: cutAfter(100_000) });
    const onEvent = ({ type }: HubEvent) => type === 'retry' && controller.abort();
    const work = repository({}, { onHubEvent: onEvent, signal: controller.signal }).file('model.safetensors', 'main');
    await expect(work).rejects.toMatchObject({ name: 'AbortError' });
    expect(partialFile().length).toBeGreaterThan(0);
  });
});

describe('without the network', () => {
  it('offline mode asks nobody and finds what is there', async () => {
    await get('config.json');
    await get('vocab.txt');
    hub.requests.length = 0;
    const offline = repository({ offline: true });
    expect(await offline.file('config.json', 'main')).toMatchObject({ state: 'present' });
    expect(await offline.file('vocab.txt', 'main')).toMatchObject({ state: 'absent' });
    expect(await offline.file('model.safetensors', 'main')).toEqual({ state: 'unknown', commit: COMMIT });
    const error = await failure(offline.file('config.json', 'v2'));
    expect(error).toMatchObject({ problem: 'offline' });
    expect(error.message).toMatch(/google\/tiny at v2 is not in the cache.*offline mode.*has it at main/);
    expect(hub.log).toEqual([]);
  });

  it('the cache serves, once it is said why, and the hub is left alone', async () => {
    await get('config.json');
    await get('vocab.txt');
    await hub.stop();
    const cut = repository();
    expect(await cut.file('config.json', 'main')).toMatchObject({ state: 'present', commit: COMMIT });
    expect(await cut.file('vocab.txt', 'main')).toMatchObject({ state: 'absent' });
    expect(eventsOf('cached')).toMatchObject([{ commit: COMMIT, reason: expect.stringMatching(/ECONNREFUSED/) }]);
    expect(clock.waits).toEqual([]);
    const error = await failure(repository({}, {}, 'google/other').file('config.json', 'main'));
    expect(error).toMatchObject({ problem: 'unreachable' });
    // Nothing to fall back on: worth two more tries.
    expect(clock.waits).toEqual([1000, 2000]);
  });

  it('the cache serves for a repository that is gated or gone meanwhile, but not for a revision that is', async () => {
    await get('config.json');
    hub.repositories.get(NAME)!.gated = true;
    expect(await get('config.json')).toMatchObject({ state: 'present' });
    expect(eventsOf('cached')[0].reason).toMatch(/gated/);
    hub.repositories.get(NAME)!.gated = false;
    hub.repositories.get(NAME)!.refs.delete('main');
    expect(await failure(get('config.json'))).toMatchObject({ problem: 'revisionNotFound' });
  });
});

describe('a file of more than is wanted', () => {
  it('is not even begun, or when its size is not said cut off', async () => {
    const limited = () => repository().file('model.safetensors', 'main', { maxBytes: 100_000 });
    expect((await failure(limited())).message).toMatch(
      /model\.safetensors of google\/tiny is refused: it has 300000 bytes/,
    );
    expect(hub.log).toEqual(['hub HEAD model.safetensors']);
    const answer = { 'X-Repo-Commit': COMMIT, etag: `"${WEIGHTS_HASH}"`, 'transfer-encoding': 'chunked' };
    hub.faults.push({ server: 'hub', path: /./, method: 'HEAD', act: status(200, answer) });
    let sent = 0;
    hub.faults.push({
      server: 'hub',
      path: /./,
      method: 'GET',
      act: (_request, response) => {
        const more = () => {
          if (response.destroyed || ++sent > 1000) response.end();
          else response.write(WEIGHTS, () => setImmediate(more));
        };
        more();
        return true;
      },
    });
    expect((await failure(limited())).message).toMatch(/is refused: it has more than 100000 bytes/);
    expect(sent).toBeLessThan(1000);
    expect(existsSync(at('blobs', WEIGHTS_HASH))).toBe(false);
  });
});

describe('several at once', () => {
  it('fetch a file once', async () => {
    await Promise.all([get('model.safetensors'), get('model.safetensors'), get('model.safetensors')]);
    expect(hub.log.filter((line) => line.startsWith('cdn'))).toHaveLength(1);
    expect(isSame(at('blobs', WEIGHTS_HASH), WEIGHTS)).toBe(true);
  });

  it('wait for a process that holds the lock, and then find its file', async () => {
    mkdirSync(join(cacheFolder, '.locks', FOLDER), { recursive: true });
    const path = join(cacheFolder, '.locks', FOLDER, `${WEIGHTS_HASH}.lock`);
    const lock = await lockFile(path, { clock: SYSTEM_CLOCK, onWait: () => {} });
    expect(lock.isHeld).toBe(true);
    const onEvent = ({ type }: HubEvent) => {
      if (type !== 'waiting') return;
      mkdirSync(at('blobs'), { recursive: true });
      writeFileSync(at('blobs', WEIGHTS_HASH), WEIGHTS);
      void lock.release();
    };
    await repository({}, { onHubEvent: onEvent }).file('model.safetensors', 'main');
    expect(eventsOf('waiting')).toHaveLength(1);
    expect(hub.log).toEqual(['hub HEAD model.safetensors']);
  });

  it('have a partial file each where there are no locks', async () => {
    // A folder in the lock's place: it cannot be opened.
    mkdirSync(join(cacheFolder, '.locks', FOLDER, `${WEIGHTS_HASH}.lock`), { recursive: true });
    mkdirSync(at('blobs'), { recursive: true });
    writeFileSync(at('blobs', `${WEIGHTS_HASH}.incomplete`), "another's");
    let seen: string[] = [];
    const onEvent = ({ type }: HubEvent) => {
      if (type === 'checking') seen = [...seen, ...readdirSync(at('blobs'))];
    };
    await Promise.all([1, 2].map(() => repository({}, { onHubEvent: onEvent }).file('model.safetensors', 'main')));
    expect(seen.filter((name) => /^[0-9a-f]{64}\.[0-9a-f]{8}\.incomplete$/.test(name)).length).toBeGreaterThan(0);
    expect(isSame(at('blobs', WEIGHTS_HASH), WEIGHTS)).toBe(true);
    expect(readFileSync(at('blobs', `${WEIGHTS_HASH}.incomplete`), 'utf8')).toBe("another's");
    expect(readdirSync(at('blobs'))).toHaveLength(2);
  });
});

describe('names from a server', () => {
  it.each([
    ['a commit', { 'X-Repo-Commit': '../../../../evil', etag: '"abc"' }],
    ['an ETag', { 'X-Repo-Commit': COMMIT, etag: '"../../../evil"' }],
    ['an ETag of dots', { 'X-Repo-Commit': COMMIT, etag: '".."' }],
  ])('are refused when they would lead out of the cache: %s', async (_, headers) => {
    hub.faults.push({ server: 'hub', path: /config/, act: status(200, headers) });
    expect(await failure(get('config.json'))).toMatchObject({ problem: 'protocol' });
    expect(readdirSync(root, { recursive: true })).toEqual([]);
  });

  it('are refused as a redirect to a file', async () => {
    hub.faults.push({ server: 'hub', path: /config/, act: status(302, { location: 'file:///etc/passwd' }) });
    expect(await failure(get('config.json'))).toMatchObject({ problem: 'protocol' });
  });

  it('of a redirect that goes in circles end', async () => {
    for (let i = 0; i < 11; i++) {
      hub.faults.push({
        server: 'hub',
        path: /config/,
        act: status(302, { location: `/${NAME}/resolve/main/config.json` }),
      });
    }
    expect((await failure(get('config.json'))).message).toMatch(/redirects more than 10 times/);
  });
});
