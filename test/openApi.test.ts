/**
 * The OpenAPI document of the server: it validates, and a client whose types are made from it makes every call. `npm test` builds
 * the server's threads first.
 */
import { execFile } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Validator } from '@seriousme/openapi-schema-validator';
import openapiTypes from 'openapi-typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../src/checkpoint/testCheckpoints.js';
import { PIPELINES } from '../src/pipelines/registry.js';
import { saveTestModels, saveTestPair, type TestServer, testServer } from '../src/serving/testServing.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const temporary = temporaryFolder('open-api');
const at = (...names: string[]) => join(temporary.path, ...names);
let server: TestServer;
beforeAll(async () => {
  const pair = await saveTestPair(at('pair'));
  server = await testServer([...(await saveTestModels(temporary.path)), pair]);
});
afterAll(async () => {
  await server.stop();
  temporary.remove();
});

/** Every route with a body; hub routes name their model. */
const CALLS = `
const question = { question: 'the chef', context: 'the chef ate' };
const compared = { source_sentence: 'the chef', sentences: ['a meal', 'good'] };
const model = (id: string) => ({ params: { path: { id } } });
const post = {
  '/api/fill-mask': client.POST('/api/fill-mask', { body: { input: 'the [MASK]', options: { topK: 2 } } }),
  '/api/replaced-token-detection': client.POST('/api/replaced-token-detection', { body: { input: 'the chef' } }),
  '/api/proofread': client.POST('/api/proofread', { body: { input: 'the chef ate', model: 'pair', options: { threshold: 0.5 } } }),
  '/api/fill-span': client.POST('/api/fill-span', { body: { input: 'the [MASK]', options: { pieces: [1, 2], by: 'mlm' } } }),
  '/api/question-answering': client.POST('/api/question-answering', { body: { inputs: [question], options: { topK: 2 } } }),
  '/api/text-classification': client.POST('/api/text-classification', { body: { input: { text: 'a', textPair: 'the' } } }),
  '/api/zero-shot-classification': client.POST('/api/zero-shot-classification', { body: { input: 'a', options: { labels: { x: ['good'], y: 'meal' } } } }),
  '/api/sentence-similarity': client.POST('/api/sentence-similarity', { body: { input: { sourceSentence: 'a', sentences: ['the'] } } }),
  '/api/token-classification': client.POST('/api/token-classification', { body: { input: 'a', options: { aggregation: 'none' } } }),
  '/api/multiple-choice': client.POST('/api/multiple-choice', { body: { input: { question: 'a', choices: ['the', 'meal'] } } }),
  '/api/relation': client.POST('/api/relation', { body: { input: { text: 'the chef ate', head: { start: 0, end: 3 }, tail: { start: 4, end: 8 } } } }),
  '/api/feature-extraction': client.POST('/api/feature-extraction', { body: { input: 'a', model: 'encoder', options: { pooling: 'mean' } } }),
  '/models/{id}/pipeline/question-answering': client.POST('/models/{id}/pipeline/question-answering', { ...model('qa'), body: { inputs: question, parameters: { top_k: 2 } } }),
  '/models/{id}/pipeline/fill-mask': client.POST('/models/{id}/pipeline/fill-mask', { ...model('filler'), body: { inputs: 'the [MASK]' } }),
  '/models/{id}/pipeline/token-classification': client.POST('/models/{id}/pipeline/token-classification', { ...model('tagger'), body: { inputs: 'a' } }),
  '/models/{id}/pipeline/text-classification': client.POST('/models/{id}/pipeline/text-classification', { ...model('reviews'), body: { inputs: 'a' } }),
  '/models/{id}/pipeline/zero-shot-classification': client.POST('/models/{id}/pipeline/zero-shot-classification', { ...model('detector'), body: { inputs: 'a', parameters: { candidate_labels: ['good', 'meal'] } } }),
  '/models/{id}/pipeline/feature-extraction': client.POST('/models/{id}/pipeline/feature-extraction', { ...model('encoder'), body: { inputs: ['a'], normalize: true } }),
  '/models/{id}/pipeline/sentence-similarity': client.POST('/models/{id}/pipeline/sentence-similarity', { ...model('encoder'), body: { inputs: compared } }),
  '/models/{id}': client.POST('/models/{id}', { ...model('reviews'), body: { inputs: 'a' } }),
  '/embed': client.POST('/embed', { body: { inputs: ['a', 'the'], dimensions: 4 } }),
  '/predict': client.POST('/predict', { body: { inputs: [['a'], ['a', 'the']] } }),
  '/rerank': client.POST('/rerank', { body: { query: 'a', texts: ['the'], model: 'reranker' } }),
  '/similarity': client.POST('/similarity', { body: { inputs: compared } }),
  '/tokenize': client.POST('/tokenize', { body: { inputs: 'a' } }),
  '/v1/embeddings': client.POST('/v1/embeddings', { body: { model: 'encoder', input: ['a'], encoding_format: 'base64' } }),
};
const text = { parseAs: 'text' } as const;
const get = {
  '/': client.GET('/'),
  '/api/models': client.GET('/api/models'),
  '/health': client.GET('/health'),
  '/ping': client.GET('/ping'),
  '/readyz': client.GET('/readyz'),
  '/metrics': client.GET('/metrics', text),
  '/info': client.GET('/info'),
  '/v1/models': client.GET('/v1/models'),
  '/v1/models/{id}': client.GET('/v1/models/{id}', model('qa')),
  '/openapi.json': client.GET('/openapi.json'),
  '/docs': client.GET('/docs', text),
};
`;

