import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { goldenPath, temporaryFolder } from '../checkpoint/testCheckpoints.js';
import { info } from '../cli/commands/info.js';
import { Output } from '../cli/output.js';
import { TestHub } from '../hub/testHub.node.js';
import { convertModel } from './convert.node.js';
import { inspectModels } from './inspectModel.node.js';
import { tokenizerFromPretrained } from './pretrained.node.js';

const temporary = temporaryFolder('inspect');
afterAll(() => temporary.remove());

const inspectOne = async (place: string, options: Parameters<typeof inspectModels>[1] = {}) => {
  const [model, ...others] = await inspectModels(place, options);
  expect(others).toEqual([]);
  return model;
};

/** tiny-bert as a folder of ours. */
async function tinyBert(name: string, files: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = join(temporary.path, name);
  await convertModel(goldenPath('tiny-bert'), folder);
  for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), content);
  return folder;
}

/** Sizes of the golden files of electra-tf1 and of SpanBERT. */
const ELECTRA = { model_type: 'electra', vocab_size: 11, embedding_size: 6, max_position_embeddings: 7 };
const DISCRIMINATOR = { num_hidden_layers: 2, hidden_size: 8, intermediate_size: 16, num_attention_heads: 2 };
const SPANBERT = { ...DISCRIMINATOR, num_hidden_layers: 1, vocab_size: 11, max_position_embeddings: 7 };

function configFile(name: string, content: object): string {
  const path = join(temporary.path, `${name}.json`);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

describe('a checkpoint that is inspected', () => {
  it('tells class, parameters, heads, form of its weights, tokenizer', async () => {
    expect(await inspectOne(goldenPath('tiny-bert'))).toMatchObject({
      model: { architecture: 'BertModel', config: { hiddenSize: 20, vocabSize: 250 } },
      // Embeddings 250·20 + 512·20 + 2·20 + 40; one layer 4·420 + 40, 20·40 + 40, 40·20 + 20, 40; pooler 420.
      parameters: 15_320 + 3_420 + 420,
      heads: ['pooler'],
      weights: { format: 'torch-legacy', dtypes: ['F32'] },
      missing: [],
      tokenizer: { tokens: 250, lowercase: false },
      guessedConfig: false,
    });
  });

  it('may be a TensorFlow checkpoint with both halves, an archive, or a single file', async () => {
    const config = configFile('electra', { ...ELECTRA, ...DISCRIMINATOR });
    const both = await inspectOne(goldenPath('electra-tf1'), { config });
    expect(both.model.architecture).toBe('ElectraForPreTraining');
    expect(both.heads).toEqual(['discriminator_predictions', 'generator_predictions', 'generator_lm_head']);
    expect(both.weights.format).toBe('tensorflow-bundle');
    expect(both.unused.length).toBeGreaterThan(0);
    const archive = await inspectOne(goldenPath('spanbert-with-head.tar.gz'), {
      config: configFile('spanbert', SPANBERT),
    });
    expect(archive).toMatchObject({ heads: ['cls', 'sbo'], weights: { format: 'torch-legacy', dtypes: ['F16'] } });
    const folder = await tinyBert('single');
    expect((await inspectOne(join(folder, 'model.safetensors'))).heads).toEqual(['pooler']);
  });

  it('tells what a head would need that is not there, for the task that is asked about', async () => {
    const config = configFile('encoder', SPANBERT);
    const archive = goldenPath('spanbert-encoder.tar.gz');
    const { model, missing, heads } = await inspectOne(archive, { config, task: 'questionAnswering' });
    expect(model.architecture).toBe('BertForQuestionAnswering');
    expect(missing.map(({ name }) => name)).toEqual(['qa_outputs.weight', 'qa_outputs.bias']);
    expect(heads).toEqual([]);
  });

  it('tells what is wrong with its tokenizer, and is refused when its encoder is not whole', async () => {
    const folder = await tinyBert('lower', { 'tokenizer_config.json': '{"do_lower_case": true}' });
    const { tokenizer } = await inspectOne(folder);
    expect(tokenizer).toHaveProperty('problem', expect.stringMatching(/cased/));
    const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, num_hidden_layers: 9 }));
    await expect(inspectModels(folder)).rejects.toThrow(/lacks parts of the encoder/);
    await expect(inspectModels(join(temporary.path, 'nowhere'))).rejects.toThrow(/not a folder/);
  });
});

