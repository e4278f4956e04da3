import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { saveModelFolder } from '../checkpoint/modelFolder.node.js';
import { temporaryFolder } from '../checkpoint/testCheckpoints.js';
import { createInterpreterEngine } from '../engine/interpreterEngine.js';
import type { Architecture } from '../models/config.js';
import { TEST_CONFIG, TEST_TOKENIZER, testModel } from '../pipelines/testModels.js';
import { convertModel } from './convert.node.js';
import { exportModel } from './exportModel.node.js';
import { fromPretrained, loadPretrained } from './pretrained.node.js';

const temporary = temporaryFolder('task-settings');
afterAll(() => temporary.remove());
const at = (...names: string[]) => join(temporary.path, ...names);
const SETTINGS = { nullThreshold: 1.5, temperature: 0.75 };
const FILE = 'question_answering.json';

async function save(name: string, architecture: Architecture, text: string): Promise<void> {
  const { graph, weights } = testModel(architecture);
  const tensors = new Map(graph.parameters.map(({ name: key, shape }) => [key, { shape, data: weights.get(key)! }]));
  await saveModelFolder(at(name), { architecture, config: TEST_CONFIG, tensors, tokenizer: TEST_TOKENIZER });
  writeFileSync(at(name, FILE), text);
}

beforeAll(() => save('model', 'ElectraForQuestionAnswering', JSON.stringify(SETTINGS)));

describe('question_answering.json', () => {
  it('comes with the model, and goes with it into every form that is written of it', async () => {
    expect((await loadPretrained(at('model'))).taskSettings).toEqual(SETTINGS);
    await using model = await fromPretrained(at('model'), { engine: createInterpreterEngine() });
    await model.savePretrained(at('saved'));
    const { files } = await convertModel(at('model'), at('converted'));
    expect(files).toContain(FILE);
    const exported = await exportModel(at('model'), at('exported'));
    for (const name of ['saved', 'converted', 'exported']) {
      expect(JSON.parse(readFileSync(at(name, FILE), 'utf8')), name).toEqual(SETTINGS);
    }
    expect(exported.files.get(FILE)).toBe(readFileSync(at('exported', FILE)).length);
  });

  it('is none of a model for something else', async () => {
    await save('classifier', 'ElectraForPreTraining', JSON.stringify(SETTINGS));
    expect((await loadPretrained(at('classifier'))).taskSettings).toBeUndefined();
    await convertModel(at('classifier'), at('converted-classifier'));
    expect(existsSync(at('converted-classifier', FILE))).toBe(false);
  });

  it('is said to be damaged with what to do', async () => {
    await save('damaged', 'ElectraForQuestionAnswering', '{');
    await expect(loadPretrained(at('damaged'))).rejects.toThrow(
      /question_answering\.json is not JSON: .*Correct the file, or remove it/s,
    );
  });
});
