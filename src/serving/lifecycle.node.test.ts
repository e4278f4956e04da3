/** Overload, cancelling, dying threads, changed folders, the end: nothing that was accepted is lost. `npm test` builds the threads first. */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { temporaryFolder } from '../checkpoint/testCheckpoints.js';
import type { ModelEvent } from './servedModel.js';
import { type Posted, saveTestModel, type TestServer, testServer } from './testServing.js';
import { ThreadClient } from './threadClient.node.js';

const temporary = temporaryFolder('lifecycle');
const at = (...names: string[]) => join(temporary.path, ...names);
/** Long enough for a machine that does something else. */
const WAIT = { timeout: 30_000 };
beforeAll(async () => {
  await saveTestModel(at('encoder'), 'encoder');
  await saveTestModel(at('reviews'), 'reviews');
});
afterAll(() => temporary.remove());

const started: TestServer[] = [];
async function start(...args: Parameters<typeof testServer>): Promise<TestServer> {
  const server = await testServer(...args);
  started.push(server);
  return server;
}
afterAll(() => Promise.all(started.map((server) => server.stop())));

const ask = (server: TestServer, inputs = 'the chef') => server.post('/embed', { inputs });
const statuses = (answers: readonly Posted[]) => answers.map(({ status }) => status);

describe('overload', () => {
  it('is 429 with Retry-After, for one text and for many, in every form; what waits is answered', async () => {
    const server = await start([at('encoder')], { maxQueue: 2 });
    const { queue } = server.models.named('encoder').model;
    queue.pause();
    const waiting = [ask(server), ask(server, 'a meal')];
    await vi.waitFor(() => expect(queue.size).toBe(2), WAIT);
    const refused = [
      await ask(server),
      await server.post('/embed', { inputs: ['a', 'the'] }),
      await server.post('/models/encoder', { inputs: 'a' }),
      await server.post('/api/feature-extraction', { inputs: ['a', 'a'] }),
    ];
    for (const { status, headers, json } of refused) {
      expect([status, headers.get('retry-after'), json]).toEqual([
        429,
        '1',
        { error: 'The queue holds 2 requests; try again in 1 s', error_type: 'overloaded' },
      ]);
      expect(headers.get('x-request-id')).toMatch(/./);
    }
    const openAi = await server.post('/v1/embeddings', { model: 'encoder', input: 'a' });
    expect([openAi.status, openAi.json.error.code]).toEqual([429, 'overloaded']);
    expect((await server.get('/health')).status).toBe(200);
    expect((await server.get('/metrics')).text).toMatch(/^te_queue_size\{model="encoder"\} 2$/m);
    queue.resume();
    expect(statuses(await Promise.all(waiting))).toEqual([200, 200]);
  });
});

describe('a request that nobody waits for', () => {
  it('leaves the queue', async () => {
    const server = await start([at('encoder')]);
    const { queue } = server.models.named('encoder').model;
    queue.pause();
    const controller = new AbortController();
    const gone = fetch(`${server.url}/embed`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ inputs: 'the chef' }),
      signal: controller.signal,
    }).catch((error: unknown) => error);
    await vi.waitFor(() => expect(queue.size).toBe(1), WAIT);
    controller.abort();
    await gone;
    await vi.waitFor(() => expect(queue.size).toBe(0), WAIT);
    queue.resume();
    expect((await ask(server)).status).toBe(200);
    expect((await server.get('/metrics')).text).toMatch(/^te_request_failure\{err="cancelled"\} 1$/m);
  });

  it('is answered 504 once its time is up', async () => {
    const server = await start([at('encoder')], { timeout: 0.05 });
    const { queue } = server.models.named('encoder').model;
    queue.pause();
    const late = await ask(server);
    expect([late.status, late.json]).toEqual([504, { error: 'no answer within 0.05 s', error_type: 'timeout' }]);
    expect(queue.size).toBe(0);
  });
});

