import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { expectedTensors } from '../checkpoint/modelFolder.js';
import { saveModelFolder } from '../checkpoint/modelFolder.node.js';
import { temporaryFolder } from '../checkpoint/testCheckpoints.js';
import { createInterpreterEngine } from '../engine/interpreterEngine.js';
import * as library from '../index.node.js';
import type { Architecture } from '../models/config.js';
import { MODEL_CLASSES } from '../models/heads.js';
import { TEST_CONFIG, TEST_TOKENIZER } from '../pipelines/testModels.js';
import {
  AutoModel,
  AutoModelForMaskedLM,
  AutoModelForMultipleChoice,
  AutoModelForPreTraining,
  AutoModelForQuestionAnswering,
  AutoModelForSequenceClassification,
  AutoModelForTokenClassification,
  AutoTokenizer,
  type NamedClass,
} from './autoModels.node.js';

const temporary = temporaryFolder('auto');
afterAll(() => temporary.remove());

async function saved(architecture: Architecture): Promise<string> {
  const folder = join(temporary.path, architecture);
  const isBert = architecture.startsWith('Bert');
  const config = isBert ? { ...TEST_CONFIG, embeddingSize: TEST_CONFIG.hiddenSize } : TEST_CONFIG;
  const tensors = [...expectedTensors({ architecture, config })].map(([name, shape]) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return [name, { shape, data: new Float32Array(size).fill(0.1) }] as const;
  });
  await saveModelFolder(folder, { architecture, config, tensors: new Map(tensors), tokenizer: TEST_TOKENIZER });
  return folder;
}

it.each([
  ['ElectraForPreTraining', AutoModelForPreTraining],
  ['BertForPreTraining', AutoModelForPreTraining],
  ['ElectraForMaskedLM', AutoModelForMaskedLM],
  ['BertForQuestionAnswering', AutoModelForQuestionAnswering],
  ['ElectraForSequenceClassification', AutoModelForSequenceClassification],
  ['BertForTokenClassification', AutoModelForTokenClassification],
  ['ElectraForMultipleChoice', AutoModelForMultipleChoice],
] as const)('the class for a task takes its family from config.json: %s', async (architecture, autoClass) => {
  const model = await autoClass.fromPretrained(await saved(architecture), { engine: createInterpreterEngine() });
  expect(model.description.architecture).toBe(architecture);
});

it('AutoModel is the encoder alone, AutoTokenizer its tokenizer', async () => {
  const folder = await saved('ElectraForPreTraining');
  const model = await AutoModel.fromPretrained(folder, { engine: createInterpreterEngine() });
  const tokenizer = await AutoTokenizer.fromPretrained(folder);
  const { ids } = tokenizer.encode('the');
  expect(model.description.architecture).toBe('ElectraModel');
  expect((await model.run({ inputIds: [ids] })).lastHiddenState?.shape).toEqual([
    1,
    ids.length,
    TEST_CONFIG.hiddenSize,
  ]);
});

it('what a tokenizer gives when it is called is what a model takes', async () => {
  const folder = await saved('ElectraForPreTraining');
  const model = await AutoModel.fromPretrained(folder, { engine: createInterpreterEngine() });
  const tokenizer = await AutoTokenizer.fromPretrained(folder);
  const { lastHiddenState } = await model.run(tokenizer(['the chef', 'the'], { padding: true, truncation: true }));
  expect(lastHiddenState?.shape).toEqual([2, 4, TEST_CONFIG.hiddenSize]);
});

it.each(Object.keys(MODEL_CLASSES) as Architecture[])(
  'the class %s has its name, and loads what is one',
  async (name) => {
    const named = (library as unknown as Record<string, NamedClass>)[name];
    const model = await named.fromPretrained(await saved(name), { engine: createInterpreterEngine() });
    expect(model.description.architecture).toBe(name);
    const other = name.startsWith('Bert') ? 'ElectraModel' : 'BertModel';
    await expect(named.fromPretrained(await saved(other))).rejects.toThrow(
      new RegExp(`is of model type ${name.startsWith('Bert') ? 'electra' : 'bert'}, which ${name} is not`),
    );
  },
);

it('a class by name says what a file holds that has no such head', async () => {
  const folder = await saved('ElectraForPreTraining');
  await expect(library.ElectraForQuestionAnswering.fromPretrained(folder)).rejects.toThrow(
    /no whole head of ElectraForQuestionAnswering: .*It holds ElectraForPreTraining/,
  );
});

it('tokenizers go by the names of both families', async () => {
  const folder = await saved('ElectraForPreTraining');
  for (const { fromPretrained } of [library.ElectraTokenizer, library.BertTokenizer]) {
    expect((await fromPretrained(folder)).tokens).toEqual(TEST_TOKENIZER.tokens);
  }
});
