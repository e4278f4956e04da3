/** Our own routes: what they answer is what the pipelines give, to the bit. `npm test` builds the threads first. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../checkpoint/testCheckpoints.js';
import { pipeline } from '../pipelines/pipeline.node.js';
import { PIPELINES, type PipelineName } from '../pipelines/registry.js';
import { saveTestModels, saveTestPair, type TestServer, testServer } from './testServing.js';

const temporary = temporaryFolder('own-routes');
let server: TestServer;
beforeAll(async () => {
  const places = await saveTestModels(temporary.path);
  await saveTestPair(join(temporary.path, 'pair'));
  server = await testServer([...places, join(temporary.path, 'pair')]);
});
afterAll(async () => {
  await server.stop();
  temporary.remove();
});

const TEXTS = ['the chef ate a meal', 'a good meal', '한국어 안녕 the chef'];

/** For each pipeline the model that does it, inputs, and options. */
const CASES: Readonly<Record<PipelineName, readonly [model: string, inputs: readonly unknown[], options: object]>> = {
  'fill-mask': ['filler', ['the [MASK] ate', '[MASK] good [MASK]'], { topK: 3 }],
  'replaced-token-detection': ['detector', TEXTS, {}],
  'fill-span': ['filler', ['the [MASK] meal', 'a [MASK] .'], { pieces: 2, topK: 2 }],
  proofread: ['pair', TEXTS, { threshold: 0.2, topK: 2 }],
  'question-answering': ['qa', TEXTS.map((context) => ({ question: 'the chef', context })), { topK: 2 }],
  'text-classification': ['reviews', [...TEXTS, { text: 'a meal', textPair: 'the chef' }], { topK: 3 }],
  'zero-shot-classification': ['detector', TEXTS, { labels: ['good', 'ate'], calibrate: true }],
  'sentence-similarity': ['encoder', TEXTS.map((text) => ({ sourceSentence: text, sentences: TEXTS })), {}],
  'token-classification': ['tagger', TEXTS, { aggregation: 'simple', ignoreLabels: [] }],
  'multiple-choice': ['chooser', [{ question: 'the chef', choices: ['a meal', 'ate'] }], { topK: 2 }],
  relation: ['relations', ['<e1>the chef</e1> ate <e2>a meal</e2>'], { topK: 2 }],
  'feature-extraction': ['encoder', TEXTS, { pooling: 'mean', normalize: true }],
};

/** As JSON has it. */
const plain = (value: unknown) =>
  JSON.parse(JSON.stringify(value, (_, each) => (each instanceof Float32Array ? Array.from(each) : each)));

async function expected(name: PipelineName, inputs: readonly unknown[], options: object): Promise<unknown[]> {
  const [model] = CASES[name];
  const own = await pipeline(name, { model: join(temporary.path, model), threads: 1, batchSize: 32 });
  const call = own as unknown as (inputs: readonly unknown[], options: object) => Promise<unknown[]>;
  const results = await call(inputs, options);
  await own.release();
  return plain(results);
}

describe.each(Object.keys(PIPELINES) as PipelineName[])('POST /api/%s', (name) => {
  const [model, inputs, options] = CASES[name];

  it('gives what the pipeline gives for the same batch, to the bit', async () => {
    const { status, json, text } = await server.post(`/api/${name}`, { model, inputs, options });
    expect(status, text).toBe(200);
    expect(json).toEqual(await expected(name, inputs, options));
  });

  it('gives one result for one input, by the first model that is for it', async () => {
    const { status, json, text } = await server.post(`/api/${name}`, { input: inputs[0], options });
    expect(status, text).toBe(200);
    expect(json).toEqual((await expected(name, [inputs[0]], options))[0]);
  });
});

