/** What somebody may try who has no business in the Studio, each tried. */
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../checkpoint/testCheckpoints.js';
import { type Sent, sendRaw } from '../serving/testRequests.node.js';
import { saveTestModels, testServer } from '../serving/testServing.js';
import { API_PREFIX } from './studioApi.js';
import { createStudioApp } from './studioApp.js';
import { type RunningStudio, startStudio } from './studioServer.node.js';
import type { TrainingThreadData } from './trainingOrder.js';

const temporary = temporaryFolder('studio-attacks');
const orders: TrainingThreadData[] = [];
let studio: RunningStudio;
let key: Record<string, string>;
const page = join(temporary.path, 'page');
const runs = join(temporary.path, 'runs');
const secret = join(temporary.path, 'secret');
const empty = join(temporary.path, 'empty');
const absent = join(temporary.path, 'absent');

beforeAll(async () => {
  mkdirSync(join(page, 'assets'), { recursive: true });
  writeFileSync(join(page, 'index.html'), '<!doctype html><html><head></head><body></body></html>');
  writeFileSync(join(page, 'assets/main-abc.js'), 'export {};');
  mkdirSync(secret);
  writeFileSync(join(secret, 'run.json'), '{}');
  mkdirSync(runs);
  symlinkSync(secret, join(runs, 'linked'), 'dir');
  mkdirSync(empty);
  symlinkSync(empty, join(runs, 'linked-empty'), 'dir');
  symlinkSync(absent, join(runs, 'linked-nowhere'), 'dir');
  const words = await saveTestModels(temporary.path, ['filler']);
  studio = await startStudio(
    words,
    { port: 0, runs },
    {
      page,
      threads: 1,
      onDefect: () => {},
      train: (data) => {
        orders.push(data);
        return {
          begun: Promise.reject(new Error('not in this test')),
          ended: Promise.resolve(undefined),
          stop: () => {},
        };
      },
    },
  );
  key = { authorization: `Bearer ${studio.token}` };
});
afterAll(async () => {
  await studio.stop();
  temporary.remove();
});

const send = (sent: Sent) => sendRaw(studio.url, sent);
const api = (path: string) => `${API_PREFIX}${path}`;
const get = (path: string, headers: Record<string, string> = {}) => send({ method: 'GET', path, headers });
const post = (path: string, body: unknown, headers: Record<string, string> = key) =>
  send({ path: api(path), body: typeof body === 'string' ? body : JSON.stringify(body), headers });

/** Every route that works or tells. */
const ROUTES: readonly (readonly ['GET' | 'POST', string])[] = [
  ['GET', '/place'],
  ['GET', '/models'],
  ['GET', '/data'],
  ['GET', '/runs'],
  ['GET', '/runs/a/events'],
  ['POST', '/runs'],
  ['POST', '/runs/a/stop'],
  ['POST', '/runs/a/resume'],
  ['POST', '/models/filler/files'],
  ['POST', '/calls/tokenize'],
];

describe('somebody without the token of this start', () => {
  it('gets the page, which holds nothing of the machine, and no answer from any other route', async () => {
    expect((await get('/')).status).toBe(200);
    for (const [method, path] of ROUTES) {
      const { status, headers } = await send({ method, path: api(path) });
      expect([path, status, headers['www-authenticate']]).toEqual([path, 401, 'Bearer']);
    }
    const answer = await get(api('/models'), key);
    // What it tells is kept by no cache, where a later user of the browser would find it.
    expect([answer.status, answer.headers['cache-control']]).toEqual([200, 'no-store']);
  });

  it('does not get in by a wrong one, by a part of it, in the address or in a cookie', async () => {
    const { token } = studio;
    for (const wrong of ['', 'x', token.slice(0, -1), `${token}x`, token.toLowerCase(), 'undefined']) {
      expect((await get(api('/models'), { authorization: `Bearer ${wrong}` })).status, wrong).toBe(401);
    }
    expect((await get(api('/models'), { authorization: token })).status).toBe(401);
    expect((await get(api(`/models?token=${token}`))).status).toBe(401);
    expect((await get(api('/models'), { cookie: `token=${token}` })).status).toBe(401);
  });

  it('does not find it in the page, nor in a later start: it is made anew, and has 256 bits', async () => {
    expect(studio.address).toBe(`${studio.url}/#token=${studio.token}`);
    expect(Buffer.from(studio.token, 'base64url')).toHaveLength(32);
    expect((await get('/')).text).not.toContain(studio.token);
    const other = await startStudio([], { port: 0, runs }, { page });
    await other.stop();
    expect(other.token).not.toBe(studio.token);
  });

  it('has no server to reach from another machine', () => {
    expect(new URL(studio.url).hostname).toBe('127.0.0.1');
  });
});

