/** convert, export and info of the compiled command line, on the golden checkpoints. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { expectedTensors } from '../src/checkpoint/modelFolder.js';
import { saveModelFolder } from '../src/checkpoint/modelFolder.node.js';
import { goldenPath } from '../src/checkpoint/testCheckpoints.js';
import { encoderConfig } from '../src/models/config.js';
import { WordPieceTokenizer } from '../src/text/tokenizer.js';

const MAIN = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'convert-cli-'));
const at = (...names: string[]) => join(folder, ...names);
afterAll(() => rmSync(folder, { recursive: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly json: Record<string, never>;
}

function start(...words: string[]): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [MAIN, ...words, '--json']);
  const texts = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (texts.stdout += chunk));
  child.stderr.on('data', (chunk) => (texts.stderr += chunk));
  const ended = new Promise<Ended>((resolve) =>
    child.on('close', (code) => resolve({ code, ...texts, json: JSON.parse(texts.stdout.trimEnd() || '{}') })),
  );
  return { child, ended };
}
const pleiad = (...words: string[]) => start(...words).ended;

const ELECTRA = { model_type: 'electra', vocab_size: 11, embedding_size: 6, max_position_embeddings: 7 };
const GENERATOR = { num_hidden_layers: 2, hidden_size: 4, intermediate_size: 12, num_attention_heads: 1 };

describe('pleiad convert', () => {
  it('writes a model folder and accounts for every tensor, of a TensorFlow checkpoint too', async () => {
    const config = at('generator.json');
    writeFileSync(config, JSON.stringify({ ...ELECTRA, ...GENERATOR }));
    const words = ['convert', goldenPath('electra-tf1'), at('generator'), '--half', 'generator', '--config', config];
    const { code, json, stderr } = await pleiad(...words);
    expect(code, stderr).toBe(0);
    expect(json).toMatchObject({
      format: 'tensorflow-bundle',
      architecture: 'ElectraForMaskedLM',
      missing: [],
      initialized: [],
      files: ['config.json', 'model.safetensors'],
    });
    const counts = [json.loaded, json.converted].map(({ length }: readonly unknown[]) => length);
    expect(counts[0] + counts[1]).toBe(json.tensors);
    expect(stderr).toMatch(/\d+ loaded, \d+ converted, \d+ tied, 0 missing, \d+ unused/);
    const { json: shown } = await pleiad('info', at('generator'));
    expect(shown.models[0]).toMatchObject({
      architecture: 'ElectraForMaskedLM',
      heads: ['generator_predictions', 'generator_lm_head'],
      weights: { format: 'safetensors', dtypes: ['F32'] },
    });
  });

  it('says what it cannot do, and leaves nothing', async () => {
    const head = await pleiad('convert', goldenPath('tiny-bert'), at('head'), '--task', 'question-answering');
    expect([head.code, existsSync(at('head'))]).toEqual([1, false]);
    expect(head.stderr).toMatch(
      /has no whole head of BertForQuestionAnswering: missing qa_outputs.*To train a new head, ask for one \(--new-head\)/,
    );
    const labels = await pleiad('convert', goldenPath('tiny-bert'), at('head'), '--labels', 'a,a');
    expect([labels.code, existsSync(at('head'))]).toEqual([2, false]);
    expect(labels.stderr).toMatch(
      /--labels is given and --new-head is not.*--labels is "a,a"; expected different names/s,
    );
    await pleiad('convert', goldenPath('tiny-bert'), at('tiny'));
    const again = await pleiad('convert', goldenPath('tiny-bert'), at('tiny'));
    expect(again.code).toBe(2);
    expect(again.stderr).toContain('tiny is not empty');
    expect((await pleiad('convert', goldenPath('tiny-bert'), at('x'), '--dtype', 'f8')).code).toBe(2);
  });

  it('with --new-head writes a head of random weights, the same for a seed', async () => {
    const convert = (out: string, ...words: string[]) =>
      pleiad('convert', goldenPath('tiny-bert'), at(out), '--task', 'sequence-classification', '--new-head', ...words);
    const { code, json, stderr } = await convert('classifier', '--labels', 'no, yes,maybe');
    expect(code, stderr).toBe(0);
    expect(json.initialized).toEqual(['classifier.weight', 'classifier.bias']);
    expect(stderr).toContain('new, from random weights: 2 tensors');
    const config = JSON.parse(readFileSync(at('classifier', 'config.json'), 'utf8'));
    expect(config).toMatchObject({
      architectures: ['BertForSequenceClassification'],
      id2label: { 0: 'no', 1: 'yes', 2: 'maybe' },
    });
    const weights = (name: string) => readFileSync(at(name, 'model.safetensors'));
    await convert('again', '--labels', 'no,yes,maybe');
    await convert('other', '--labels', 'no,yes,maybe', '--seed', '7');
    expect(weights('again').equals(weights('classifier'))).toBe(true);
    expect(weights('other').equals(weights('classifier'))).toBe(false);
  });

  it('on Ctrl-C removes what it wrote and exits 130', async () => {
    // 75 MB: some tenths of a second to read, to hash and to flush.
    const config = encoderConfig('tiny', 6000, { numHiddenLayers: 24, hiddenSize: 256, intermediateSize: 1024 });
    const model = { config: { ...config, numAttentionHeads: 4 }, architecture: 'ElectraForPreTraining' } as const;
    const tensors = [...expectedTensors(model)].map(([name, shape]) => {
      const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
      return [name, { shape, data }] as const;
    });
    await saveModelFolder(at('large'), { ...model, tensors: new Map(tensors) });
    const { child, ended } = start('convert', at('large'), at('interrupted'));
    await vi.waitFor(() => expect(existsSync(at('interrupted', '.unfinished'))).toBe(true), {
      timeout: 20_000,
      interval: 2,
    });
    child.kill('SIGINT');
    const { code, json, stderr } = await ended;
    expect(code, stderr).toBe(130);
    expect(json).toEqual({ status: 'interrupted' });
    expect(existsSync(at('interrupted'))).toBe(false);
  });
});

describe('a command that uses a model', () => {
  it('notes what of its file it has no use for', async () => {
    const vocabulary = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'a', 'dog', '.'];
    const tokenizer = WordPieceTokenizer.fromVocabulary(vocabulary);
    const size = { numHiddenLayers: 1, hiddenSize: 8, numAttentionHeads: 2, intermediateSize: 8, embeddingSize: 8 };
    const config = encoderConfig('tiny', tokenizer.vocabSize, size);
    const model = { config, architecture: 'ElectraForMaskedLM' } as const;
    const tensors = [...expectedTensors(model), ['adapter.weight', [2]] as const].map(([name, shape]) => {
      const data = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.1);
      return [name, { shape, data }] as const;
    });
    await saveModelFolder(at('adapted'), { ...model, tensors: new Map(tensors), tokenizer });
    const { code, stderr } = await pleiad('fill-mask', '--model', at('adapted'), 'a [MASK] .');
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(
      /ElectraForMaskedLM does not use 1 of the tensors of .*model\.safetensors: adapter\.weight\n/,
    );
  });
});

describe('pleiad export', () => {
  it('writes the folder that transformers.js loads and says how far 8 bits are from float', async () => {
    const texts = at('texts.txt');
    writeFileSync(texts, 'A dog\n\nThe cat sat\n');
    const words = ['export', goldenPath('tiny-bert'), '--out', at('web'), '--quantize', '--texts', texts];
    const { code, json, stderr } = await pleiad(...words);
    expect(code, stderr).toBe(0);
    expect(readdirSync(at('web', 'onnx')).sort()).toEqual(['model.onnx', 'model_quantized.onnx']);
    expect(json).toMatchObject({ architecture: 'BertModel', quantization: { rows: 2 } });
    const { relative } = (json.quantization as { written: { relative: number } }).written;
    expect(relative).toBeGreaterThan(0);
    expect(relative).toBeLessThanOrEqual(0.02);
    expect(stderr).toMatch(/8 bits: outputs of 2 rows differ by \S+ % of themselves, at most by/);
    expect(stderr).toMatch(/in padded batches, beside other rows: by \S+ %, at most by/);
    expect(JSON.parse(readFileSync(at('web', 'config.json'), 'utf8')).architectures).toEqual(['BertModel']);
    const { models } = (await pleiad('info', goldenPath('tiny-bert'))).json;
    expect(models[0]).toMatchObject({ weights: { format: 'torch-legacy' } });
  });

  it('needs a place to write, and a tolerance that is one', async () => {
    const nowhere = await pleiad('export', goldenPath('tiny-bert'));
    expect([nowhere.code, nowhere.stderr]).toEqual([2, expect.stringContaining('--out is missing')]);
    const wrong = await pleiad('export', goldenPath('tiny-bert'), '--out', at('y'), '--tolerance', 'x');
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('--tolerance is "x"')]);
    expect(existsSync(at('y'))).toBe(false);
  });
});
