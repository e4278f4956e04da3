import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectedTensors } from '../src/checkpoint/modelFolder.js';
import { saveModelFolder } from '../src/checkpoint/modelFolder.node.js';
import { temporaryFolder } from '../src/checkpoint/testCheckpoints.js';
import { elementCount } from '../src/graph/dimensions.js';
import { COMMIT, TestHub } from '../src/hub/testHub.node.js';
import { type EncoderConfig, encoderConfig } from '../src/models/config.js';
import { TEST_CONFIG, TEST_TOKENIZER } from '../src/pipelines/testModels.js';
import { checkHub, hubReport, isRight, type ModelCheck, reachAdvice } from './checkHub.js';
import { RELEASED, type ReleasedModel } from './hubFacts.js';

const temporary = temporaryFolder('check-hub');
const hub = new TestHub();
const model = { architecture: 'ElectraForPreTraining', config: TEST_CONFIG } as const;
const numParameters = [...expectedTensors(model).values()].reduce((sum, shape) => sum + elementCount(shape), 0);

const TINY: ReleasedModel = {
  name: 'me/tiny',
  task: 'preTraining',
  architecture: 'ElectraForPreTraining',
  parameters: numParameters,
  config: { hiddenSize: TEST_CONFIG.hiddenSize, vocabSize: TEST_CONFIG.vocabSize },
  lowercase: TEST_TOKENIZER.settings.lowercase,
  clsId: TEST_TOKENIZER.clsId,
};

beforeAll(async () => {
  const folder = join(temporary.path, 'model');
  const tensors = new Map(
    [...expectedTensors(model)].map(([name, shape]) => [
      name,
      { shape, data: new Float32Array(elementCount(shape)).fill(0.5) },
    ]),
  );
  await saveModelFolder(folder, { ...model, tensors, tokenizer: TEST_TOKENIZER });
  await hub.start();
  const files = readdirSync(folder).filter((name) => name.includes('.'));
  hub.add('me/tiny', Object.fromEntries(files.map((name) => [name, readFileSync(join(folder, name))])));
});
afterAll(async () => {
  await hub.stop();
  temporary.remove();
});

async function check(models: readonly ReleasedModel[], cache: string): Promise<ModelCheck[]> {
  const options = { endpoint: hub.endpoint, cacheFolder: join(temporary.path, cache), token: false } as const;
  return collected(checkHub(models, options));
}

async function collected<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

describe('the check of released models', () => {
  it('says that a model is as recorded, with its commit', async () => {
    const checks = await check([TINY], 'right');
    expect(checks.map(isRight)).toEqual([true]);
    expect(checks[0].facts.map(({ fact }) => fact)).toEqual(
      expect.arrayContaining(['class', 'parameters in its files', 'vocabSize', 'lower-cases', 'id of [CLS]']),
    );
    expect(hubReport(checks)).toContain(`- ✓ \`me/tiny\` at ${COMMIT.slice(0, 12)}`);
    expect(reachAdvice(checks)).toBeUndefined();
  });

  it('lists every fact that differs, with both values', async () => {
    const [wrong] = await check([{ ...TINY, parameters: 7, lowercase: !TINY.lowercase, missing: ['x'] }], 'wrong');
    expect(isRight(wrong)).toBe(false);
    const report = hubReport([wrong]);
    expect(report).toContain('3 of');
    expect(report).toContain(`| me/tiny | parameters in its files | 7 | ${numParameters} |`);
    expect(report).toContain('| me/tiny | tensors that are missing | x | none |');
  });

  it('says of a head that is missing what was found', async () => {
    const [other] = await check([{ ...TINY, task: 'maskedLm', architecture: 'ElectraForMaskedLM' }], 'head');
    expect(hubReport([other])).toMatch(/tensors that are missing \| none \| generator_/);
  });

  it('goes on after one that is not there, and says what to do when nobody answers', async () => {
    const checks = await check([{ ...TINY, name: 'me/none' }, TINY], 'absent');
    expect(checks.map(isRight)).toEqual([false, true]);
    expect(checks[0].error).toMatch(/me\/none/);
    expect(reachAdvice(checks)).toBeUndefined(); // it answers; there is no such model
    const offline = await collected(checkHub([TINY], { cacheFolder: join(temporary.path, 'off'), offline: true }));
    expect(reachAdvice(offline)).toMatch(/^None of the models could be fetched.*HF_ENDPOINT/);
  });
});

describe('the recorded facts', () => {
  it.each(RELEASED.map((each) => [each.name, each] as const))('of %s agree with one another', (_, released) => {
    const { architecture, config, missing = [], parameters } = released;
    const whole: EncoderConfig = { ...encoderConfig('small', 1), ...config };
    const own = [...expectedTensors({ architecture, config: whole })].filter(([name]) => !missing.includes(name));
    expect(own.reduce((sum, [, shape]) => sum + elementCount(shape), 0)).toBe(parameters);
  });
});
