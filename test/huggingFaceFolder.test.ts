/**
 * Python's transformers reads what we write: no weight missing or left over, no warning, and the logits are ours. Needs a
 * Python with test/golden/requirements.txt, named by PLEIAD_PYTHON.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { expectedTensors, type ModelDescription } from '../src/checkpoint/modelFolder.js';
import { saveModelFolder } from '../src/checkpoint/modelFolderNode.js';
import type { Tensor } from '../src/engine/engine.js';
import { PUBLISHED_OUTPUTS } from '../src/engine/onnx/publish.js';
import { ARCHITECTURES, encoderConfig } from '../src/models/config.js';
import { SPAN_BOUNDARY_DEFAULTS } from '../src/models/spanbert.js';
import { createSpanBert } from '../src/objectives/spanbert.js';
import { loadFillMask } from '../src/pipelines/node.js';
import { fromPretrained } from '../src/pipelines/pretrainedNode.js';
import { RandomStream } from '../src/random/philox.js';
import { WordPieceTokenizer } from '../src/text/tokenizer.js';

const PYTHON = process.env.PLEIAD_PYTHON;
const SCRIPT = fileURLToPath(new URL('./golden/check_huggingface_folder.py', import.meta.url));
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
      const tokenizer = WordPieceTokenizer.fromVocabulary(TOKENS);
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
    const tokenizer = WordPieceTokenizer.fromVocabulary(TOKENS, { nfc: false, tearHangul: true });
    const isBert = architecture.startsWith('Bert');
    const size = { numHiddenLayers: 2, hiddenSize: 24, numAttentionHeads: 3, intermediateSize: 40 };
    const config = encoderConfig('tiny', tokenizer.vocabSize, { ...size, embeddingSize: isBert ? 24 : 16 });
    const isClassifier = architecture.endsWith('Classification');
    const model: ModelDescription = { architecture, config, ...(isClassifier && { labels: ['x', 'y', 'z'] }) };
    const tensors = [...expectedTensors(model)].map(([name, shape], index) => {
      const random = new RandomStream(2, 'test', index);
      const count = shape.reduce((product, dim) => product * dim, 1);
      const scale = shape.length === 2 ? 1.5 / Math.sqrt(shape[1]) : 0.1;
      const start = name.endsWith('LayerNorm.weight') ? 1 : 0;
      return [
        name,
        { shape, data: Float32Array.from({ length: count }, () => start + scale * random.normal()) },
      ] as const;
    });
    const path = join(folder, architecture);
    await saveModelFolder(path, { ...model, tensors: new Map(tensors), tokenizer });
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
    for (const [name, values] of named) {
      const difference = Math.max(...values.map((value, i) => Math.abs(value - theirs.outputs[name][i])));
      expect(difference, name).toBeLessThan(1e-4);
    }
  });
});