/** All that the page may do: whoever widens it has to say so here too. */
const POLICY = [
  "base-uri 'none'",
  "connect-src 'self'",
  "default-src 'none'",
  "font-src 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "img-src 'self' blob:",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "worker-src 'self'",
];

describe('a web page that its user opens', () => {
  it('cannot read by DNS rebinding, whatever it knows: the Host is another', async () => {
    const hosts = [
      'evil.example',
      'localhost.evil.example',
      '127.0.0.1.evil.example:8420',
      'evil-localhost',
      'x127.0.0.1',
    ];
    for (const host of hosts) {
      expect((await get(api('/models'), { ...key, host })).status, host).toBe(403);
      expect((await get('/', { host })).status, host).toBe(403);
    }
  });

  it('cannot ask: its Origin is another, that of another port of this machine included', async () => {
    for (const origin of ['https://evil.example', 'null', 'http://localhost:1', 'http://127.0.0.1:1']) {
      for (const [method, path] of ROUTES) {
        expect((await send({ method, path: api(path), headers: { ...key, origin } })).status, origin).toBe(403);
      }
    }
    const { origin } = new URL(studio.url);
    expect((await get(api('/models'), { ...key, origin })).status).toBe(200);
  });

  it('cannot post what needs no permission: only JSON is read', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', '']) {
      const answer = await post('/runs', '{}', { ...key, 'content-type': type });
      expect(answer.status, type).toBe(415);
    }
  });

  it('is given no permission by a preflight', async () => {
    const answer = await send({ method: 'OPTIONS', path: api('/models'), headers: { origin: 'https://evil.example' } });
    expect(answer.status).toBe(403);
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
  });

  it('can put the Studio in no frame, and the Studio loads nothing of any other site', async () => {
    for (const answer of [await get('/'), await get('/assets/main-abc.js'), await get(api('/models'), key)]) {
      expect(String(answer.headers['content-security-policy']).split('; ').sort()).toEqual(POLICY);
      expect(answer.headers).toMatchObject({
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
        'cross-origin-resource-policy': 'same-origin',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      });
    }
    // Errors have them too.
    expect((await get('/nowhere')).headers).toHaveProperty('content-security-policy');
  });
});

describe('a path in an address', () => {
  it('leads to no file but those of the page', async () => {
    const paths = ['/../secret/run.json', '/..%2fsecret%2frun.json', '/%2e%2e/secret/run.json', '//etc/passwd'];
    const more = [
      '/assets/../../secret/run.json',
      '/assets',
      '/package.json',
      '/runtime/../../../package.json',
      '/.git/config',
    ];
    for (const path of [...paths, ...more]) expect((await get(path)).status, path).toBe(404);
    expect((await get('/assets/main-abc.js')).status).toBe(200);
  });
});

const settings = { size: 'tiny', steps: 2 };