describe('a body', () => {
  it.each([
    [{ inputs: [] }, 422, 'inputs'],
    [{}, 422, 'expected input, or inputs for several; neither is given'],
    [{ input: 'a', inputs: ['a'] }, 422, 'both are given'],
    [{ input: 3 }, 422, 'a text, or { text, textPair }'],
    [{ input: 'a', options: { topX: 3 } }, 422, 'there is no topX; expected topK, threshold'],
    [{ input: 'a', options: { topK: 0 } }, 422, 'topK is 0; expected a whole number from 1'],
    [{ input: 'a', model: 'qa' }, 422, 'the model "qa" does not do text-classification; it does question-answering'],
    [{ input: 'a', model: '../reviews' }, 404, 'there is no model of this id'],
    ['{"input": ', 400, 'the body is not JSON'],
    ['', 400, 'the body is empty'],
    [[], 422, 'the body'],
  ])('%j is refused with %i and what is wrong', async (body, status, message) => {
    const answer = await server.post('/api/text-classification', body);
    expect([answer.status, answer.json.error]).toEqual([status, expect.stringContaining(message)]);
  });

  it('with a text that the pipeline cannot use costs only its own request an error', async () => {
    const ask = (input: string) => server.post('/api/fill-mask', { input });
    const [good, bad, better] = await Promise.all([ask('the [MASK]'), ask('no mask'), ask('a [MASK] meal')]);
    expect([good.status, bad.status, better.status]).toEqual([200, 422, 200]);
    expect(bad.json).toEqual({ error: expect.stringContaining('[MASK]'), error_type: 'validation' });
    expect(good.json).toEqual((await expected('fill-mask', ['the [MASK]'], {}))[0]);
  });
});

describe('what there is', () => {
  it('stands at /api/models, with what each does', async () => {
    const { json } = await server.get('/api/models');
    const found = Object.fromEntries(json.models.map(({ id, task }: { id: string; task: string }) => [id, task]));
    expect(found).toEqual({
      qa: 'question-answering',
      filler: 'fill-mask',
      tagger: 'token-classification',
      reviews: 'text-classification',
      reranker: 'text-classification',
      encoder: 'feature-extraction',
      detector: 'zero-shot-classification',
      chooser: 'multiple-choice',
      relations: 'relation',
      pair: 'zero-shot-classification',
    });
    const detector = json.models.find(({ id }: { id: string }) => id === 'detector');
    expect(detector.pipelines).toEqual([
      'zero-shot-classification',
      'replaced-token-detection',
      'sentence-similarity',
      'feature-extraction',
    ]);
  });

  it('is alive and ready', async () => {
    const ready = await server.get('/readyz');
    expect([ready.status, ready.json.status], ready.text).toEqual([200, 'ready']);
    for (const path of ['/health', '/ping']) expect((await server.get(path)).status, path).toBe(200);
  });

  it('has an id for every request, the client’s own where it is a plain one', async () => {
    const own = await server.get('/health', { 'x-request-id': 'from-client.1' });
    expect(own.headers.get('x-request-id')).toBe('from-client.1');
    const odd = await server.get('/health', { 'x-request-id': 'a b<script>' });
    expect(odd.headers.get('x-request-id')).toMatch(/^[\da-f-]{36}$/);
  });

  it('counts under TEI’s names', async () => {
    await server.post('/api/text-classification', { input: 'the chef' });
    const { text } = await server.get('/metrics');
    expect(text).toMatch(/^te_request_count\{method="text-classification"\} \d+$/m);
    expect(text).toMatch(/^te_request_success\{method="text-classification"\} \d+$/m);
    expect(text).toMatch(/^te_request_failure\{err="validation"\} \d+$/m);
    expect(text).toMatch(/^te_queue_size\{model="reviews"\} 0$/m);
    const histograms = ['duration', 'tokenization_duration', 'queue_duration', 'inference_duration', 'input_length'];
    for (const name of histograms) expect(text).toMatch(new RegExp(`^te_request_${name}_count [1-9]`, 'm'));
    for (const name of ['size', 'tokens']) expect(text).toMatch(new RegExp(`^te_batch_next_${name}_count [1-9]`, 'm'));
    // 35 buckets, 1.5 times as long each, from 15 µs.
    expect(text.match(/^te_request_duration_bucket/gm)).toHaveLength(36);
  });
});