describe.each([
  ['thread', "the model's thread ended"],
  ['engine', 'the engine is closed'],
] as const)('a model whose %s dies', (part, message) => {
  // Four are handed over behind the batch, one waits in the queue.
  it.each([4, 1])('costs its batch an honest error; %i others are answered by the next', async (others) => {
    const events: ModelEvent[] = [];
    const threads: ThreadClient[] = [];
    const runs: { thread: number; requests: number }[] = [];
    let isFatal = false;
    const server = await start(
      [at('encoder')],
      {},
      {
        onModel: (event) => events.push(event),
        startRunner: async (settings) => {
          const client = await ThreadClient.start(settings);
          const thread = threads.push(client);
          return {
            died: client.died,
            close: () => client.close(),
            run: (batch, signal) => {
              runs.push({ thread, requests: batch.requests.length });
              if (isFatal) client.die(part);
              isFatal = false;
              return client.run(batch, signal);
            },
          };
        },
      },
    );
    const { queue } = server.models.named('encoder').model;
    const before = await ask(server);
    isFatal = true;
    queue.pause();
    // Of different options, so that they are two batches.
    const lost = ask(server);
    await vi.waitFor(() => expect(queue.size).toBe(1), WAIT);
    const kept = ['the chef', 'the pan', 'the table', 'the chef']
      .slice(-others)
      .map((inputs) => server.post('/embed', { inputs, normalize: false }));
    await vi.waitFor(() => expect(queue.size).toBe(1 + others), WAIT);
    queue.resume();
    const answer = await lost;
    expect([answer.status, answer.json]).toEqual([
      424,
      { error: expect.stringContaining(message), error_type: 'backend' },
    ]);
    const answers = await Promise.all(kept);
    expect(answers.map(({ status }) => status)).toEqual(kept.map(() => 200));
    expect(answers.at(-1)!.json).toEqual(answers[0].json);
    // The one before, the lost one and what was behind it; that once more.
    expect(runs).toEqual([
      { thread: 1, requests: 1 },
      { thread: 1, requests: 1 },
      ...(others === 4 ? [{ thread: 1, requests: 4 }] : []),
      { thread: 2, requests: others },
    ]);
    expect((await ask(server)).json).toEqual(before.json);
    expect(threads).toHaveLength(2);
    expect(events.map(({ type }) => type)).toEqual(['loaded', 'died', 'loaded']);
    expect((await server.get('/readyz')).status).toBe(200);
  });
});

/** Puts another model in the place of one, as a deployment does: by renaming. */
async function swap(name: string, kind: string, scale: number): Promise<void> {
  await saveTestModel(at(`${name}-next`), kind, scale);
  renameSync(at(name), at(`${name}-before`));
  renameSync(at(`${name}-next`), at(name));
  rmSync(at(`${name}-before`), { recursive: true });
}

describe('a folder that changes', () => {
  it('is taken over without a lost request', async () => {
    await saveTestModel(at('swapped'), 'encoder');
    const events: ModelEvent[] = [];
    const server = await start([at('swapped')], {}, { onModel: (event) => events.push(event) });
    const { model } = server.models.named('swapped');
    const before = await ask(server);
    await model.look();
    expect(events.map(({ type }) => type)).toEqual(['loaded']);
    await swap('swapped', 'encoder', 0.5);
    let isSwapped = false;
    const answers: Posted[] = [];
    const load = Array.from({ length: 4 }, async () => {
      while (!isSwapped) answers.push(await ask(server));
    });
    // The first look sees that it changed, the second that it stands still.
    await model.look();
    await model.look();
    isSwapped = true;
    await Promise.all(load);
    const after = await ask(server);
    expect(events.map(({ type }) => type)).toEqual(['loaded', 'reloaded']);
    expect(after.json).not.toEqual(before.json);
    for (const { status, json } of answers) {
      expect(status).toBe(200);
      expect([before.text, after.text]).toContain(JSON.stringify(json));
    }
  });

  it('and does not load leaves the model before it, and says so', async () => {
    await saveTestModel(at('broken'), 'encoder');
    const server = await start([at('broken')]);
    const { model } = server.models.named('broken');
    const before = await ask(server);
    const weights = readFileSync(at('broken', 'model.safetensors'));
    writeFileSync(at('broken', 'model.safetensors'), weights.subarray(0, weights.length >> 1));
    await model.look();
    await model.look();
    expect((await ask(server)).json).toEqual(before.json);
    const { status, json } = await server.get('/readyz');
    expect([status, json.models[0]]).toEqual([
      200,
      { id: 'broken', state: 'ready', ready: true, reason: expect.stringContaining('model.safetensors') },
    ]);
    writeFileSync(at('broken', 'model.safetensors'), weights);
    await model.look();
    await model.look();
    expect((await server.get('/readyz')).json.models[0]).toEqual({ id: 'broken', state: 'ready', ready: true });
  });
});

