/**
 * Clients that exist, unchanged but for the address: huggingface.js, OpenAI's, and Python's huggingface_hub. What they get is what
 * the pipelines give. `npm test` builds the server's threads first.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { InferenceClient } from '@huggingface/inference';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../src/checkpoint/testCheckpoints.js';
import { type PipelineOptions, pipeline } from '../src/pipelines/pipeline.node.js';
import type { PipelineTask } from '../src/pipelines/registry.js';
import { saveTestModels, type TestServer, testServer } from '../src/serving/testServing.js';

const temporary = temporaryFolder('serving-clients');
let server: TestServer;
beforeAll(async () => {
  server = await testServer(await saveTestModels(temporary.path));
});
afterAll(async () => {
  await server.stop();
  temporary.remove();
});

/** Offsets after the first character differ between code points and UTF-16 units. */
const CONTEXT = '😀 the chef ate a good meal . the meal';
const QUESTION = { question: 'the chef ate', context: CONTEXT };
const SENTENCES = ['a good meal', 'the meal', '한국어'];

const own = <Task extends PipelineTask>(task: Task, model: string, options: object = {}) =>
  pipeline(task, {
    model: join(temporary.path, model),
    threads: 1,
    batchSize: 32,
    ...options,
  } as unknown as PipelineOptions<Task>);

async function run<T>(pipe: { release(): Promise<void> }, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await pipe.release();
  }
}

const codePoints = (offset: number) => [...CONTEXT.slice(0, offset)].length;

/** What the pipelines give, in the shapes of the hub. */
async function expectedOfHub() {
  const ask = await own('question-answering', 'qa');
  const answers = await run(ask, () => ask(QUESTION, { topK: 3 }));
  const fill = await own('fill-mask', 'filler');
  const candidates = (await run(fill, () => fill('the [MASK] ate', { topK: 3 }))) as {
    token: string;
    id: number;
    score: number;
    text: string;
  }[];
  const tag = await own('token-classification', 'tagger');
  const spans = await run(tag, () => tag(CONTEXT, { aggregation: 'simple', ignoreLabels: [] }));
  const classify = await own('text-classification', 'reviews');
  const labels = await run(classify, () => classify('a good meal', { topK: 9 }));
  const embed = await own('feature-extraction', 'encoder');
  const vectors = await run(embed, () => embed(SENTENCES, { pooling: 'mean' }));
  const unit = await own('feature-extraction', 'encoder');
  const unitVectors = await run(unit, () => unit(SENTENCES, { pooling: 'mean', normalize: true }));
  const similar = await own('sentence-similarity', 'encoder');
  const similarities = await run(similar, () => similar({ sourceSentence: 'the chef', sentences: SENTENCES }));
  const zero = await own('zero-shot-classification', 'detector');
  const judged = await run(zero, () =>
    zero('the chef ate', { labels: ['good', 'meal'], template: '{text} a {label} .' }),
  );
  return {
    answers: answers.map(({ answer, score, start, end }) => ({
      answer,
      score,
      start: codePoints(start),
      end: codePoints(end),
    })),
    fillings: candidates.map(({ token, id, score, text }) => ({ score, token: id, token_str: token, sequence: text })),
    spans: spans.map(({ entity, text, score, start, end }) => ({
      entity_group: entity,
      word: text,
      score,
      start: codePoints(start),
      end: codePoints(end),
    })),
    labels,
    vectors: vectors.map((vector) => Array.from(vector)),
    unitVectors: unitVectors.map((vector) => Array.from(vector)),
    similarities,
    zeroShot: judged.labels.map((label, i) => ({ label, score: judged.scores[i] })),
  };
}

