/** What somebody may try who has no business here, each tried. `npm test` builds the threads first. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../checkpoint/testCheckpoints.js';
import { keysOf } from './keys.node.js';
import { type Sent, sendRaw } from './testRequests.node.js';
import { saveTestModels, type TestServer, testServer } from './testServing.js';

const temporary = temporaryFolder('attacks');
const KEY = 'a-long-enough-key-of-ours';
const SECRET = 'zqxsecret';
const log: string[] = [];
let words: string[];
let server: TestServer;
let guarded: TestServer;
beforeAll(async () => {
  words = await saveTestModels(temporary.path, ['reviews', 'filler']);
  const small = { maxBody: 5000, maxTextLength: 200, maxTexts: 4 };
  server = await testServer(words, small, { log: { write: (line) => log.push(line) } });
  const named = { corsOrigins: 'https://our.example', allowedHosts: 'models.internal' };
  guarded = await testServer(words, named, { environment: { PLEIAD_API_KEY: `another-long-enough-key, ${KEY}` } });
});
afterAll(async () => {
  await server.stop();
  await guarded.stop();
  temporary.remove();
});

const BODY = JSON.stringify({ input: 'the chef' });
const ROUTE = '/api/text-classification';

/** Posts to the route of the tests, unless something else is said. */
const send = (to: TestServer, sent: Sent = {}) => sendRaw(to.url, { path: ROUTE, body: BODY, ...sent });

describe('a web page that its user opens', () => {
  it('cannot read answers by DNS rebinding: the Host is another', async () => {
    const others = ['localhost.evil.example', '127.0.0.1.evil.example:8080', 'evil-localhost', 'x127.0.0.1'];
    for (const host of ['evil.example', 'evil.example:80', ...others]) {
      expect((await send(server, { headers: { host } })).status, host).toBe(403);
      expect((await send(server, { method: 'GET', path: '/api/models', headers: { host } })).status, host).toBe(403);
    }
    for (const host of ['localhost', 'localhost:9999', '127.0.0.1:1', '[::1]:80', '10.0.0.7']) {
      expect((await send(server, { headers: { host } })).status, host).toBe(200);
    }
    const named = { host: 'models.internal:80', authorization: `Bearer ${KEY}` };
    expect((await send(guarded, { headers: named })).status).toBe(200);
  });

  it('cannot post: its Origin is another', async () => {
    for (const origin of ['https://evil.example', 'null', 'http://localhost:1', 'https://our.example.evil.example']) {
      expect((await send(server, { headers: { origin } })).status, origin).toBe(403);
    }
    const { host } = new URL(server.url);
    const own = await send(server, { headers: { origin: `http://${host}` } });
    expect([own.status, own.headers['access-control-allow-origin']]).toEqual([200, undefined]);
  });

  it('cannot post what needs no permission: only JSON is read', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'text/json', '']) {
      const { status } = await send(server, { headers: { 'content-type': type } });
      expect(status, type).toBe(415);
    }
    expect((await send(server, { headers: { 'content-type': 'application/json; charset=utf-8' } })).status).toBe(200);
  });

  it('is given permission only where its origin was named', async () => {
    const preflight = (to: TestServer, origin: string) =>
      send(to, { method: 'OPTIONS', body: '', headers: { origin } });
    const allowed = await preflight(guarded, 'https://our.example');
    expect([allowed.status, allowed.headers['access-control-allow-origin']]).toEqual([204, 'https://our.example']);
    const other = await preflight(guarded, 'https://evil.example');
    expect([other.status, other.headers['access-control-allow-origin']]).toEqual([403, undefined]);
    expect((await preflight(server, 'https://our.example')).status).toBe(403);
    expect((await preflight(guarded, 'https://our.example.evil.example')).status).toBe(403);
    const headers = { origin: 'https://our.example', authorization: `Bearer ${KEY}` };
    const posted = await send(guarded, { headers });
    expect([posted.status, posted.headers['access-control-allow-origin']]).toEqual([200, 'https://our.example']);
  });

  it('is shown nothing that it could run', async () => {
    const html = '<script>alert(1)</script>';
    const answer = await server.post('/models/filler', { inputs: `${html} [MASK]` });
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    const refused = await server.post(ROUTE, { [html]: 1 });
    expect([refused.status, refused.headers.get('content-type')]).toEqual([422, expect.stringMatching(/json/)]);
    const page = await server.get('/docs');
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'nonce-/);
    expect(page.text).not.toMatch(/<script|<img|<link|https?:\/\/(?!www\.w3\.org)/);
  });
});

