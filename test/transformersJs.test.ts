/** What we export runs in transformers.js with the same result, in float and in 8 bits. Nothing is fetched. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env, pipeline } from '@huggingface/transformers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectedTensors, type ModelDescription } from '../src/checkpoint/modelFolder.js';
import { saveModelFolder } from '../src/checkpoint/modelFolder.node.js';
import { encoderConfig } from '../src/models/config.js';
import { loadFillMask } from '../src/pipelines/load.node.js';
import { pipeline as ourPipeline } from '../src/pipelines/pipeline.node.js';
import { exportModel } from '../src/pretrained/exportModel.node.js';
import { fromPretrained } from '../src/pretrained/pretrained.node.js';
import { RandomStream } from '../src/random/philox.js';
import { WordPieceTokenizer } from '../src/text/tokenizer.js';

const folder = mkdtempSync(join(tmpdir(), 'transformers-js-'));
afterAll(() => rmSync(folder, { recursive: true }));

const WORDS = 'the chef cook ##ed ate a good meal . who was it in kitchen 한국어 ?'.split(' ');
const tokenizer = WordPieceTokenizer.fromVocabulary(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...WORDS]);
const config = encoderConfig('tiny', tokenizer.vocabSize, {
  ...{ embeddingSize: 24, hiddenSize: 32, numHiddenLayers: 2, numAttentionHeads: 4, intermediateSize: 64 },
  maxPositionEmbeddings: 40,
});
const bert = { ...config, embeddingSize: 32 };

const MODELS: Readonly<Record<string, ModelDescription>> = {
  generator: { config, architecture: 'ElectraForMaskedLM' },
  masked: { config: bert, architecture: 'BertForMaskedLM' },
  answers: { config, architecture: 'ElectraForQuestionAnswering' },
  spans: { config: bert, architecture: 'BertForQuestionAnswering' },
  classes: { config, architecture: 'ElectraForSequenceClassification', labels: ['bad', 'good', 'neither'] },
  pooled: { config: bert, architecture: 'BertForSequenceClassification', labels: ['bad', 'good'] },
  tags: { config, architecture: 'ElectraForTokenClassification', labels: ['O', 'B', 'I'] },
  encoder: { config, architecture: 'ElectraModel' },
  bert: { config: bert, architecture: 'BertModel' },
};

beforeAll(async () => {
  env.allowRemoteModels = false;
  env.localModelPath = folder;
  for (const [name, model] of Object.entries(MODELS)) {
    const tensors = [...expectedTensors(model)].map(([key, shape], index) => {
      const random = new RandomStream(5, 'test', index);
      const size = shape.reduce((product, dim) => product * dim, 1);
      const scale = shape.length === 2 ? (key.includes('embeddings.') ? 1 : 1.5 / Math.sqrt(shape[1])) : 0.1;
      const start = key.endsWith('LayerNorm.weight') ? 1 : 0;
      return [
        key,
        { shape, data: Float32Array.from({ length: size }, () => start + scale * random.normal()) },
      ] as const;
    });
    await saveModelFolder(`${folder}/ours-${name}`, { ...model, tensors: new Map(tensors), tokenizer });
    await exportModel(join(folder, `ours-${name}`), join(folder, name), { quantize: name === 'classes' });
  }
});

const TEXT = 'the chef cooked a good meal .';
const encode = (text: string, pair?: string) => tokenizer.encode(text, pair === undefined ? {} : { pair });

async function ours(name: string, text: string, pair?: string) {
  const model = await fromPretrained(join(folder, `ours-${name}`), { threads: 1 });
  const { ids, typeIds } = encode(text, pair);
  const outputs = await model.run({ inputIds: [ids], tokenTypeIds: [typeIds] });
  await model.release();
  return outputs;
}

const softmax = (values: ArrayLike<number>) => {
  const powers = Array.from(values, Math.exp);
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
};

describe('an exported folder in transformers.js', () => {
  it.each(['generator', 'masked'])('fills a mask: %s', async (name) => {
    const theirs = await pipeline('fill-mask', name, { dtype: 'fp32' });
    const text = 'the chef [MASK] a good meal .';
    const found = (await theirs(text, { top_k: 8 })) as { token: number; score: number }[];
    const filler = await loadFillMask(join(folder, `ours-${name}`), { threads: 1 });
    const { masks } = await filler.fill(text, { topK: 10 });
    await filler.release();
    const listed = found.filter(({ token }) => !tokenizer.specialIds.has(Number(token)));
    expect(listed.length).toBeGreaterThan(3);
    listed.forEach(({ token, score }, i) => {
      expect(Number(token)).toBe(masks[0].candidates[i].id);
      expect(score).toBeCloseTo(masks[0].candidates[i].score, 5);
    });
    await theirs.dispose();
  });

  it.each(['answers', 'spans'])('answers a question: %s', async (name) => {
    const theirs = await pipeline('question-answering', name, { dtype: 'fp32' });
    const question = 'who cooked ?';
    const answer = (await theirs(question, TEXT)) as { answer: string; score: number };
    const { startLogits, endLogits } = await ours(name, question, TEXT);
    const { ids, typeIds } = encode(question, TEXT);
    // As their pipeline does: the best pair of start and end in the text, start not after end, [SEP] left out; [CLS] has its
    // share of the probability and is no answer.
    const inText = [...ids.keys()].filter((i) => typeIds[i] === 1 && ids[i] !== tokenizer.sepId);
    const chance = (logits: typeof startLogits) => {
      const all = softmax([0, ...inText].map((i) => logits!.data[i]));
      return new Map(inText.map((position, i) => [position, all[i + 1]]));
    };
    const [starts, ends] = [chance(startLogits), chance(endLogits)];
    const pairs = inText.flatMap((start) => inText.filter((end) => end >= start).map((end) => [start, end] as const));
    const best = pairs.reduce((a, b) =>
      starts.get(b[0])! * ends.get(b[1])! > starts.get(a[0])! * ends.get(a[1])! ? b : a,
    );
    expect(answer.score).toBeCloseTo(starts.get(best[0])! * ends.get(best[1])!, 5);
    expect(answer.answer.replaceAll(' ', '')).toBe(
      tokenizer.decode(ids.subarray(best[0], best[1] + 1)).replaceAll(' ', ''),
    );
    // Our own pipeline, on the same file: in one window the order of p(start)·p(end) is that of the sum of the logits.
    await using ask = await ourPipeline('question-answering', { model: join(folder, name), threads: 1 });
    const options = { topK: 5, maxAnswerLength: 100, alignToWords: false, overlapThreshold: 1 };
    const found = await ask({ question, context: TEXT }, options);
    const listed = (await theirs(question, TEXT, { top_k: 5 })) as unknown as { answer: string }[];
    const bare = (text: string) => text.replace(/ |##/g, '');
    expect(found.map((each) => bare(each.answer))).toEqual(listed.map((each) => bare(each.answer)));
    await theirs.dispose();
  });

  it.each(['classes', 'pooled'])('classifies a text: %s', async (name) => {
    const theirs = await pipeline('text-classification', name, { dtype: 'fp32' });
    const found = (await theirs(TEXT, { top_k: null as unknown as number })) as { label: string; score: number }[];
    const { logits } = await ours(name, TEXT);
    const expected = softmax(logits!.data).map((score, id) => ({ label: MODELS[name].labels![id], score }));
    expect(found).toHaveLength(expected.length);
    for (const { label, score } of expected) {
      expect(found.find((one) => one.label === label)!.score, label).toBeCloseTo(score, 5);
    }
    await theirs.dispose();
  });

  it('tags tokens', async () => {
    const theirs = await pipeline('token-classification', 'tags', { dtype: 'fp32' });
    const found = (await theirs(TEXT, { ignore_labels: [] })) as { entity: string; score: number; index: number }[];
    const { logits } = await ours('tags', TEXT);
    expect(found.length).toBe(encode(TEXT).ids.length - 2);
    for (const { entity, score, index } of found) {
      const chances = softmax(logits!.data.subarray(3 * index, 3 * index + 3));
      expect(score).toBeCloseTo(Math.max(...chances), 5);
      expect(entity).toBe(MODELS.tags.labels![chances.indexOf(Math.max(...chances))]);
    }
    await theirs.dispose();
  });

  it.each(['encoder', 'bert'])('gives hidden states: %s, rows of several lengths in one batch', async (name) => {
    const theirs = await pipeline('feature-extraction', name, { dtype: 'fp32' });
    const texts = [TEXT, 'a meal'];
    const found = await theirs(texts);
    const [rows, length, width] = found.dims;
    expect([rows, width]).toEqual([2, 32]);
    for (const [row, text] of texts.entries()) {
      const { lastHiddenState } = await ours(name, text);
      const start = row * length * width;
      [...lastHiddenState!.data].forEach((value, i) => {
        expect(found.data[start + i]).toBeCloseTo(value, 4);
      });
    }
    await theirs.dispose();
  });

  it('runs in 8 bits with nearly the same result', async () => {
    const theirs = await pipeline('text-classification', 'classes', { dtype: 'q8' });
    const found = (await theirs(TEXT, { top_k: null as unknown as number })) as { label: string; score: number }[];
    const { logits } = await ours('classes', TEXT);
    softmax(logits!.data).forEach((score, id) => {
      const { score: rounded } = found.find(({ label }) => label === MODELS.classes.labels![id])!;
      expect(Math.abs(rounded - score)).toBeLessThan(0.05);
      expect(rounded).not.toBe(score);
    });
    await theirs.dispose();
  });
});

describe('an exported file', () => {
  it('is of opset 20 and of the standard alone', () => {
    const bytes = readFileSync(join(folder, 'classes/onnx/model.onnx'));
    expect(bytes.includes('com.microsoft')).toBe(false);
    expect(bytes.includes('MatMulInteger')).toBe(false);
    expect(readFileSync(join(folder, 'classes/onnx/model_quantized.onnx')).includes('MatMulInteger')).toBe(true);
  });
});