describe('@huggingface/inference', () => {
  const at = (model: string, task?: string) =>
    new InferenceClient(undefined, {
      endpointUrl: `${server.url}/models/${model}${task ? `/pipeline/${task}` : ''}`,
      // What it would do with a 503: ask again at once, without end.
      retry_on_error: false,
    } as never);

  it('gets what the pipelines give, of the seven tasks', async () => {
    const expected = await expectedOfHub();
    const qa = at('qa');
    expect(await qa.questionAnswering({ inputs: QUESTION })).toEqual(expected.answers[0]);
    expect(await qa.questionAnswering({ inputs: QUESTION, parameters: { top_k: 3 } })).toEqual(expected.answers[0]);
    expect(await at('filler').fillMask({ inputs: 'the [MASK] ate', parameters: { top_k: 3 } })).toEqual(
      expected.fillings,
    );
    const parameters = { aggregation_strategy: 'simple' as const, ignore_labels: [] };
    expect(await at('tagger').tokenClassification({ inputs: CONTEXT, parameters })).toEqual(expected.spans);
    expect(await at('reviews').textClassification({ inputs: 'a good meal' })).toEqual(expected.labels);
    expect(await at('encoder').featureExtraction({ inputs: SENTENCES })).toEqual(expected.vectors);
    expect(await at('encoder').featureExtraction({ inputs: SENTENCES, normalize: true })).toEqual(expected.unitVectors);
    const compared = { inputs: { source_sentence: 'the chef', sentences: SENTENCES } } as never;
    expect(await at('encoder').sentenceSimilarity(compared)).toEqual(expected.similarities);
    expect(await at('encoder', 'sentence-similarity').sentenceSimilarity(compared)).toEqual(expected.similarities);
    const labels = { candidate_labels: ['good', 'meal'], hypothesis_template: 'a {} .' };
    expect(await at('detector').zeroShotClassification({ inputs: 'the chef ate', parameters: labels })).toEqual(
      expected.zeroShot,
    );
  });

  it('gets the probabilities of the words that it names, and those alone', async () => {
    const all = await at('filler').fillMask({ inputs: 'the [MASK] ate', parameters: { top_k: 20 } });
    const some = await at('filler').fillMask({ inputs: 'the [MASK] ate', parameters: { targets: ['meal', 'Chef'] } });
    expect(some).toEqual(all.filter(({ token_str }) => ['meal', 'chef'].includes(token_str ?? '')));
    const unknown = at('filler').fillMask({ inputs: 'the [MASK]', parameters: { targets: ['dinner'] } });
    await expect(unknown).rejects.toThrow('no single piece of the vocabulary: "dinner"');
  });

  it('takes single pieces, which have entity_group too', async () => {
    const parameters = { aggregation_strategy: 'none' as const, ignore_labels: [] };
    const pieces = await at('tagger').tokenClassification({ inputs: CONTEXT, parameters });
    expect(pieces.length).toBeGreaterThan(5);
    for (const piece of pieces) expect(piece.entity_group).toMatch(/^(O|B-LOC|I-LOC)$/);
  });

  it('reads the message and the id of a refusal', async () => {
    const refused = await at('filler')
      .fillMask({ inputs: 'no mask' })
      .catch((error: unknown) => error as { message: string; httpResponse: { status: number; requestId: string } });
    expect(refused).toMatchObject({
      httpResponse: { status: 422, requestId: expect.stringMatching(/^[\da-f-]{36}$/) },
    });
    expect(JSON.stringify(refused)).toContain('[MASK]');
  });
});

describe('a question', () => {
  it('without an answer is answered by the empty text at 0, never by nothing', async () => {
    const parameters = { handle_impossible_answer: true, top_k: 50 };
    const { json } = await server.post('/models/qa', { inputs: QUESTION, parameters });
    const none = json.find(({ answer }: { answer: string }) => answer === '');
    expect(none).toEqual({ answer: '', score: expect.any(Number), start: 0, end: 0 });
  });

  it('has an object for one answer and a list for several', async () => {
    const ask = async (parameters?: object) => (await server.post('/models/qa', { inputs: QUESTION, parameters })).json;
    expect(await ask()).toMatchObject({ answer: expect.any(String) });
    expect(await ask({ top_k: 1 })).toMatchObject({ answer: expect.any(String) });
    expect(await ask({ top_k: 2 })).toHaveLength(2);
  });

  it('takes its parameters at the root too', async () => {
    const inside = await server.post('/models/qa', { inputs: QUESTION, parameters: { top_k: 2, max_answer_len: 2 } });
    const atRoot = await server.post('/models/qa', { inputs: QUESTION, top_k: 2, max_answer_len: 2 });
    expect(atRoot.json).toEqual(inside.json);
    const wrong = await server.post('/models/qa', { inputs: QUESTION, parameters: { topK: 2 } });
    expect([wrong.status, wrong.json.error]).toEqual([
      422,
      expect.stringContaining('there is no topK; expected align_to_words'),
    ]);
  });
});