describe('the licence of a model', () => {
  const licenceIn = async (name: string, files: Readonly<Record<string, string>>) =>
    (await inspectOne(await tinyBert(name, files))).licence;

  it('is what its model card says', async () => {
    const card = '---\ntags: [a]\nlicense: apache-2.0 # of the weights\n---\n# Tiny\nlicense: mit\n';
    expect((await licenceIn('card', { 'README.md': card, LICENSE: 'MIT' })).name).toBe('apache-2.0');
    const named = '---\r\nlicense: other\r\nlicense_name: "Our Own 1.0"\r\n---\r\n';
    expect((await licenceIn('named', { 'README.md': named })).name).toBe('Our Own 1.0');
  });

  it('is never guessed: a card or a folder without one says so, or where to read', async () => {
    const silent = { source: 'no file says; look where it comes from' };
    expect(await licenceIn('body', { 'README.md': '# Tiny\nlicense: mit\n' })).toEqual(silent);
    expect(await licenceIn('empty', { 'README.md': '---\nlicense:\ntags: [x]\n---\n' })).toEqual(silent);
    const { name, source } = await licenceIn('file', { 'LICENSE.md': 'MIT' });
    expect([name, source.endsWith('LICENSE.md')]).toEqual([undefined, true]);
  });
});

describe('a name on the hub', () => {
  it('is fetched with its card; of the released models it is known what their authors said', async () => {
    const folder = await tinyBert('for-hub');
    const files = Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
    const hub = new TestHub();
    await hub.start();
    hub.add('SpanBERT/tiny', files);
    hub.add('me/tiny', { ...files, 'README.md': '---\nlicense: mit\n---\n' });
    const cacheFolder = join(temporary.path, 'cache');
    mkdirSync(cacheFolder);
    try {
      const options = { endpoint: hub.endpoint, cacheFolder, token: false } as const;
      const spanbert = await inspectOne('SpanBERT/tiny', options);
      expect(spanbert.hub?.repository).toBe('SpanBERT/tiny');
      expect(spanbert.licence.name).toMatch(/^CC BY-NC 4\.0/);
      const mine = await inspectOne('me/tiny', options);
      // A tokenizer needs no weights.
      hub.add('me/words', Object.fromEntries(Object.entries(files).filter(([name]) => name !== 'model.safetensors')));
      expect((await tokenizerFromPretrained('me/words', options)).vocabSize).toBe(250);
      expect(mine.licence).toEqual({ name: 'mit', source: join(mine.folder, 'README.md') });
    } finally {
      await hub.stop();
    }
  });
});

describe('pleiad info MODEL', () => {
  it('shows it in lines, and as JSON with the description beside it', async () => {
    const lines: string[] = [];
    const stream = { write: (text: string) => lines.push(text) };
    const output = new Output({ json: false }, { stdout: stream, stderr: stream });
    const { json } = await info.run([goldenPath('tiny-bert')], { task: 'masked-lm' }, { output });
    const text = lines.join('');
    expect(text).toContain('BertForMaskedLM, ');
    expect(text).toContain('weights: PyTorch, form before 1.6, F32');
    expect(text).toContain('missing, to be trained: cls.predictions.transform.dense.weight, cls.');
    expect(text).toContain('unused: pooler.dense.weight (no part of BertForMaskedLM), pooler.dense.bias (');
    expect(text).toContain('tokenizer: 250 tokens, cased');
    expect(text).toContain('licence: no file says');
    const { models } = json as { models: Record<string, unknown>[] };
    expect(models[0]).toMatchObject({ architecture: 'BertForMaskedLM', config: { hiddenSize: 20 }, heads: ['pooler'] });
  });
});