describe('a damaged folder', () => {
  it('fails readiness with the reason, holds up no other model, and is loaded once it is repaired', async () => {
    await saveTestModel(at('damaged'), 'encoder');
    const weights = readFileSync(at('damaged', 'model.safetensors'));
    writeFileSync(at('damaged', 'model.safetensors'), weights.subarray(0, 100));
    const server = await start([at('damaged'), at('reviews')]);
    const { status, json } = await server.get('/readyz');
    expect([status, json.models]).toEqual([
      503,
      [
        { id: 'damaged', state: 'failed', ready: false, reason: expect.stringContaining('damaged') },
        { id: 'reviews', state: 'ready', ready: true },
      ],
    ]);
    const refused = await server.post('/models/damaged', { inputs: 'a' });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    expect((await server.post('/models/reviews', { inputs: 'a' })).status).toBe(200);
    expect((await server.get('/health')).status).toBe(200);
    writeFileSync(at('damaged', 'model.safetensors'), weights);
    const { model } = server.models.named('damaged');
    await model.look();
    await model.look();
    expect((await server.get('/readyz')).status).toBe(200);
    expect((await server.post('/models/damaged', { inputs: 'a' })).status).toBe(200);
  });

  it('without a config.json has no task, and its requests are told to come again', async () => {
    await saveTestModel(at('bare'), 'encoder');
    rmSync(at('bare', 'config.json'));
    const server = await start([at('bare')]);
    expect((await server.get('/readyz')).json.models[0]).toMatchObject({ state: 'failed', reason: expect.any(String) });
    expect((await server.post('/models/bare', { inputs: 'a' })).status).toBe(503);
    expect((await ask(server)).status).toBe(503);
  });
});

describe('models', () => {
  it('are loaded when first asked for where that is wanted, and the first request waits for it', async () => {
    const server = await start([`first=${at('encoder')}`, `second=${at('encoder')}`], { load: 'request' });
    const states = () => server.models.all.map(({ state }) => state);
    expect(states()).toEqual(['unloaded', 'unloaded']);
    expect((await server.get('/readyz')).status).toBe(200);
    expect(statuses(await Promise.all([ask(server), ask(server)]))).toEqual([200, 200]);
    expect(states()).toEqual(['ready', 'unloaded']);
  });

  it.each([
    [['runs/reviews', 'other/reviews'], 'runs/reviews and other/reviews both have the id "reviews"; name one'],
    [['a=runs/x', 'a=runs/y'], 'runs/x and runs/y both have the id "a"'],
    [['no/spaces here'], '"spaces here" cannot be the id of no/spaces here; name it: my-model='],
    [[], 'there is no model to serve; give one: pleiad serve runs/reviews'],
  ])('%j is refused at the start', async (words, message) => {
    await expect(testServer(words)).rejects.toThrow(message);
  });

  it('that are not there are refused at the start, and so are files', async () => {
    expect(existsSync(at('nowhere'))).toBe(false);
    await expect(testServer([at('nowhere')])).rejects.toThrow('nowhere');
    await expect(testServer([at('encoder', 'config.json')])).rejects.toThrow('is a file; a server takes the folder');
  });
});

describe('the end', () => {
  it('answers all that was accepted and takes nothing more', async () => {
    const server = await start([at('encoder')]);
    const { queue } = server.models.named('encoder').model;
    queue.pause();
    const accepted = ['a', 'the', 'the chef ate a meal'].map((text) => ask(server, text));
    await vi.waitFor(() => expect(queue.size).toBe(3), WAIT);
    const stopped = server.stop();
    queue.resume();
    expect(statuses(await Promise.all(accepted))).toEqual([200, 200, 200]);
    await stopped;
    await expect(ask(server)).rejects.toThrow();
  });

  it('comes though something does not finish: what is left over is told so', async () => {
    const server = await start([at('encoder')], { drain: 0.05 });
    const { queue } = server.models.named('encoder').model;
    queue.pause();
    const accepted = ask(server);
    await vi.waitFor(() => expect(queue.size).toBe(1), WAIT);
    await server.stop();
    expect((await accepted).status).toBe(503);
  });
});