describe('openai', () => {
  const client = () => new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 });

  it('gets vectors of length 1, in base64 as it asks by itself and as numbers', async () => {
    const { unitVectors } = await expectedOfHub();
    for (const encoding_format of [undefined, 'base64', 'float'] as const) {
      const { data, model, usage } = await client().embeddings.create({
        model: 'encoder',
        input: SENTENCES,
        ...(encoding_format && { encoding_format }),
      });
      if (encoding_format === 'base64') {
        const bytes = Buffer.from(data[0].embedding as unknown as string, 'base64');
        expect(Array.from(new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4))).toEqual(unitVectors[0]);
      } else expect(data.map(({ embedding }) => embedding)).toEqual(unitVectors);
      expect(model).toBe('encoder');
      expect(usage.prompt_tokens).toBeGreaterThan(9);
    }
  });

  it('lists the models, and reads the error of one that there is not', async () => {
    const ids = [];
    for await (const { id } of client().models.list()) ids.push(id);
    expect(ids).toContain('encoder');
    expect((await client().models.retrieve('qa')).id).toBe('qa');
    const missing = client().embeddings.create({ model: 'gpt', input: 'a' });
    await expect(missing).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
    const wrong = client().embeddings.create({ model: 'qa', input: 'a', dimensions: 0 });
    await expect(wrong).rejects.toMatchObject({ status: 422, type: 'validation' });
  });

  it('gets shorter vectors of length 1 where it asks for dimensions', async () => {
    const { data } = await client().embeddings.create({ model: 'encoder', input: 'a good meal', dimensions: 4 });
    expect(data[0].embedding).toHaveLength(4);
    expect(Math.hypot(...data[0].embedding)).toBeCloseTo(1, 6);
  });
});

const PYTHON = process.env.PLEIAD_TRANSFORMERS_PYTHON;

describe.skipIf(!PYTHON)('huggingface_hub of Python (PLEIAD_TRANSFORMERS_PYTHON)', () => {
  it('gets what the pipelines give, of the seven tasks', async () => {
    const expected = await expectedOfHub();
    const script = `
import json, sys
from huggingface_hub import InferenceClient
url, asked = sys.argv[1], json.loads(sys.argv[2])
at = lambda model: InferenceClient(model=f'{url}/models/{model}', token=None)
plain = lambda value: value.tolist() if hasattr(value, 'tolist') else [plain(v) for v in value] if isinstance(value, list) else dict(value) if hasattr(value, 'keys') else value.__dict__ if hasattr(value, '__dict__') else value
print(json.dumps(plain([
  [plain(at('qa').question_answering(**asked['question'])), plain(at('qa').question_answering(**asked['question'], top_k=3))],
  at('filler').fill_mask('the [MASK] ate', top_k=3),
  at('tagger').token_classification(asked['context'], aggregation_strategy='simple', ignore_labels=[]),
  at('reviews').text_classification('a good meal'),
  at('encoder').feature_extraction(asked['sentences']),
  at('encoder').feature_extraction(asked['sentences'], normalize=True),
  at('encoder').sentence_similarity('the chef', other_sentences=asked['sentences']),
  at('detector').zero_shot_classification('the chef ate', ['good', 'meal'], hypothesis_template='a {} .'),
])))
`;
    const asked = JSON.stringify({ question: QUESTION, context: CONTEXT, sentences: SENTENCES });
    // Asked from another process, and the server is in this one: it must not be held up.

    const child = spawn(PYTHON!, ['-c', script, server.url, asked], { stdio: ['ignore', 'pipe', 'inherit'] });
    let stdout = '';
    for await (const part of child.stdout) stdout += part;
    const [answers, fillings, spans, labels, vectors, unitVectors, similarities, zeroShot] = JSON.parse(stdout);
    expect(answers).toMatchObject([expected.answers[0], expected.answers]);
    expect(fillings).toMatchObject(expected.fillings);
    expect(spans).toMatchObject(expected.spans);
    expect(labels).toMatchObject(expected.labels as object[]);
    // numpy reads float32, which these are.
    expect(vectors).toEqual(expected.vectors);
    expect(unitVectors).toEqual(expected.unitVectors);
    expect(similarities).toEqual(expected.similarities);
    expect(zeroShot).toMatchObject(expected.zeroShot);
  });
});

if (!PYTHON) console.log('PLEIAD_TRANSFORMERS_PYTHON is not set: the client of Python is not tried');