/** What the types must know, and what they must refuse. */
const CLIENT = `import createClient from 'openapi-fetch';
import type { paths } from './types.js';
const client = createClient<paths>({ baseUrl: process.argv[2] });
${CALLS}
const { data, error } = await post['/api/question-answering'];
if (data && Array.isArray(data)) for (const each of data) if (!Array.isArray(each)) each.answer.toUpperCase();
if (error) error.error.toUpperCase();
(await get['/api/models']).data?.models[0].id.toUpperCase();
(await post['/models/{id}/pipeline/text-classification']).data?.[0][0].label.toUpperCase();
(await post['/v1/embeddings']).data?.data[0].index.toFixed();
function wrong() {
  // @ts-expect-error: a number is no option of that name
  void client.POST('/api/question-answering', { body: { input: question, options: { topK: 'three' } } });
  // @ts-expect-error: no such route
  void client.POST('/nowhere', { body: {} });
  // @ts-expect-error: a model must be named
  void client.POST('/models/{id}/pipeline/fill-mask', { body: { inputs: 'a' } });
}
void wrong;
const results: Record<string, unknown> = {};
for (const [path, call] of [...Object.entries(post), ...Object.entries(get).map(([path, call]) => ['GET ' + path, call] as const)]) {
  const { response, error } = await call;
  results[path] = error ?? response.status;
}
console.log(JSON.stringify(results));
`;

describe('the OpenAPI document', () => {
  it('validates, and has a route for every pipeline', async () => {
    const { json } = await server.get('/openapi.json');
    const { valid, errors } = await new Validator().validate(json);
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
    for (const name of Object.keys(PIPELINES)) expect(json.paths[`/api/${name}`]?.post, name).toBeDefined();
    // Nothing is said by a pointer that leads out of its schema.
    expect(JSON.stringify(json)).not.toContain('$defs');
  });

  it('has routes that are there, and all that are', async () => {
    const { json } = await server.get('/openapi.json');
    for (const [path, methods] of Object.entries<object>(json.paths)) {
      for (const method of Object.keys(methods)) {
        const url = path.replace('{id}', 'qa');
        const { status } = method === 'get' ? await server.get(url) : await server.post(url, {});
        expect(status, `${method} ${path}`).not.toBe(404);
      }
    }
  });

  it('makes a typed client, which makes every call', { timeout: 120_000 }, async () => {
    const { json } = await server.get('/openapi.json');
    writeFileSync(at('types.d.ts'), await openapiTypes(json));
    writeFileSync(at('client.ts'), CLIENT);
    writeFileSync(at('package.json'), '{ "type": "module" }');
    symlinkSync(join(ROOT, 'node_modules'), at('node_modules'), 'dir');
    const compilerOptions = { target: 'ES2022', module: 'NodeNext', strict: true, skipLibCheck: true, types: ['node'] };
    writeFileSync(at('tsconfig.json'), JSON.stringify({ compilerOptions, include: ['client.ts', 'types.d.ts'] }));
    const run = promisify(execFile);
    await run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', at('tsconfig.json')]).catch(
      ({ stdout }) => expect(stdout).toBe(''),
    );
    const { stdout } = await run(process.execPath, [at('client.js'), server.url]);
    const results = JSON.parse(stdout);
    const routes = Object.entries<object>(json.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => (method === 'get' ? `GET ${path}` : path)),
    );
    // POST / is for a server of one model.
    const expected = routes.filter((route) => route !== '/').map((route) => [route, 200]);
    expect(results).toEqual(Object.fromEntries(expected));
  });
});
