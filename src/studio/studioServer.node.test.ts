/** The Studio's server at its work: models, a run from a text, stopped and gone on with, files. `npm test` builds the thread first. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { temporaryFolder } from '../checkpoint/testCheckpoints.js';
import { RandomStream } from '../random/philox.js';
import { API_PREFIX, type RunEvents, type RunSummary } from './studioApi.js';
import { type RunningStudio, startStudio } from './studioServer.node.js';
import { writeTestModel } from './testFolders.js';

const temporary = temporaryFolder('studio-server');
const runs = join(temporary.path, 'runs');
let studio: RunningStudio;

beforeAll(async () => {
  const page = join(temporary.path, 'page');
  mkdirSync(page);
  writeFileSync(join(page, 'index.html'), '<!doctype html><html><head></head></html>');
  // An empty box: what is in the package is no matter here.
  const box = join(temporary.path, 'box');
  mkdirSync(box);
  writeFileSync(join(box, 'index.json'), JSON.stringify({ format: 'pleiad-models', version: 1, models: [] }));
  vi.stubEnv('PLEIAD_MODELS', box);
  const pair = join(temporary.path, 'pair');
  await writeTestModel(join(pair, 'generator'), 'ElectraForMaskedLM');
  await writeTestModel(join(pair, 'discriminator'), 'ElectraForPreTraining');
  studio = await startStudio([`mine=${pair}`], { port: 0, runs }, { page, threads: 1, box: [] });
});
afterAll(async () => {
  await studio.stop();
  vi.unstubAllEnvs();
  temporary.remove();
});

// biome-ignore lint/suspicious/noExplicitAny: tests compare it, whatever it is
async function ask<T = any>(path: string, body?: unknown): Promise<T> {
  const response = await fetch(`${studio.url}${API_PREFIX}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${studio.token}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return (await response.json()) as T;
}

const random = new RandomStream(1, 'evaluation', 0);
const pick = (of: readonly string[]) => of[Math.floor(random.uniform() * of.length)];
const sentence = () =>
  `The ${pick(['chef', 'sailor', 'doctor'])} ${pick(['cooked', 'ate', 'saw'])} the ${pick(['meal', 'fish', 'soup'])} near the ${pick(['house', 'river', 'garden'])}.`;
const text = Array.from({ length: 60 }, () => Array.from({ length: 9 }, sentence).join(' ')).join('\n\n');

describe('the server of the Studio', () => {
  it('serves the page with a mark by which it knows where it came from, and the runtime’s files', async () => {
    const page = await fetch(`${studio.url}/`);
    expect(await page.text()).toContain('<meta name="pleiad-backend" content="server" />');
    const runtime = await fetch(`${studio.url}/runtime/ort-wasm-simd-threaded.wasm`, { method: 'GET' });
    expect([runtime.status, runtime.headers.get('content-type')]).toEqual([200, 'application/wasm']);
    await runtime.body?.cancel();
  });

  it('lists the models named at the start, and makes calls of them', async () => {
    expect(await ask('/models')).toMatchObject([
      { id: 'mine', roles: { generator: 'ElectraForMaskedLM', discriminator: 'ElectraForPreTraining' } },
    ]);
    const { tokens } = await ask('/calls/tokenize', { model: 'mine', role: 'generator', text: 'the chef' });
    expect(tokens.map(({ piece }: { piece: string }) => piece)).toEqual(['the', 'chef']);
    const inspected = await ask('/calls/inspect-model', { model: 'mine', role: 'discriminator' });
    expect(inspected).toMatchObject({ architecture: 'ElectraForPreTraining', report: { missing: [], unused: [] } });
    expect(inspected.blocks.map(({ name }: { name: string }) => name)).toEqual(['embeddings', 'layer 0', 'head']);
    const wrong = await ask('/calls/tokenize', { model: 'mine', role: 'generator', text: 7 });
    expect(wrong).toMatchObject({ error_type: 'validation', error: expect.stringContaining('text is 7') });
  });

  it('trains on a text, stops with a checkpoint, and goes on', { timeout: 90_000 }, async () => {
    const settings = { size: 'tiny', length: 16, batchSize: 2, steps: 400, evaluateEvery: 200, checkpointEvery: 4 };
    const order = { name: 'first', source: { text, vocabularySize: 200 }, settings: { ...settings, logEvery: 1 } };
    expect(await ask<RunSummary>('/runs', order)).toMatchObject({ id: 'first', state: 'training', size: 'tiny' });
    const second = await ask('/runs', { ...order, name: 'second' });
    expect(second.error).toContain('first is being trained; stop it first');

    const seen = await watch((all) => all.some(({ type }) => type === 'checkpoint'));
    expect(seen.probes).toHaveLength(6);
    const stopped = await ask<RunSummary>('/runs/first/stop', {});
    expect(stopped).toMatchObject({ state: 'stopped', totalSteps: 400, isModel: true });
    expect(stopped.step).toBeGreaterThan(3);
    expect((await ask('/models')).map(({ id }: { id: string }) => id)).toEqual(['mine', 'first']);
    const predictions = await ask('/calls/predict-probes', { model: 'first', probes: seen.probes });
    expect(predictions).toHaveLength(6);

    const resumed = await ask<RunSummary>('/runs/first/resume', {});
    expect(resumed.state).toBe('training');
    const after = await watch((all) => all.some(({ step, type }) => type === 'step' && step > stopped.step));
    expect(after.events.findLast(({ type }) => type === 'started')).toMatchObject({ step: stopped.step });
    expect((await ask<RunSummary>('/runs/first/stop', {})).step).toBeGreaterThan(stopped.step);
    expect(await ask('/runs')).toMatchObject([{ id: 'first', state: 'stopped' }]);
  });

  /** Asks for what is new until it is there, as the page does. */
  async function watch(isEnough: (all: RunEvents['events']) => boolean): Promise<RunEvents> {
    let cursor: string | undefined;
    let all: RunEvents['events'] = [];
    for (;;) {
      const found = await ask<RunEvents>(`/runs/first/events${cursor === undefined ? '' : `?cursor=${cursor}`}`);
      all = found.isFromStart ? found.events : [...all, ...found.events];
      cursor = found.cursor;
      if (isEnough(all)) return { ...found, events: all };
      expect(found.run.error).toBeUndefined();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  it('writes a model as safetensors and as ONNX below its folder for runs, where it is a model too', async () => {
    const order = { role: 'discriminator', name: 'copy', as: 'safetensors' };
    const { folder, files } = await ask('/models/mine/files', order);
    expect(folder).toBe(join(runs, 'copy'));
    expect(files).toContain('model.safetensors');
    expect(await ask('/models/mine/files', order)).toMatchObject({
      error: expect.stringContaining('give another name'),
    });
    await ask('/models/mine/files', { ...order, name: 'onnx', as: 'onnx' });
    expect(existsSync(join(runs, 'onnx/onnx/model.onnx'))).toBe(true);
    expect(readdirSync(runs).sort()).toEqual(expect.arrayContaining(['copy', 'onnx']));
    expect((await ask('/models')).map(({ id }: { id: string }) => id)).toContain('copy');
  });

  it('says at the start what is wrong', async () => {
    await expect(startStudio([], { port: 70_000 })).rejects.toThrow('port');
    await expect(startStudio([], { port: 0 }, { page: temporary.path })).rejects.toThrow('npm run studio:build');
    await expect(
      startStudio([], { port: 0, runs }, { page: join(temporary.path, 'page'), data: [runs] }),
    ).rejects.toThrow(runs);
  });
});
