import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { expectedTensors, type ModelDescription } from '../checkpoint/modelFolder.js';
import { saveModelFolder } from '../checkpoint/modelFolder.node.js';
import { temporaryFolder } from '../checkpoint/testCheckpoints.js';
import { quantizeModel } from '../engine/onnx/quantize.js';
import { TEST_CONFIG, TEST_TOKENIZER } from '../pipelines/testModels.js';
import { RandomStream } from '../random/philox.js';
import { exportModel } from './exportModel.node.js';
import { compareOutputs, onnxModelOf } from './exportOnnx.js';
import { fromPretrained } from './pretrained.node.js';

const temporary = temporaryFolder('export');
afterAll(() => temporary.remove());

/** @param scale  of the weights that make attention scores, which grow with its square */
async function saved(scale = 1): Promise<string> {
  const folder = join(temporary.path, `model-${scale}`);
  if (existsSync(folder)) return folder;
  const model: ModelDescription = { config: TEST_CONFIG, architecture: 'ElectraForPreTraining' };
  const tensors = [...expectedTensors(model)].map(([name, shape], index) => {
    const random = new RandomStream(1, 'test', index);
    const size = shape.reduce((a, b) => a * b, 1);
    const factor = /self\.(query|key)\.weight$/.test(name) ? scale : 1;
    return [name, { shape, data: Float32Array.from({ length: size }, () => factor * random.normal()) }] as const;
  });
  await saveModelFolder(folder, { ...model, tensors: new Map(tensors), tokenizer: TEST_TOKENIZER });
  return folder;
}

describe('the difference of outputs', () => {
  it('is measured against how much outputs vary, not against what is added to all of them', () => {
    // Deviations from the mean are ∓1; one value is off by 0.2.
    const { relative, largest } = compareOutputs([Float32Array.of(99, 101)], [Float32Array.of(99, 101.2)]);
    expect(relative).toBeCloseTo(0.2 / Math.SQRT2, 5);
    expect(largest).toBeCloseTo(0.2, 5);
  });

  it('is not hidden by values that are no numbers', () => {
    const { relative, largest } = compareOutputs([Float32Array.of(1, 2)], [Float32Array.of(Number.NaN, 2)]);
    expect([relative, largest]).toEqual([Number.NaN, Number.NaN]);
  });
});

