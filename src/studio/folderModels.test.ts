import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../checkpoint/testCheckpoints.js';
import { createInterpreterEngine } from '../engine/interpreterEngine.js';
import { replacedTokenDetection } from '../pipelines/replacedTokenDetection.js';
import { fromPretrained } from '../pretrained/pretrained.node.js';
import { entriesOf, type FetchFile } from './fetchedModels.js';
import { FolderModels, type LoadProgress } from './folderModels.js';
import { listModels } from './listModels.node.js';
import { parseManifest } from './modelManifest.js';
import { writeTestModel } from './testFolders.js';

const { path: root, remove } = temporaryFolder('studio-models');
afterAll(remove);
beforeAll(async () => {
  await writeTestModel(join(root, 'english pair/generator'), 'ElectraForMaskedLM');
  await writeTestModel(join(root, 'english pair/discriminator'), 'ElectraForPreTraining');
  await writeTestModel(join(root, 'span'), 'BertForMaskedLM');
});

const fetched: string[] = [];
const fromDisk: FetchFile = async (path, { onBytes }) => {
  fetched.push(path);
  const bytes = readFileSync(join(root, path));
  onBytes(bytes.length);
  return new Uint8Array(bytes);
};

function models(fetchFile = fromDisk, keptBytes?: number) {
  const manifest = parseManifest(JSON.parse(JSON.stringify(listModels(root))), 'models.json');
  return new FolderModels(entriesOf(manifest, fetchFile), async () => createInterpreterEngine(), { keptBytes });
}

test('a folder of models is listed with the roles and classes of each', async () => {
  const listed = await models().list();
  expect(listed.map(({ id, roles }) => [id, roles])).toEqual([
    ['english-pair', { generator: 'ElectraForMaskedLM', discriminator: 'ElectraForPreTraining' }],
    ['span', { model: 'BertForMaskedLM' }],
  ]);
  expect(listed[0].bytes).toBeGreaterThan(1000);
});

test('a model is fetched when it is first asked for, once, and says what node says of the same files', async () => {
  fetched.length = 0;
  const all = models();
  const seen: LoadProgress[] = [];
  const detect = () =>
    all
      .watchedBy((progress) => seen.push(progress))
      .withModel('english-pair', 'discriminator', async (model) =>
        (await replacedTokenDetection(model)).detect('the chef ate the meal'),
      );
  const [first, second] = await Promise.all([detect(), detect()]);
  expect(second).toEqual(first);
  expect(new Set(fetched).size).toBe(fetched.length);
  expect(fetched.every((path) => path.startsWith('english pair/discriminator/'))).toBe(true);
  expect(seen.at(-1)?.loadedBytes).toBe(seen.at(-1)?.totalBytes);

  const loaded = await fromPretrained(join(root, 'english pair/discriminator'));
  const elsewhere = await (await replacedTokenDetection(loaded)).detect('the chef ate the meal');
  await loaded.release();
  expect(first.map(({ token }) => token)).toEqual(elsewhere.map(({ token }) => token));
  for (const [i, { replaced }] of first.entries()) expect(replaced).toBeCloseTo(elsewhere[i].replaced, 5);
});

test('what nobody uses leaves the memory when others need it, the longest unused first', async () => {
  fetched.length = 0;
  const all = models(fromDisk, 1);
  const weights = () => fetched.filter((path) => path.endsWith('.safetensors'));
  await all.withModel('span', 'model', async () => {});
  await all.withModel('english-pair', 'generator', async () => {});
  await all.withModel('span', 'model', async () => {});
  expect(weights()).toHaveLength(3);
});

test('an unknown model or role is said with those that there are', async () => {
  const all = models();
  await expect(all.withModel('x', 'model', async () => {})).rejects.toThrow(
    'there is no model "x"; there are english-pair, span',
  );
  await expect(all.withModel('span', 'generator', async () => {})).rejects.toThrow(
    'the model "span" has no generator; it has model',
  );
});

test('a file of another length than the list says is an error, and the model may be asked for again', async () => {
  let isShort = true;
  const all = models(async (path, options) => {
    const bytes = (await fromDisk(path, options)) as Uint8Array;
    return isShort && path.endsWith('.safetensors') ? bytes.subarray(0, 100) : bytes;
  });
  const use = () => all.withModel('span', 'model', async ({ description }) => description.architecture);
  await expect(use()).rejects.toThrow(/span\/model.safetensors has 100 bytes where the list of models says/);
  isShort = false;
  await expect(use()).resolves.toBe('BertForMaskedLM');
});

test('a list of models names nothing outside its folder', () => {
  const entry = (folder: string) => ({
    models: [{ id: 'm', roles: { model: { architecture: 'BertModel', folder, files: [] } } }],
  });
  expect(() => parseManifest(entry('a/b'), 'models.json')).not.toThrow();
  for (const folder of ['../a', 'a/../b', '/a', 'https://x', 'a//b', '.', 'a?b', 'a\\b']) {
    expect(() => parseManifest(entry(folder), 'models.json'), folder).toThrow('does not list models');
  }
});

test('the index of a package of models says the language of each', () => {
  writeFileSync(join(root, 'index.json'), JSON.stringify({ models: [{ name: 'span', language: 'ko' }] }));
  try {
    expect(listModels(root).models.map(({ id, language }) => [id, language])).toEqual([
      ['english-pair', undefined],
      ['span', 'ko'],
    ]);
  } finally {
    rmSync(join(root, 'index.json'));
  }
});