describe('somebody without a key', () => {
  it('gets probes and nothing else', async () => {
    for (const path of ['/health', '/ping', '/readyz']) expect((await guarded.get(path)).status).toBe(200);
    for (const path of ['/', '/api/models', '/metrics', '/info', '/docs', '/openapi.json', '/v1/models', '/nowhere']) {
      expect((await guarded.get(path)).status, path).toBe(401);
    }
    const refused = await guarded.post(ROUTE, { input: 'the chef' });
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  });

  it('does not get in by a wrong one', async () => {
    for (const key of ['', 'x', KEY.slice(0, -1), `${KEY}x`, KEY.toUpperCase(), `another-long-enough-key, ${KEY}`]) {
      const { status } = await guarded.post(ROUTE, { input: 'the chef' }, { authorization: `Bearer ${key}` });
      expect(status, key).toBe(401);
    }
    for (const authorization of [KEY, `Basic ${btoa(KEY)}`]) {
      expect((await guarded.get('/api/models', { authorization })).status).toBe(401);
    }
    expect((await guarded.get('/api/models', { authorization: `Bearer ${KEY}` })).status).toBe(200);
    expect((await guarded.get('/api/models', { authorization: 'bearer another-long-enough-key' })).status).toBe(200);
  });

  it('has no server to reach from another machine', async () => {
    await expect(testServer(words, { host: '0.0.0.0' })).rejects.toThrow(
      'host is 0.0.0.0, which other machines reach, and there is no key; set one (PLEIAD_API_KEY)',
    );
    await expect(testServer(words, { host: '::' })).rejects.toThrow('there is no key');
  });

  it('has no key to guess', () => {
    expect(() => keysOf({ PLEIAD_API_KEY: 'secret' })).toThrow('fewer than 16 characters');
    expect(keysOf({ PLEIAD_API_KEY: ' , ' })).toBeUndefined();
    expect(keysOf({ PLEIAD_API_KEY: KEY })!(KEY)).toBe(true);
  });
});

describe('a name in a request', () => {
  it('leads to no file and to no hub', async () => {
    const names = [
      '../reviews',
      '..%2f..%2fetc',
      '%2e%2e',
      '/etc/passwd',
      '__proto__',
      'constructor',
      'google/electra',
    ];
    for (const name of names) {
      const path = `/models/${encodeURIComponent(name)}`;
      expect((await server.post(path, { inputs: 'a' })).status, name).toBe(404);
      expect((await server.post(ROUTE, { input: 'a', model: name })).status, name).toBe(404);
      const openAi = await server.post('/v1/embeddings', { model: name, input: 'a' });
      expect([openAi.status, openAi.json.error.code]).toEqual([404, 'model_not_found']);
    }
    expect((await send(server, { path: '/models/../../../etc/passwd' })).status).toBe(404);
    const hidden = await server.post(ROUTE, '{"input": "a", "__proto__": {"model": "filler"}}');
    expect([hidden.status, hidden.json.error]).toEqual([422, expect.stringContaining('there is no __proto__')]);
  });
});

describe('too much', () => {
  it('is refused with what and how much', async () => {
    const large = JSON.stringify({ input: 'x'.repeat(6000) });
    const error = (text: string) => JSON.parse(text).error;
    const announced = await send(server, { body: large });
    expect([announced.status, error(announced.text)]).toEqual([413, 'the body has 6012 bytes; at most 5000 are taken']);
    const inPieces = await send(server, { body: large, chunked: true });
    expect([inPieces.status, error(inPieces.text)]).toEqual([413, 'the body has more than 5000 bytes']);
    const long = await server.post(ROUTE, { input: 'x'.repeat(201) });
    expect([long.status, long.json.error]).toEqual([413, 'a text has 201 characters; at most 200 are taken']);
    const many = await server.post(ROUTE, { inputs: Array(5).fill('a') });
    expect([many.status, many.json.error]).toEqual([413, 'the request has 5 texts; at most 4 are taken']);
    const sentences = { inputs: { source_sentence: 'a', sentences: Array(5).fill('a') } };
    expect((await server.post('/models/reviews/pipeline/sentence-similarity', sentences)).status).toBe(413);
  });

  it('is refused where it is deep instead of long', async () => {
    const deep = `{"input": ${'['.repeat(2000)}${']'.repeat(2000)}}`;
    const refused = await server.post(ROUTE, deep);
    expect([refused.status, refused.json.error]).toEqual([400, 'the body is nested more than 32 deep']);
    expect((await server.post(ROUTE, { input: '[[[['.repeat(20) })).status).toBe(200);
  });
});

describe('the log', () => {
  it('has a line for each request and no word of any text', async () => {
    log.length = 0;
    await server.post(ROUTE, { input: `the chef ${SECRET}` });
    await server.post('/api/fill-mask', { input: `no mask in ${SECRET}` });
    await server.post(ROUTE, { input: 'a', options: { [SECRET]: SECRET } });
    await server.post(ROUTE, `{"input": "${SECRET}`);
    await server.post(`/models/${SECRET}?text=${SECRET}`, { inputs: SECRET });
    await server.get(`/${SECRET}`, { 'x-request-id': `bad ${SECRET}` });
    expect(log).toHaveLength(6);
    expect(log.join('')).not.toContain(SECRET);
    const [first] = log.map((line) => JSON.parse(line));
    expect(first).toMatchObject({
      method: 'POST',
      route: ROUTE,
      status: 200,
      model: 'reviews',
      texts: 1,
      tokens: 5,
      requestId: expect.any(String),
      elapsedMs: expect.any(Number),
    });
  });
});