describe('an export', () => {
  it('has the layout of transformers.js, and says what it wrote', async () => {
    const out = join(temporary.path, 'out');
    const { files, quantization } = await exportModel(await saved(), out);
    expect([...files.keys()].sort()).toEqual([
      ...['config.json', 'onnx/model.onnx', 'tokenizer.json', 'tokenizer_config.json', 'vocab.txt'],
    ]);
    for (const [name, bytes] of files) expect(readFileSync(join(out, name)).length, name).toBe(bytes);
    expect(quantization).toBeUndefined();
    await expect(exportModel(await saved(), out)).rejects.toThrow(/out is not empty/);
  });

  it('in 8 bits leaves parts in float, those that matter most first, until outputs are near enough', async () => {
    const measure = async (name: string, tolerance: number) => {
      const { quantization } = await exportModel(await saved(), join(temporary.path, name), {
        quantize: true,
        tolerance,
      });
      return quantization!;
    };
    const loose = await measure('loose', 1);
    expect(loose.inFloat).toEqual([]);
    expect(loose.written).toEqual(loose.whole);
    expect(loose.whole.relative).toBeGreaterThan(0.001);
    const some = await measure('some', loose.whole.relative * 0.7);
    expect(some.inFloat.length).toBeGreaterThan(0);
    expect(some.written.relative).toBeLessThanOrEqual(loose.whole.relative * 0.7);
    expect(some.writtenInBatches.relative).toBeLessThanOrEqual(loose.whole.relative * 0.7);
    const alone = some.inFloat.map((part) => part.alone);
    expect(alone).toEqual([...alone].sort((a, b) => b - a));
    const none = await measure('none', 1e-9);
    expect(none.written).toEqual({ relative: 0, largest: 0 });
    // In float, padding changes the last bits alone.
    expect(none.writtenInBatches.relative).toBeLessThan(1e-5);
    expect(none.inFloat.map(({ part }) => part).sort()).toEqual(
      ['embeddings', 'head', 'layer 0 attention', 'layer 0 intermediate', 'layer 0 output', 'projection'].sort(),
    );
  });

  it('in 8 bits is measured as it is used: each text alone, and among others in a padded batch', async () => {
    const out = join(temporary.path, 'measured');
    const texts = ['the chef', 'a good chef ate the meal.', 'the good meal the chef ate, the good good meal .', 'meal'];
    const options = { quantize: true, tolerance: 1, texts };
    const { quantization } = await exportModel(await saved(), out, options);
    const rows = texts.map((text) => TEST_TOKENIZER.encode(text).ids);
    const logits = async (place: string, batches: Int32Array[][], onnx?: string) => {
      const model = await fromPretrained(place, { threads: 1, batchSize: rows.length, ...(onnx && { onnx }) });
      const outputs: Float32Array[] = [];
      for (const batch of batches) {
        const { data, shape } = (await model.run({ inputIds: batch })).logits!;
        for (const [i, { length }] of batch.entries()) {
          outputs.push((data as Float32Array).slice(i * shape[1], i * shape[1] + length));
        }
      }
      await model.release();
      return outputs;
    };
    const apart = rows.map((row) => [row]);
    const float = await logits(await saved(), apart);
    const quantized = 'onnx/model_quantized.onnx';
    const alone = compareOutputs(float, await logits(out, apart, quantized));
    const inBatches = compareOutputs(float, await logits(out, [rows], quantized));
    expect(quantization!.written.relative).toBeCloseTo(alone.relative, 5);
    expect(quantization!.writtenInBatches.relative).toBeCloseTo(inBatches.relative, 5);
    expect(Math.abs(inBatches.relative - alone.relative)).toBeGreaterThan(1e-4);
  });

  it('leaves attention in float32 where its scores are as large as those of SpanBERT-large', async () => {
    const place = await saved(14);
    const model = await fromPretrained(place, { threads: 1 });
    const inputIds = [Int32Array.from({ length: 20 }, (_, i) => i)];
    const { hiddenStates, attentions } = await model.run({ inputIds }, { hiddenStates: true, attentions: true });
    await model.release();
    expect(largestScore(model.tensors, hiddenStates![0].data, inputIds[0].length)).toBeGreaterThan(3000);
    expect(attentions![0].data.every(Number.isFinite)).toBe(true);
    const { quantization } = await exportModel(place, join(temporary.path, 'large-scores'), { quantize: true });
    expect(quantization!.inFloat[0].part).toBe('layer 0 attention');
    expect(quantization!.written.relative).toBeLessThan(0.1);
    expect(quantization!.choices.filter(({ isWritten }) => isWritten)).toHaveLength(1);
    const sizes = quantization!.choices.map(({ bytes }) => bytes);
    expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
    // Products of activations, softmax and what they read are float32 in any case.
    const tensors = new Map([...model.tensors].map(([name, { data }]) => [name, { data }]));
    const { nodes, initializers } = quantizeModel(onnxModelOf(model.description, tensors));
    const integers = nodes.filter(({ op }) => op === 'MatMulInteger');
    expect(integers.length).toBeGreaterThan(6);
    for (const { inputs } of integers) expect(initializers.has(inputs[1]), inputs[1]).toBe(true);
    expect(nodes.filter(({ op }) => op === 'Softmax')).toHaveLength(1);
  });
});

/** |q·k|/√D over all heads and pairs of positions of layer 0, in float64. */
function largestScore(tensors: ReadonlyMap<string, { data: Float32Array }>, hidden: ArrayLike<number>, length: number) {
  const { hiddenSize: H, numAttentionHeads: A } = TEST_CONFIG;
  const size = H / A;
  const project = (name: string) => {
    const part = (kind: string) => tensors.get(`electra.encoder.layer.0.attention.self.${name}.${kind}`)!.data;
    const [weight, bias] = [part('weight'), part('bias')];
    return (position: number, out: number) =>
      Array.from({ length: H }, (_, i) => weight[out * H + i] * hidden[position * H + i]).reduce(
        (a, b) => a + b,
        bias[out],
      );
  };
  const [query, key] = [project('query'), project('key')];
  let largest = 0;
  for (let head = 0; head < A; head++) {
    for (let i = 0; i < length; i++) {
      for (let j = 0; j < length; j++) {
        let score = 0;
        for (let d = head * size; d < (head + 1) * size; d++) score += query(i, d) * key(j, d);
        largest = Math.max(largest, Math.abs(score) / Math.sqrt(size));
      }
    }
  }
  return largest;
}
