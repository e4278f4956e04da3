/**
 * Python's transformers reads what we write: no weight missing or left over, no warning, and the logits are ours. Needs a
 * Python with test/golden/requirements.txt, named by PLEIAD_PYTHON.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { expectedTensors, type ModelDescription } from '../src/checkpoint/modelFolder.js';
import { saveModelFolder } from '../src/checkpoint/modelFolder.node.js';
import { openTensors } from '../src/checkpoint/openTensors.node.js';
import { readAll } from '../src/checkpoint/testCheckpoints.js';
import type { Tensor } from '../src/engine/engine.js';
import { PUBLISHED_OUTPUTS } from '../src/engine/onnx/publish.js';
import { ARCHITECTURES, encoderConfig } from '../src/models/config.js';
import { SPAN_BOUNDARY_DEFAULTS } from '../src/models/spanbert.js';
import { loadFillMask } from '../src/pipelines/load.node.js';
import { convertModel } from '../src/pretrained/convert.node.js';
import { fromPretrained } from '../src/pretrained/pretrained.node.js';
import { createSpanBert } from '../src/pretraining/spanbert.js';
import { RandomStream } from '../src/random/philox.js';
import { PUBLISHED_NORMALIZATION, WordPieceTokenizer } from '../src/text/tokenizer.js';

const PYTHON = process.env.PLEIAD_PYTHON;
const script = (name: string) => fileURLToPath(new URL(`./golden/${name}`, import.meta.url));
const SCRIPT = script('check_huggingface_folder.py');
const ROUND_TRIP = script('check_round_trip.py');
const TEXT = 'You are expected to know the [MASK] of your country';
const TOKENS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...TEXT.replace('[MASK]', 'law ##s').split(' ')];

const folder = mkdtempSync(join(tmpdir(), 'hugging-face-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Candidate {
  id: number;
  probability: number;
}

describe.skipIf(PYTHON === undefined)('transformers (PLEIAD_PYTHON)', () => {
  it.each([false, true])(
    'reads a SpanBERT with its span boundary head beside it (next sentences: %s)',
    async (pairs) => {
      const tokenizer = WordPieceTokenizer.fromVocabulary(TOKENS, { lowercase: false });
      const encoder = encoderConfig('tiny', tokenizer.vocabSize, { numHiddenLayers: 2 });
      const { models, parameters } = createSpanBert({
        encoder,
        spanBoundary: SPAN_BOUNDARY_DEFAULTS,
        nextSentence: pairs,
        mlmWeight: 1,
        sboWeight: 1,
        initialization: 'corrected',
      });
      const tensors = parameters.map(({ name, shape }, index) => {
        const random = new RandomStream(1, 'test', index);
        const size = shape.reduce((product, dim) => product * dim, 1);
        const scale = shape.length === 2 ? 1 / Math.sqrt(shape[1]) : 0.1;
        const start = name.endsWith('LayerNorm.weight') ? 1 : 0;
        return [
          name,
          { shape, data: Float32Array.from({ length: size }, () => start + scale * random.normal()) },
        ] as const;
      });
      const path = join(folder, String(pairs));
      await saveModelFolder(path, { ...models[0], tensors: new Map(tensors), tokenizer });

      const theirs = JSON.parse(execFileSync(PYTHON!, [SCRIPT, path, TEXT], { encoding: 'utf8', stdio: 'pipe' }));
      expect(theirs.architecture).toBe(pairs ? 'BertForPreTraining' : 'BertForMaskedLM');
      const filler = await loadFillMask(path);
      const { masks } = await filler.fill(TEXT, { topK: 8 });
      await filler.release();
      expect(theirs.ids).toEqual([...tokenizer.encode(TEXT).ids]);
      // Special tokens are not listed by us.
      const listed = (theirs.candidates as Candidate[]).filter(({ id }) => !tokenizer.specialIds.has(id));
      expect(listed.length).toBeGreaterThan(2);
      listed.forEach(({ id, probability }, i) => {
        expect(masks[0].candidates[i].id).toBe(id);
        expect(masks[0].candidates[i].score).toBeCloseTo(probability, 5);
      });
    },
  );

  const NAMES: Readonly<Record<string, string>> = {
    ...PUBLISHED_OUTPUTS,
    logits: 'logits',
    predictionLogits: 'prediction_logits',
  };
  const CLASSES = ARCHITECTURES.map((architecture) => [architecture] as const);

  it.each(CLASSES)('loads %s as we wrote it, and computes the same', async (architecture) => {
    const tokenizer = WordPieceTokenizer.fromVocabulary(TOKENS, { ...PUBLISHED_NORMALIZATION, lowercase: false });
    const isBert = architecture.startsWith('Bert');
    const size = { numHiddenLayers: 2, hiddenSize: 24, numAttentionHeads: 3, intermediateSize: 40 };
    const config = encoderConfig('tiny', tokenizer.vocabSize, { ...size, embeddingSize: isBert ? 24 : 16 });
    const isClassifier = architecture.endsWith('Classification');
    const model: ModelDescription = { architecture, config, ...(isClassifier && { labels: ['x', 'y', 'z'] }) };
    const path = join(folder, architecture);
    await saveModelFolder(path, { ...model, tensors: randomTensors(model), tokenizer });
    const theirs = JSON.parse(execFileSync(PYTHON!, [SCRIPT, path, TEXT], { encoding: 'utf8', stdio: 'pipe' }));
    const ours = await fromPretrained(path, { threads: 1 });
    const texts = architecture.endsWith('MultipleChoice') ? [TEXT, TEXT.replace(/ \w+$/, '')] : [TEXT];
    const rows = texts.map((text) => tokenizer.encode(text).ids);
    const outputs = await ours.run({ inputIds: texts.length > 1 ? [rows] : rows });
    await ours.release();
    const named = Object.entries(outputs).map(([name, tensor]) => {
      const published = architecture === 'BertForPreTraining' && name === 'logits' ? 'predictionLogits' : name;
      return [NAMES[published], [...(tensor as Tensor).data]] as const;
    });
    expect(named.map(([name]) => name).sort()).toEqual(Object.keys(theirs.outputs).sort());
    for (const [name, values] of named)
      expect(largestDifference(values, theirs.outputs[name]), name).toBeLessThan(1e-4);
  });

  // All of the released encoders but for their vocabulary, which adds rows to a table and nothing to compute.
  const RELEASED = [
    ['small discriminator', 'ElectraForPreTraining', 'small', {}],
    ['small generator', 'ElectraForMaskedLM', 'small', { hiddenSize: 64, numAttentionHeads: 1, intermediateSize: 256 }],
    ['base discriminator', 'ElectraForPreTraining', 'base', {}],
    ['SpanBERT base', 'BertForQuestionAnswering', 'base', {}],
  ] as const;

  it.each(RELEASED)(
    'computes the same at released size: %s, 512 tokens',
    async (name, architecture, size, fields) => {
      const tokenizer = WordPieceTokenizer.fromVocabulary(TOKENS, { lowercase: false });
      const config = encoderConfig(size, tokenizer.vocabSize, fields);
      const path = join(folder, name);
      const model: ModelDescription = { architecture, config };
      await saveModelFolder(path, { ...model, tensors: randomTensors(model), tokenizer });
      const text = Array.from({ length: 51 }, () => TEXT).join(' ');
      const theirs = JSON.parse(
        execFileSync(PYTHON!, [SCRIPT, path, text], { encoding: 'utf8', stdio: 'pipe', maxBuffer: 1 << 26 }),
      );
      const ours = await fromPretrained(path, { threads: 2 });
      const inputIds = [tokenizer.encode(text).ids];
      expect(inputIds[0]).toHaveLength(512);
      const outputs = await ours.run({ inputIds });
      await ours.release();
      rmSync(path, { recursive: true }); // up to 350 MB
      for (const [output, tensor] of Object.entries(outputs)) {
        const values = [...(tensor as Tensor).data];
        expect(largestDifference(values, theirs.outputs[NAMES[output]]), output).toBeLessThan(1e-4);
      }
    },
    300_000,
  );

  it('reads its own models again after us: every class, float16, shards and the old .bin form, bit for bit', async () => {
    const [theirs, ours] = [join(folder, 'theirs'), join(folder, 'ours')];
    const python = (...words: string[]) =>
      execFileSync(PYTHON!, [ROUND_TRIP, ...words], { encoding: 'utf8', stdio: 'pipe' });
    python('make', theirs);
    const names = readdirSync(theirs);
    expect(names).toHaveLength(ARCHITECTURES.length + 3);
    const forms = new Map<string, string>();
    for (const name of names) {
      const { report, dtype } = await convertModel(join(theirs, name), join(ours, name));
      forms.set(name, `${report.format} ${dtype}`);
      expect(report.missing, name).toEqual([]);
      const [before, after] = await Promise.all([join(theirs, name), join(ours, name)].map(storedTensors));
      // What is not in our file is tied to another, and was the same.
      const gone = [...before.keys()].filter((key) => !after.has(key));
      expect(gone.sort(), name).toEqual(report.tied.flatMap(({ from, same }) => (from && same ? [from] : [])).sort());
      for (const [key, tensor] of after) expect(tensor, `${name} ${key}`).toEqual(before.get(key));
    }
    expect(forms.get('legacy-bin')).toBe('torch-legacy f32');
    expect(forms.get('float16')).toBe('safetensors f16');
    expect(readdirSync(join(theirs, 'shards'))).toContain('model.safetensors.index.json');
    const checked = JSON.parse(python('check', theirs, ours)) as Record<string, { difference: number }>;
    expect(Object.keys(checked).sort()).toEqual([...names].sort());
    for (const [name, { difference }] of Object.entries(checked)) expect(difference, name).toBe(0);
  }, 300_000);
});

function largestDifference(ours: readonly number[], theirs: readonly number[]): number {
  expect(ours).toHaveLength(theirs.length);
  return ours.reduce((largest, value, i) => Math.max(largest, Math.abs(value - theirs[i])), 0);
}

/** Biases too are random. */
function randomTensors(model: ModelDescription) {
  return new Map(
    [...expectedTensors(model)].map(([name, shape], index) => {
      const random = new RandomStream(2, 'test', index);
      const count = shape.reduce((product, dim) => product * dim, 1);
      const scale = shape.length === 2 ? 1.5 / Math.sqrt(shape[1]) : 0.1;
      const start = name.endsWith('LayerNorm.weight') ? 1 : 0;
      return [
        name,
        { shape, data: Float32Array.from({ length: count }, () => start + scale * random.normal()) },
      ] as const;
    }),
  );
}

/** Every tensor of a folder with its type and bits. */
async function storedTensors(path: string) {
  const source = await openTensors(path);
  return readAll(source).finally(() => source.close());
}
