import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectedTensors } from '../checkpoint/modelFolder.js';
import { saveModelFolder } from '../checkpoint/modelFolder.node.js';
import { temporaryFolder } from '../checkpoint/testCheckpoints.js';
import { loadFillMask, loadReplacedTokenDetection } from '../pipelines/load.node.js';
import { TEST_CONFIG, TEST_TOKENIZER } from '../pipelines/testModels.js';
import { inspectModels } from './inspectModel.node.js';
import { locateTokenizer } from './locateTokenizer.node.js';
import { innerPlace, resolveModelFolder } from './modelPlaces.node.js';
import { fromPretrained, loadPretrained } from './pretrained.node.js';

const temporary = temporaryFolder('places');
afterAll(() => temporary.remove());
const at = (...names: string[]) => join(temporary.path, ...names);

const touch = (...names: string[]) => {
  mkdirSync(at(...names.slice(0, -1)), { recursive: true });
  writeFileSync(at(...names), '{}');
};

beforeAll(async () => {
  const model = { config: TEST_CONFIG, architecture: 'ElectraForMaskedLM' } as const;
  const tensors = new Map(
    [...expectedTensors(model)].map(([name, shape]) => {
      const data = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.1);
      return [name, { shape, data }] as const;
    }),
  );
  await saveModelFolder(at('one', 'deeper', 'model-1'), { ...model, tensors, tokenizer: TEST_TOKENIZER });
  // What lies beside a run of the quickstart.
  touch('one', 'shards', 'manifest.json');
  touch('one', 'shards', 'shard-00000.safetensors');
  touch('one', 'vocab', 'tokenizer_config.json');
  touch('one', '.cache', 'run.json');
});

describe('a folder around exactly one run or model', () => {
  it('stands for that, wherever a model is asked for', async () => {
    expect(innerPlace(at('one'))).toBe(at('one', 'deeper', 'model-1'));
    expect((await loadPretrained(at('one'))).folder).toBe(at('one', 'deeper', 'model-1'));
    expect((await inspectModels(at('one')))[0].model.architecture).toBe('ElectraForMaskedLM');
    expect(await locateTokenizer(at('one'))).toBe(at('one', 'deeper', 'model-1'));
    const model = await fromPretrained(at('one'), { threads: 1 });
    expect(model.tokenizer!.hash()).toBe(TEST_TOKENIZER.hash());
    await model.release();
    const filler = await loadFillMask(at('one'), { threads: 1 });
    expect((await filler.fill('the [MASK]')).masks).toHaveLength(1);
    await filler.release();
  });

  it('may lead to itself by a link', () => {
    cpSync(at('one'), at('linked'), { recursive: true });
    symlinkSync(at('linked', 'deeper'), at('linked', 'deeper', 'again'));
    symlinkSync(at('linked', 'nowhere'), at('linked', 'dead'));
    expect(() => innerPlace(at('linked', 'shards'))).not.toThrow();
    expect(innerPlace(at('linked'))).toBe(at('linked', 'deeper', 'model-1'));
  });
});

describe('a folder around several runs or models', () => {
  it('names them', async () => {
    touch('several', 'a', 'run.json');
    touch('several', 'b', 'c', 'config.json');
    touch('several', 'd', 'trainer.json');
    const message =
      `${at('several')} holds several runs and models: ${['a', 'b/c', 'd'].map((name) => at('several', name)).join(', ')}. ` +
      'Give the one that is meant';
    expect(() => innerPlace(at('several'))).toThrow(message);
    for (const use of [loadPretrained, inspectModels, loadFillMask, loadReplacedTokenDetection, locateTokenizer]) {
      await expect(use(at('several'))).rejects.toThrow(message);
    }
  });

  it('that are the halves of a pair gives the one that is wanted', () => {
    touch('pair', 'generator', 'config.json');
    touch('pair', 'discriminator', 'config.json');
    expect(resolveModelFolder(at('pair'), 'generator', 'model')).toBe(at('pair', 'generator'));
    expect(resolveModelFolder(at('pair'), 'discriminator')).toBe(at('pair', 'discriminator'));
    expect(() => resolveModelFolder(at('pair'), 'model')).toThrow(
      `${at('pair')} has no model. It has discriminator and generator`,
    );
  });
});

describe('any other folder', () => {
  it('stands for itself', () => {
    for (const name of ['one/shards', 'one/vocab', 'one/deeper/model-1', 'nowhere']) {
      expect(innerPlace(at(name))).toBe(at(name));
    }
    mkdirSync(at('empty'));
    expect(() => resolveModelFolder(at('empty'), 'model')).toThrow('is neither a model folder nor a run');
    rmSync(at('empty'), { recursive: true });
  });

  it('of weights without config.json is no folder around the models within it', () => {
    cpSync(at('one'), at('weights'), { recursive: true });
    touch('weights', 'model.ckpt-100.index');
    expect(innerPlace(at('weights'))).toBe(at('weights'));
  });

  it('with the checkpoints of a run stands for the run', () => {
    touch('run', 'run.json');
    touch('run', 'checkpoints', 'step-00000001', 'trainer.json');
    touch('run', 'checkpoints', 'step-00000002', 'trainer.json');
    expect(innerPlace(at('run', 'checkpoints'))).toBe(at('run'));
  });
});