describe('a name in a request', () => {
  const names = ['../secret', '..', '.', '/etc', 'a/b', 'a\\b', '.hidden', '', 'a\0b', 'C:\\x', 'x'.repeat(65)];

  it('makes no folder but one below that for runs', async () => {
    for (const name of names) {
      expect((await post('/runs', { name, source: { text: 'a' }, settings })).status, name).toBe(422);
      const order = { role: 'model', name, as: 'safetensors' };
      expect((await post('/models/filler/files', order)).status, name).toBe(422);
    }
    expect(orders).toEqual([]);
  });

  it('does not write where something stands already, a link included', async () => {
    for (const name of ['linked', 'linked-empty', 'linked-nowhere']) {
      const run = await post('/runs', { name, source: { text: 'a' }, settings });
      expect([run.status, run.text]).toEqual([422, expect.stringContaining('give another name')]);
      const model = await post('/models/filler/files', { role: 'model', name, as: 'safetensors' });
      expect([model.status, model.text]).toEqual([422, expect.stringContaining('give another name')]);
    }
    expect(readdirSync(empty)).toEqual([]);
    expect(existsSync(absent)).toBe(false);
    expect(readdirSync(secret)).toEqual(['run.json']);
  });

  it('finds no run by a link, by a path or by a word that every object knows', async () => {
    for (const name of ['linked', '..%2fsecret', '%2e%2e', '__proto__', 'constructor']) {
      expect((await get(api(`/runs/${name}/events`), key)).status, name).toBe(404);
      expect((await post(`/runs/${name}/stop`, {})).status, name).toBe(404);
      expect((await post(`/runs/${name}/resume`, {})).status, name).toBe(404);
      expect((await post(`/calls/${name}`, {})).status, name).toBe(404);
    }
    expect(orders).toEqual([]);
  });

  it('finds no model and no text that was not named at the start', async () => {
    for (const model of ['../filler', secret, '/etc/passwd', '__proto__', 'google/electra-small-generator']) {
      const asked = await post('/calls/tokenize', { model, role: 'model', text: 'a' });
      expect([asked.status, asked.text], model).toEqual([422, expect.stringContaining('there is no model')]);
      const { status } = await post('/runs', { name: 'fresh', source: { data: model }, settings });
      expect(status, model).toBe(404);
    }
    expect(existsSync(join(runs, 'fresh'))).toBe(false);
  });
});

describe('settings in a request', () => {
  it('ask for no vocabulary that fills the memory', async () => {
    for (const vocabularySize of [0, 50_001, 1e12]) {
      const { status } = await post('/runs', { name: 'fresh', source: { text: 'a', vocabularySize }, settings });
      expect(status, `${vocabularySize}`).toBe(422);
    }
    expect(orders).toEqual([]);
  });

  it('name no file, no engine and no other folder', async () => {
    for (const [name, value] of [
      ['data', secret],
      ['out', secret],
      ['from', secret],
      ['tags', secret],
      ['generator', secret],
      ['engine', 'onednn'],
      ['threads', 64],
      ['resume', true],
      ['__proto__', { out: secret }],
    ] as const) {
      const body = `{"name":"fresh","source":{"text":"a"},"settings":{"size":"tiny","${name}":${JSON.stringify(value)}}}`;
      expect((await post('/runs', body)).status, name).toBe(422);
    }
    expect(orders).toEqual([]);
  });
});

describe('what a call is asked', () => {
  it('is checked before anything computes', async () => {
    const asked = { model: 'filler', role: 'model', text: 'a' };
    expect((await post('/calls/tokenize', asked)).status).toBe(200);
    for (const wrong of [{ text: 7 }, { text: ['a'] }, { text: { length: 1e9 } }, { role: 'file' }, { model: null }]) {
      const { status } = await post('/calls/tokenize', { ...asked, ...wrong });
      expect(status, JSON.stringify(wrong)).toBe(422);
    }
  });
});

describe('too much', () => {
  it('is refused where it is long or deep', async () => {
    const deep = `{"name":${'['.repeat(200)}${']'.repeat(200)}}`;
    expect((await post('/runs', deep)).status).toBe(400);
    const long = { path: api('/runs'), body: `{"name":"${'x'.repeat(20_000_001)}"}`, headers: key };
    expect((await send(long)).status).toBe(413);
    expect((await send({ ...long, chunked: true })).status).toBe(413);
  });
});

describe('a defect', () => {
  it('is told to the terminal and not to the page', async () => {
    const defects: unknown[] = [];
    const failing = new Error(`cannot read ${secret}`);
    const fails = () => Promise.reject(failing);
    const app = createStudioApp({
      guard: { allowedHosts: [], corsOrigins: [] },
      models: { list: fails, withModel: fails },
      runs: studio.runs,
      place: fails,
      data: () => [],
      write: fails,
      page: async () => undefined,
      maxBody: 1000,
      onDefect: (error) => defects.push(error),
    });
    const answer = await app.request(`http://localhost${api('/models')}`, { headers: { host: 'localhost' } });
    const text = await answer.text();
    expect([answer.status, defects]).toEqual([500, [failing]]);
    expect(text).not.toContain(secret);
    expect(text).not.toContain('studioApp');
  });
});

describe('pleiad serve', () => {
  it('has nothing of the Studio', async () => {
    const server = await testServer([join(temporary.path, 'filler')]);
    for (const [method, path] of ROUTES) {
      const { status } = await sendRaw(server.url, { method, path: api(path) });
      expect(status, path).toBe(404);
    }
    await server.stop();
  });
});
