import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectedTensors, type ModelDescription } from '../checkpoint/modelFolder.js';
import { saveModelFolder } from '../checkpoint/modelFolder.node.js';
import { temporaryFolder } from '../checkpoint/testCheckpoints.js';
import { encodeModel, type OnnxModel } from '../engine/onnx/model.js';
import type { Architecture } from '../models/config.js';
import { exportModel } from '../pretrained/exportModel.node.js';
import { onnxModelOf } from '../pretrained/exportOnnx.js';
import { inspectOnnx } from '../pretrained/inspectOnnx.node.js';
import { fromPretrained } from '../pretrained/pretrained.node.js';
import { RandomStream } from '../random/philox.js';
import { loadFillMask, loadFillSpan, loadReplacedTokenDetection, loadTextCorruption } from './load.node.js';
import { TEST_CONFIG, TEST_TOKENIZER } from './testModels.js';

const temporary = temporaryFolder('exported');
afterAll(() => temporary.remove());
const at = (...names: string[]) => join(temporary.path, ...names);

function weightsOf(model: ModelDescription) {
  return new Map(
    [...expectedTensors(model)].map(([name, shape], index) => {
      const random = new RandomStream(6, 'test', index);
      const size = shape.reduce((a, b) => a * b, 1);
      return [name, { shape, data: Float32Array.from({ length: size }, () => 0.5 * random.normal()) }];
    }),
  );
}

const HALVES = { generator: 'ElectraForMaskedLM', discriminator: 'ElectraForPreTraining' } as const;
const model = (architecture: Architecture): ModelDescription => ({ config: TEST_CONFIG, architecture });

beforeAll(async () => {
  for (const [half, architecture] of Object.entries(HALVES)) {
    const description = model(architecture);
    const tensors = weightsOf(description);
    await saveModelFolder(at('weights', half), { ...description, tensors, tokenizer: TEST_TOKENIZER });
    await exportModel(at('weights', half), at('web', half), { quantize: true, tolerance: 1 });
  }
  // Only the quantized form.
  cpSync(at('web', 'generator'), at('small'), { recursive: true });
  rmSync(at('small', 'onnx', 'model.onnx'));
});

const TEXTS = ['the chef [MASK] the [MASK] meal', '[MASK]', 'a good [MASK] .'];

async function filled(place: string, options: Parameters<typeof loadFillMask>[1] = {}) {
  const filler = await loadFillMask(place, { threads: 1, ...options });
  const results = await filler.fill(TEXTS, { topK: 4 });
  await filler.release();
  return results;
}

