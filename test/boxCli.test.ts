/** Models in the box: found by plain names, taken where none is given. On tiny models of random weights; `npm test` builds first. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { saveModelFolder } from '../src/checkpoint/modelFolder.node.js';
import { temporaryFolder } from '../src/checkpoint/testCheckpoints.js';
import { boxedModels, pipeline } from '../src/index.node.js';
import type { Architecture } from '../src/models/config.js';
import { TEST_CONFIG, TEST_TOKENIZER, testModel } from '../src/pipelines/testModels.js';
import { convertPair } from '../src/pretrained/convert.node.js';
import { loadStartModels } from '../src/pretraining/loadStart.node.js';
import { resolvePretrainingSettings } from '../src/pretraining/settings.js';

const MAIN = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const PACKAGE = fileURLToPath(new URL('../models/', import.meta.url));
const temporary = temporaryFolder('box');
const at = (...names: string[]) => join(temporary.path, ...names);
afterAll(() => {
  vi.unstubAllEnvs();
  temporary.remove();
});

async function save(folder: string, architecture: Architecture) {
  const { graph, weights } = testModel(architecture);
  const tensors = new Map(graph.parameters.map(({ name, shape }) => [name, { shape, data: weights.get(name)! }]));
  await saveModelFolder(folder, { architecture, config: TEST_CONFIG, tensors, tokenizer: TEST_TOKENIZER });
}

beforeAll(async () => {
  await save(at('pair/discriminator'), 'ElectraForPreTraining');
  await save(at('pair/generator'), 'ElectraForMaskedLM');
  mkdirSync(at('box'));
  await convertPair(at('pair'), at('box/pleiad-en'), { dtype: 'int8' });
  await save(at('box/pleiad-en-qa'), 'ElectraForQuestionAnswering');
  const entry = (name: string) => ({ name, summary: 'random weights', language: 'en', pipelines: [], bytes: 1 });
  const models = [entry('pleiad-en'), entry('pleiad-en-qa')];
  writeFileSync(at('box/index.json'), JSON.stringify({ format: 'pleiad-models', version: 1, models }));
  vi.stubEnv('PLEIAD_MODELS', at('box'));
});

function pleiad(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...words, '--json'], {
    encoding: 'utf8',
    cwd: temporary.path,
    env: { ...process.env, NO_COLOR: '1' },
  });
  return { status, stderr, json: JSON.parse(stdout.trimEnd().split('\n').at(-1) || '{}') };
}

describe('a model in the box', () => {
  it('is taken by the commands where none is given, and is the one that its name gives', () => {
    const words = { detect: ['the chef ate'], 'fill-mask': ['the [MASK] ate'], corrupt: ['the chef ate a meal'] };
    for (const [command, text] of Object.entries(words)) {
      const { status, stderr, json } = pleiad(command, ...text);
      expect(status, stderr).toBe(0);
      if (command !== 'corrupt') expect(pleiad(command, ...text, '--model', 'pleiad-en').json).toEqual(json);
    }
    writeFileSync(at('report.txt'), 'the chef\n\nate a a meal');
    const { json } = pleiad('proofread', 'report.txt', '--threshold', '0.999');
    expect(json.files[0].words).toEqual([
      { start: 16, end: 17, text: 'a', doubt: 1, proposals: [{ text: '', score: 1 }], line: 3, column: 7 },
    ]);
    expect(pleiad('proofread', 'report.txt', '--false-alarms', '1%').stderr).toMatch(
      /give text of your own that is right \(--own\)/,
    );
    const { status, stderr } = pleiad('ask', 'who ate?', '--context', 'the chef ate a meal');
    expect(status, stderr).toBe(0);
    expect(pleiad('info').json.models).toEqual(['pleiad-en', 'pleiad-en-qa']);
    expect(
      pleiad('info', 'pleiad-en').json.models.map((model: { architecture: string }) => model.architecture),
    ).toEqual(['ElectraForPreTraining', 'ElectraForMaskedLM']);
  });

  it('is taken by pipelines, and training starts from it', async () => {
    await using detect = await pipeline('replaced-token-detection');
    expect((await detect('the chef')).map(({ token }) => token)).toEqual(['the', 'chef']);
    const settings = resolvePretrainingSettings({ data: at('shards'), out: at('run'), from: 'pleiad-en', steps: 1 });
    const { models } = await loadStartModels(settings);
    expect(models.map(({ role }) => role)).toEqual(['discriminator', 'generator']);
    expect(models.every(({ report }) => report.eightBit.length > 0)).toBe(false); // too small for 8 bits
  });

  it('that is not there is never looked for elsewhere', () => {
    const { status, stderr } = pleiad('detect', 'the chef', '--model', 'pleiad-em');
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /There is no model pleiad-em in pleiad-models .* it has pleiad-en, pleiad-en-qa. Did you mean pleiad-en\?/,
    );
  });
});

describe('the package pleiad-models', () => {
  const manifest = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8'));
  const files = readdirSync(PACKAGE, { recursive: true, encoding: 'utf8' })
    .map((name) => ({ name, stat: statSync(join(PACKAGE, name)) }))
    .filter(({ name, stat }) => stat.isFile() && name.startsWith('pleiad-'));

  it('is of the version of pleiad, and small: 75 MB in all, 25 MB a file', () => {
    const own = JSON.parse(readFileSync(join(PACKAGE, '..', 'package.json'), 'utf8'));
    expect([manifest.name, manifest.version]).toEqual(['pleiad-models', own.version]);
    expect(own.peerDependencies['pleiad-models']).toBe(own.version);
    expect(files.reduce((sum, { stat }) => sum + stat.size, 0)).toBeLessThanOrEqual(75e6);
    for (const { name, stat } of files) expect(stat.size, name).toBeLessThanOrEqual(25e6);
  });

  it('lists what it has, each with a card that says whose it is', () => {
    vi.stubEnv('PLEIAD_MODELS', '');
    const models = boxedModels();
    vi.stubEnv('PLEIAD_MODELS', at('box'));
    const folders = readdirSync(PACKAGE, { withFileTypes: true }).filter((entry) => entry.name.startsWith('pleiad-'));
    expect(models.map(({ name }) => name).sort()).toEqual(folders.map(({ name }) => name).sort());
    for (const { name, folder, bytes } of models) {
      const own = files.filter((file) => file.name.startsWith(`${name}/`));
      expect(
        own.reduce((sum, { stat }) => sum + stat.size, 0),
        name,
      ).toBe(bytes);
      const card = readFileSync(join(folder, 'README.md'), 'utf8');
      expect(card, name).toMatch(/^---\nlicense: /);
      for (const heading of ['Data', 'Figures', 'Changes', 'How it was made']) {
        expect(card, name).toContain(`## ${heading}`);
      }
      if (card.includes('MiniLM')) expect(card, name).toContain('Apache-2.0');
    }
  });
});
