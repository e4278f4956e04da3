/** The routes of text-embeddings-inference, and results beside other texts than the pipelines'. `npm test` builds the threads first. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { temporaryFolder } from '../checkpoint/testCheckpoints.js';
import { pipeline } from '../pipelines/pipeline.node.js';
import { codePointOffsets } from './routes/codePoints.js';
import { saveTestModels, type TestServer, testServer } from './testServing.js';

const temporary = temporaryFolder('tei-routes');
const TEXTS = ['the chef ate', 'a good meal .', '한국어 안녕', 'the meal the meal the meal the meal'];
let server: TestServer;
let vectors: Float32Array[];
beforeAll(async () => {
  server = await testServer(await saveTestModels(temporary.path, ['reviews', 'reranker', 'encoder', 'qa']));
  const embed = await pipeline('feature-extraction', { model: join(temporary.path, 'encoder'), threads: 1 });
  vectors = await embed(TEXTS, { pooling: 'mean', normalize: true });
  await embed.release();
});
afterAll(async () => {
  await server.stop();
  temporary.remove();
});

/** Long enough for a machine that does something else. */
const WAIT = { timeout: 30_000 };

async function batches(): Promise<number> {
  const { text } = await server.get('/metrics');
  return Number(/^te_batch_next_size_count (\d+)$/m.exec(text)?.[1] ?? 0);
}

async function expectedLabels(model: string, inputs: (string | { text: string; textPair: string })[]) {
  const classify = await pipeline('text-classification', { model: join(temporary.path, model), threads: 1 });
  const all = await classify(inputs, { topK: 9 });
  await classify.release();
  return all;
}