describe('a folder that was exported', () => {
  it('fills masks and spans as the model that it was exported from', async () => {
    const [ours, theirs] = [await filled(at('weights', 'generator')), await filled(at('web', 'generator'))];
    for (const [i, { masks, fillings }] of ours.entries()) {
      expect(theirs[i].fillings.map(({ text }) => text)).toEqual(fillings.map(({ text }) => text));
      for (const [mask, { candidates, ...offsets }] of masks.entries()) {
        expect(theirs[i].masks[mask]).toMatchObject(offsets);
        for (const [k, { id, score }] of candidates.entries()) {
          expect(theirs[i].masks[mask].candidates[k].id).toBe(id);
          expect(theirs[i].masks[mask].candidates[k].score).toBeCloseTo(score, 4);
        }
      }
    }
    const spans = async (place: string) => {
      const filler = await loadFillSpan(place, { threads: 1 });
      const { fillings } = await filler.fill('the [MASK] [MASK] meal', { by: ['mlm'], topK: 3 });
      await filler.release();
      return fillings.mlm!.map(({ text }) => text);
    };
    expect(await spans(at('web', 'generator'))).toEqual(await spans(at('weights', 'generator')));
    const corrupter = await loadTextCorruption(at('web', 'generator'), { threads: 1 });
    expect((await corrupter.corrupt('the chef ate a meal', { fraction: 0.5, seed: 1 })).text).not.toBe('');
    await corrupter.release();
  });

  it('detects replaced tokens as the model that it was exported from', async () => {
    const texts = ['the chef ate a good meal.', 'meal', Array(60).fill('the cook').join(' ')];
    const detected = async (place: string) => {
      const detector = await loadReplacedTokenDetection(place, { threads: 1 });
      const tokens = await detector.detect(texts);
      await detector.release();
      return tokens.flat();
    };
    const [ours, theirs] = [await detected(at('weights')), await detected(at('web'))];
    expect(theirs).toHaveLength(ours.length);
    for (const [i, token] of ours.entries()) {
      expect(theirs[i]).toMatchObject({ token: token.token, start: token.start, end: token.end });
      expect(theirs[i].replaced).toBeCloseTo(token.replaced, 4);
    }
  });

  it('runs in 8 bits where it has nothing else or is told to, and no text depends on its neighbours', async () => {
    const small = await filled(at('small'));
    expect(await filled(at('web', 'generator'), { onnx: 'onnx/model_quantized.onnx' })).toEqual(small);
    expect(await filled(at('small', 'onnx', 'model_quantized.onnx'))).toEqual(small);
    for (const [i, text] of TEXTS.entries()) {
      const filler = await loadFillMask(at('small'), { threads: 1 });
      expect(await filler.fill(text, { topK: 4 })).toEqual(small[i]);
      await filler.release();
    }
    const { description, ...loaded } = await fromPretrained(at('small'), { threads: 1 });
    expect([description.architecture, loaded.tensors?.size ?? 0]).toEqual(['ElectraForMaskedLM', 0]);
  });

  it('is the half that it is, and says how to get the other', async () => {
    await expect(loadReplacedTokenDetection(at('web', 'generator'))).rejects.toThrow(
      /holds ElectraForMaskedLM, this needs ElectraForPreTraining\..*pleiad export RUN --half discriminator --out/,
    );
    await expect(loadFillMask(at('web', 'discriminator'))).rejects.toThrow(/pleiad export RUN --half generator --out/);
  });

  it('of a pair is the one that a task asks for', async () => {
    for (const folder of ['web', 'weights']) {
      for (const [task, architecture] of [
        ['maskedLm', HALVES.generator],
        ['preTraining', HALVES.discriminator],
      ] as const) {
        const loaded = await fromPretrained(at(folder), { task, threads: 1 });
        expect(loaded.description.architecture).toBe(architecture);
        await loaded.release();
      }
    }
  });

  it('may hold ONNX files of other names: the only one is taken, of several one is to be named', async () => {
    cpSync(at('small'), at('named'), { recursive: true });
    cpSync(at('small', 'onnx', 'model_quantized.onnx'), at('named', 'mine.onnx'));
    rmSync(at('named', 'onnx'), { recursive: true });
    expect(await filled(at('named'))).toEqual(await filled(at('small')));
    copyFileSync(at('named', 'mine.onnx'), at('named', 'other.onnx'));
    await expect(loadFillMask(at('named'))).rejects.toThrow(
      /named has several ONNX files: mine\.onnx, other\.onnx.*onnx "mine\.onnx" \(--onnx mine\.onnx\)/,
    );
    expect(await filled(at('named'), { onnx: 'other.onnx' })).toEqual(await filled(at('small')));
  });
});

/** A generator whose graph has other names. */
function renamed(names: Readonly<Record<string, string>>): OnnxModel {
  const description = model('ElectraForMaskedLM');
  const onnx = onnxModelOf(description, weightsOf(description));
  const of = (name: string) => names[name] ?? name;
  return {
    ...onnx,
    nodes: onnx.nodes.map((node) => ({ ...node, inputs: node.inputs.map(of), outputs: node.outputs.map(of) })),
    inputs: onnx.inputs.map((port) => ({ ...port, name: of(port.name) })),
    outputs: onnx.outputs.map((port) => ({ ...port, name: of(port.name) })),
  };
}

describe('an ONNX graph with other names', () => {
  beforeAll(() => {
    cpSync(at('small'), at('renamed'), { recursive: true });
    rmSync(at('renamed', 'onnx'), { recursive: true });
    mkdirSync(at('renamed', 'onnx'));
    const { bytes } = encodeModel(renamed({ logits: 'output_0', input_ids: 'ids' }));
    writeFileSync(at('renamed', 'onnx', 'model.onnx'), bytes);
  });

  it('is refused with all that it has, and how to name it', async () => {
    await expect(loadFillMask(at('renamed'))).rejects.toThrow(
      /has the inputs ids, attention_mask, token_type_ids; an encoder has some of input_ids, .*onnxNames \{ input_ids: "ids" \} \(--onnx-names input_ids=ids\)/,
    );
    await expect(fromPretrained(at('renamed'), { onnxNames: { input_ids: 'ids' } })).rejects.toThrow(
      /has the outputs output_0; an encoder has some of logits, .*onnxNames \{ logits: "output_0" \} \(--onnx-names logits=output_0\)/,
    );
    await expect(fromPretrained(at('renamed'), { onnxNames: { input_ids: 'id', logit: 'x' } })).rejects.toThrow(
      /has id for input_ids; .*has ids, attention_mask, token_type_ids.*has logit; expected some of input_ids/s,
    );
  });

  it('runs when its names are said', async () => {
    const onnxNames = { logits: 'output_0', input_ids: 'ids' };
    expect(await filled(at('renamed'), { onnxNames })).toEqual(await filled(at('web', 'generator')));
    const outputs = await fromPretrained(at('renamed'), { onnxNames, threads: 1 });
    expect((await outputs.run({ inputIds: [[2, 5, 3]] })).logits!.shape).toEqual([1, 3, TEST_CONFIG.vocabSize]);
    await outputs.release();
  });
});

