import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectedTensors, type ModelDescription } from '../checkpoint/modelFolder.js';
import { saveModelFolder } from '../checkpoint/modelFolder.node.js';
import { temporaryFolder } from '../checkpoint/testCheckpoints.js';
import { TestHub } from '../hub/testHub.node.js';
import { TEST_CONFIG, TEST_TOKENIZER } from '../pipelines/testModels.js';
import { RandomStream } from '../random/philox.js';
import { exportModel } from './exportModel.node.js';
import { fromPretrained, loadPretrained } from './pretrained.node.js';

const temporary = temporaryFolder('onnx-model');
afterAll(() => temporary.remove());
const at = (...names: string[]) => join(temporary.path, ...names);

beforeAll(async () => {
  const bert = { ...TEST_CONFIG, embeddingSize: TEST_CONFIG.hiddenSize };
  const models: Record<string, ModelDescription> = {
    answers: { config: TEST_CONFIG, architecture: 'ElectraForQuestionAnswering' },
    encoder: { config: bert, architecture: 'BertModel' },
  };
  for (const [name, model] of Object.entries(models)) {
    const tensors = [...expectedTensors(model)].map(([key, shape], index) => {
      const random = new RandomStream(4, 'test', index);
      const size = shape.reduce((a, b) => a * b, 1);
      return [key, { shape, data: Float32Array.from({ length: size }, () => random.normal()) }] as const;
    });
    await saveModelFolder(at(`${name}-weights`), { ...model, tensors: new Map(tensors), tokenizer: TEST_TOKENIZER });
    await exportModel(at(`${name}-weights`), at(name), { quantize: true, tolerance: 0.3 });
  }
});

const INPUTS = {
  inputIds: [
    [2, 5, 6, 7, 3, 9, 3],
    [2, 8, 3],
  ],
  tokenTypeIds: [
    [0, 0, 0, 0, 0, 1, 1],
    [0, 0, 0],
  ],
};

async function outputs(place: string, options: Parameters<typeof fromPretrained>[1] = {}) {
  const model = await fromPretrained(place, { threads: 1, ...options });
  const result = await model.run(INPUTS);
  await model.release();
  return Object.fromEntries(
    Object.entries(result).map(([name, { shape, data }]) => [name, { shape, data: [...data] }]),
  );
}

describe('a folder with an ONNX file and no weights', () => {
  it.each(['answers', 'encoder'])('runs as the model that it was exported from: %s', async (name) => {
    const [ours, theirs] = [await outputs(at(`${name}-weights`)), await outputs(at(name))];
    expect(Object.keys(theirs)).toEqual(Object.keys(ours));
    for (const [key, { shape, data }] of Object.entries(ours)) {
      expect(theirs[key].shape).toEqual(shape);
      // At padding, outputs mean nothing.
      const width = shape.length === 3 ? shape[2] : 1;
      for (let i = 0; i < (shape.length > 1 && shape[1] === 7 ? 7 + 3 : shape[0]) * width; i++) {
        expect(theirs[key].data[i], key).toBeCloseTo(data[i], 4);
      }
    }
  });

  it('may be told which of its files', async () => {
    const float = await outputs(at('answers'));
    const rounded = await outputs(at('answers'), { onnx: 'onnx/model_quantized.onnx' });
    expect(rounded).not.toEqual(float);
    const apart = float.startLogits.data.map((value, i) => (value - rounded.startLogits.data[i]) ** 2);
    const size = float.startLogits.data.map((value) => value ** 2);
    const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
    expect(sum(apart) / sum(size)).toBeLessThan(0.3);
    await expect(outputs(at('answers'), { onnx: 'onnx/other.onnx' })).rejects.toThrow(/other\.onnx is not there/);
  });

  it('comes by name from the hub too, where the repository has no weights', async () => {
    const files = readdirSync(at('answers'), { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
    const contents = Object.fromEntries(
      files.map(({ parentPath, name }) => [
        join(parentPath, name).slice(at('answers').length + 1),
        readFileSync(join(parentPath, name)),
      ]),
    );
    const hub = new TestHub();
    await hub.start();
    hub.add('me/onnx', contents);
    try {
      const options = { endpoint: hub.endpoint, cacheFolder: at('cache'), token: false } as const;
      expect(await outputs('me/onnx', options)).toEqual(await outputs(at('answers')));
      const named = { ...options, onnx: 'onnx/model_quantized.onnx' };
      expect(await outputs('me/onnx', named)).toEqual(
        await outputs(at('answers'), { onnx: 'onnx/model_quantized.onnx' }),
      );
    } finally {
      await hub.stop();
    }
  });

  it('has no weights to load, save or look into, and says so', async () => {
    const model = await fromPretrained(at('answers'), { threads: 1 });
    await expect(model.savePretrained(at('copy'))).rejects.toThrow(/an ONNX file holds no weights to save/);
    await expect(model.run(INPUTS, { hiddenStates: true })).rejects.toThrow(/has the outputs that are in it/);
    await model.release();
    await expect(loadPretrained(at('answers'))).rejects.toThrow(/onnx\/model\.onnx, which runs.*no weights/);
  });

  it('is refused when it is another model than config.json says, damaged, or none of an encoder', async () => {
    cpSync(at('encoder'), at('wrong'), { recursive: true });
    const config = JSON.parse(readFileSync(at('wrong', 'config.json'), 'utf8'));
    writeFileSync(at('wrong', 'config.json'), JSON.stringify({ ...config, architectures: ['BertForMaskedLM'] }));
    await expect(fromPretrained(at('wrong'))).rejects.toThrow(
      /has the outputs last_hidden_state, pooler_output; BertForMaskedLM needs logits\. It is an encoder alone/,
    );
    const encoder = await fromPretrained(at('wrong'), { task: 'encoder', threads: 1 });
    expect(encoder.description.architecture).toBe('BertModel');
    await encoder.release();
    mkdirSync(at('broken'));
    copyFileSync(at('encoder', 'config.json'), at('broken', 'config.json'));
    writeFileSync(at('broken', 'model.onnx'), readFileSync(at('encoder', 'onnx/model.onnx')).subarray(0, 500));
    await expect(fromPretrained(at('broken'))).rejects.toThrow(/model\.onnx cannot be loaded/);
    renameSync(at('broken', 'model.onnx'), at('broken', 'other.onnx'));
    await expect(fromPretrained(at('broken'))).rejects.toThrow(/other\.onnx cannot be loaded/);
    rmSync(at('broken', 'other.onnx'));
    await expect(fromPretrained(at('broken'))).rejects.toThrow(/no file of weights/);
    rmSync(at('broken'), { recursive: true });
  });
});