describe('text-embeddings-inference’s routes', () => {
  it('/embed gives vectors of length 1, or as they are', async () => {
    const { json } = await server.post('/embed', { inputs: TEXTS });
    expect(json).toEqual(vectors.map((vector) => Array.from(vector)));
    const one = await server.post('/embed', { inputs: TEXTS[0] });
    expect(one.json).toHaveLength(1);
    const raw = await server.post('/embed', { inputs: TEXTS[0], normalize: false });
    expect(Math.abs(Math.hypot(...raw.json[0]) - 1)).toBeGreaterThan(0.01);
    const short = await server.post('/embed', { inputs: TEXTS[0], dimensions: 4 });
    expect(Math.hypot(...short.json[0])).toBeCloseTo(1, 6);
    expect(short.json[0][1] / short.json[0][0]).toBeCloseTo(vectors[0][1] / vectors[0][0], 5);
  });

  it('/predict tells a pair of texts from two texts by their brackets', async () => {
    const pair = { text: 'the chef', textPair: 'a meal' };
    const [one, two, both] = await expectedLabels('reviews', ['the chef', 'a meal', pair]);
    const ask = async (inputs: unknown) => (await server.post('/predict', { inputs })).json;
    expect(await ask([['the chef'], ['a meal'], ['the chef', 'a meal']])).toEqual([one, two, both]);
    const alone = await ask('the chef');
    expect(alone).toHaveLength(3);
    expect(alone[0].score).toBeCloseTo(one[0].score, 6);
    expect((await ask(['the chef', 'a meal']))[0].score).toBeCloseTo(both[0].score, 6);
  });

  it('/rerank orders texts by a model of one label, and no other', async () => {
    const texts = ['a meal', 'the chef ate', 'good'];
    const expected = await expectedLabels(
      'reranker',
      texts.map((textPair) => ({ text: 'the chef', textPair })),
    );
    const { json } = await server.post('/rerank', { query: 'the chef', texts, return_text: true, model: 'reranker' });
    expect(json.map(({ index }: { index: number }) => index).sort()).toEqual([0, 1, 2]);
    for (const { index, score, text } of json) expect([score, text]).toEqual([expected[index][0].score, texts[index]]);
    expect(json[0].score).toBeGreaterThanOrEqual(json[2].score);
    const other = await server.post('/rerank', { query: 'the chef', texts, model: 'reviews' });
    expect([other.status, other.json.error]).toEqual([422, expect.stringContaining('has 3 labels; expected one')]);
  });

  it('/similarity gives cosines', async () => {
    const inputs = { source_sentence: TEXTS[0], sentences: TEXTS.slice(1) };
    const { json } = await server.post('/similarity', { inputs });
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i], 0);
    json.forEach((value: number, i: number) => {
      expect(value).toBeCloseTo(dot(vectors[0], vectors[i + 1]), 5);
    });
  });

  it('/tokenize gives offsets in code points and none of special tokens', async () => {
    const { json } = await server.post('/tokenize', { inputs: ['😀 chef', 'the meal'] });
    expect(json[0].map(({ text, start, stop }: never) => [text, start, stop])).toEqual([
      ['[CLS]', null, null],
      ['[UNK]', 0, 1],
      ['chef', 2, 6],
      ['[SEP]', null, null],
    ]);
    const bare = await server.post('/tokenize', { inputs: 'the meal', add_special_tokens: false });
    expect(bare.json[0]).toHaveLength(2);
  });

  it('/info describes the first model', async () => {
    const { json } = await server.get('/info');
    expect(json).toMatchObject({
      model_id: 'reviews',
      max_input_length: 24,
      max_client_batch_size: 128,
      model_type: { classifier: { id2label: { 0: 'bad', 1: 'fair', 2: 'good' } } },
    });
  });

  it('refuses a text that would be cut where truncate is false, with what and how much', async () => {
    const long = 'the meal '.repeat(20);
    const refused = await server.post('/embed', { inputs: long, truncate: false });
    expect([refused.status, refused.json]).toEqual([
      413,
      { error: 'a text has 42 tokens; the model takes 24, and truncate is false', error_type: 'too_large' },
    ]);
    expect((await server.post('/embed', { inputs: long })).status).toBe(200);
  });

  it.each([
    ['/embed', { inputs: 'a', truncation_direction: 'Left' }, 'texts lose their end'],
    ['/embed', { inputs: 'a', prompt_name: 'query' }, 'no model here has prompts'],
    ['/predict', { inputs: 'a', raw_scores: true }, 'the scores here are probabilities'],
    ['/predict', { inputs: 3 }, 'inputs is 3; expected a text, a pair of texts'],
    ['/models/reviews', { inputs: 'a', parameters: { function_to_apply: 'sigmoid' } }, 'are softmax'],
  ])('%s %j is refused rather than half done', async (path, body, message) => {
    const { status, json } = await server.post(path, body);
    expect([status, json.error]).toEqual([422, expect.stringContaining(message)]);
  });
});

describe('requests that run together', () => {
  it('give what they give alone, to 1e-5: padding changes nothing else', async () => {
    const asked = Array.from({ length: 24 }, (_, i) => TEXTS[i % 4]);
    const { queue } = server.models.named('encoder').model;
    const before = await batches();
    queue.pause();
    const posted = asked.map((inputs) => server.post('/embed', { inputs }));
    await vi.waitFor(() => expect(queue.size).toBe(24), WAIT);
    queue.resume();
    const answers = await Promise.all(posted);
    for (const [i, { json }] of answers.entries()) {
      for (const [k, value] of vectors[i % 4].entries()) expect(Math.abs(json[0][k] - value)).toBeLessThan(1e-5);
    }
    // All are short.
    expect((await batches()) - before).toBe(1);
  });
});

describe('code points', () => {
  it('are counted up to each UTF-16 offset', () => {
    const text = 'a😀b한😀';
    const offset = codePointOffsets(text);
    for (let i = 0; i <= text.length; i++) {
      const isInside = /[\udc00-\udfff]/.test(text[i] ?? '');
      expect(offset(i)).toBe([...text.slice(0, i)].length - (isInside ? 1 : 0));
    }
    expect(codePointOffsets('abc')(2)).toBe(2);
  });
});