describe('what is known of an ONNX file without loading it', () => {
  it('is what ONNX Runtime says of it, with its operators and sizes', async () => {
    const { InferenceSession } = await import('onnxruntime-node');
    const inspected = (await inspectOnnx(at('web', 'generator')))[0];
    expect(inspected).toMatchObject({
      folder: at('web', 'generator'),
      architecture: 'ElectraForMaskedLM',
      config: TEST_CONFIG,
      tokenizer: { tokens: TEST_TOKENIZER.vocabSize, lowercase: true },
    });
    expect(inspected.files).toHaveLength(2);
    for (const file of inspected.files) {
      const session = await InferenceSession.create(file.file);
      const ports = (metadata: typeof session.inputMetadata) =>
        metadata.map((port) => port.isTensor && { name: port.name, type: port.type, shape: port.shape });
      expect(file.inputs).toEqual(ports(session.inputMetadata));
      expect(file.outputs).toEqual(ports(session.outputMetadata));
      await session.release();
      expect(file).toMatchObject({
        opsets: [{ domain: '', version: 20 }],
        irVersion: 9,
        producer: 'pleiad',
        external: [],
      });
      expect(file.bytes).toBe(readFileSync(file.file).length);
    }
    const description = model('ElectraForMaskedLM');
    const onnx = onnxModelOf(description, weightsOf(description));
    const shaped = [...onnx.initializers.values()].filter(({ shape }) => shape.length > 0);
    const values = shaped.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    expect(inspected.files[0]).toMatchObject({ parameters: values, numNodes: onnx.nodes.length });
  });

  it('is asked of a file by itself too, and of no folder with weights', async () => {
    const [file] = (await inspectOnnx(at('small', 'onnx', 'model_quantized.onnx')))[0].files;
    expect(file.outputs.map(({ name }) => name)).toEqual(['logits']);
    expect(file.types).toContain('int8');
    copyFileSync(at('small', 'onnx', 'model_quantized.onnx'), at('alone.onnx'));
    const alone = (await inspectOnnx(at('alone.onnx')))[0];
    expect(alone).toMatchObject({ folder: temporary.path, files: [{ numNodes: file.numNodes }] });
    expect([alone.config, alone.tokenizer]).toEqual([undefined, undefined]);
    expect((await inspectOnnx(at('web'))).map(({ architecture }) => architecture).sort()).toEqual(
      Object.values(HALVES).sort(),
    );
    for (const other of ['weights', 'weights/generator', 'nowhere']) expect(await inspectOnnx(at(other))).toEqual([]);
  });

  it('tells weights that lie in a file beside it, also one that is missing', async () => {
    // Large enough for tensors that are worth a place elsewhere.
    const description = { ...model('ElectraForPreTraining'), config: { ...TEST_CONFIG, intermediateSize: 128 } };
    const { bytes, external } = encodeModel(onnxModelOf(description, weightsOf(description)), 'far.onnx_data', 0);
    writeFileSync(at('far.onnx'), bytes);
    expect((await inspectOnnx(at('far.onnx')))[0].files[0].external).toEqual([{ file: 'far.onnx_data' }]);
    writeFileSync(at('far.onnx_data'), external!.data);
    const [file] = (await inspectOnnx(at('far.onnx')))[0].files;
    expect(file.external).toEqual([{ file: 'far.onnx_data', bytes: external!.data.length }]);
  });

  it.each([
    ['cut short', (bytes: Uint8Array) => bytes.subarray(0, bytes.length / 2), /ends inside field/],
    ['empty', () => new Uint8Array(0), /no ONNX model/],
    ['something else', () => new TextEncoder().encode('version https://git-lfs'), /as an ONNX model, it|no ONNX model/],
  ])('is an error when it is %s', async (_, change, message) => {
    const path = at('broken.onnx');
    writeFileSync(path, change(readFileSync(at('web', 'generator', 'onnx', 'model.onnx'))));
    await expect(inspectOnnx(path)).rejects.toThrow(message);
  });
});
