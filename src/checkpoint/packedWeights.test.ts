/** Models in 8 bits: written, shared within a pair, and read from disk and from memory as a browser holds them. */
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fileSetOf, memorySource } from '../files/byteSource.js';
import { encodeSafetensors, type SafetensorsTensor } from '../formats/safetensors.js';
import { loadModel } from './loadModel.js';
import { describeLoadReport } from './loadReport.js';
import { expectedTensors, type ModelDescription, parsePublishedConfig } from './modelFolder.js';
import { saveModelFolder } from './modelFolder.node.js';
import { openTensorFolder } from './openTensors.js';
import { openTensors } from './openTensors.node.js';
import { readSafetensors } from './safetensorsSource.js';
import { TensorSource } from './tensorSource.js';
import { temporaryFolder } from './testCheckpoints.js';

const temporary = temporaryFolder('packed-weights');
afterAll(temporary.remove);
const at = (...names: string[]) => join(temporary.path, ...names);

const CONFIG = {
  vocabSize: 120,
  embeddingSize: 64,
  hiddenSize: 64,
  numHiddenLayers: 1,
  numAttentionHeads: 2,
  intermediateSize: 128,
  maxPositionEmbeddings: 16,
  typeVocabSize: 2,
  layerNormEps: 1e-12,
  hiddenDropoutProb: 0.1,
  attentionProbsDropoutProb: 0.1,
  initializerRange: 0.02,
  padTokenId: 0,
};
const [DISCRIMINATOR, GENERATOR]: ModelDescription[] = [
  { config: CONFIG, architecture: 'ElectraForPreTraining' },
  { config: CONFIG, architecture: 'ElectraForMaskedLM' },
];

/** Values that differ from tensor to tensor; the embeddings are those of the other half. */
function tensorsOf(model: ModelDescription) {
  let seed = model.architecture.length;
  return new Map(
    [...expectedTensors(model)].map(([name, shape]) => {
      const of = name.startsWith('electra.embeddings.') ? name.length : ++seed;
      const count = shape.reduce((a, b) => a * b, 1);
      return [name, { shape, data: Float32Array.from({ length: count }, (_, i) => Math.sin(i * 0.37 + of)) }];
    }),
  );
}

async function writePair(folder: string) {
  const own = tensorsOf(GENERATOR);
  const names = [...own.keys()].filter((name) => name.startsWith('electra.embeddings.'));
  await saveModelFolder(
    join(folder, 'discriminator'),
    { ...DISCRIMINATOR, tensors: tensorsOf(DISCRIMINATOR) },
    { dtype: 'I8' },
  );
  const shared = { folder: 'discriminator' as const, names };
  await saveModelFolder(join(folder, 'generator'), { ...GENERATOR, tensors: own }, { dtype: 'I8', shared });
  return names;
}

const WORDS = 'electra.embeddings.word_embeddings.weight';
const load = async (source: TensorSource, folder: string) =>
  loadModel(
    source,
    parsePublishedConfig(JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')), 'config.json'),
    { initialize: () => expect.fail('nothing is new') },
  );

describe('a model in 8 bits', () => {
  it('is read as float32, off by less than one part in 250 of a row, and the report says so', async () => {
    await writePair(at('pair'));
    const source = await openTensors(at('pair', 'discriminator'));
    const { tensors, report } = await load(source, at('pair', 'discriminator'));
    await source.close();
    const stored = source.info(WORDS);
    expect([stored.dtype, stored.scales?.dtype, stored.scales?.shape]).toEqual(['I8', 'F16', [120, 1]]);
    expect([...source.tensors.keys()].filter((name) => name.endsWith('_scale'))).toEqual([]);
    for (const [name, { data }] of tensorsOf(DISCRIMINATOR)) {
      const found = tensors.get(name)!.data;
      data.forEach((value, i) => expect(Math.abs(found[i] - value), name).toBeLessThan(0.005));
    }
    expect(report.converted).toContainEqual({ name: WORDS, from: WORDS, how: 'from I8 with a scale for each row' });
    const layer = ['query', 'key', 'value'].length + 1 + 2;
    expect(report.eightBit.length).toBe(1 + layer + 1); // words, the layer, the head's dense one
    expect(describeLoadReport(report)).toContain('  8 bits: 8 matrices are int8 in the file, read as float32');
    // Vectors, token types and small heads are in half precision.
    expect(source.info('electra.embeddings.token_type_embeddings.weight').dtype).toBe('F16');
  });

  it('shares tensors with the other half, which are written once', async () => {
    const names = await writePair(at('shared'));
    const file = await readSafetensors(
      memorySource(new Uint8Array(readFileSync(at('shared/generator/model.safetensors'))), 'g'),
    );
    expect(names.filter((name) => file.tensors.has(name))).toEqual([]);
    const source = await openTensors(at('shared', 'generator'));
    const { tensors } = await load(source, at('shared', 'generator'));
    await source.close();
    const other = await openTensors(at('shared', 'discriminator'));
    for (const name of names) expect(tensors.get(name)!.data, name).toEqual(await other.readFloat32(name));
    await other.close();
    rmSync(at('shared', 'discriminator'), { recursive: true });
    await expect(openTensors(at('shared', 'generator'))).rejects.toThrow(
      /shares 5 tensors with its discriminator, and there is no folder discriminator beside/,
    );
    mkdirSync(at('shared', 'discriminator'));
    await expect(openTensors(at('shared', 'generator'))).rejects.toThrow('has no file of weights');
  });

  it('is read from memory, as in a browser', async () => {
    await writePair(at('browser'));
    const filesOf = (half: string) =>
      new Map(
        readdirSync(at('browser', half)).map((name) => [name, new Uint8Array(readFileSync(at('browser', half, name)))]),
      );
    const discriminator = fileSetOf(filesOf('discriminator'), 'discriminator');
    const generator = fileSetOf(filesOf('generator'), 'generator', new Map([['discriminator', discriminator]]));
    const source = await openTensorFolder(generator);
    const { tensors } = await load(source, at('browser', 'generator'));
    expect(tensors.get(WORDS)!.data.length).toBe(120 * 64);
    await source.close();
  });
});

describe('scales', () => {
  const source = async (...tensors: SafetensorsTensor[]) => {
    const bytes = await new Blob(encodeSafetensors(tensors) as Uint8Array<ArrayBuffer>[]).arrayBuffer();
    const content = await readSafetensors(memorySource(new Uint8Array(bytes), 'file'));
    return new TensorSource({ name: 'file', format: 'safetensors', ...content, sources: [] });
  };
  const matrix = { name: 'w', dtype: 'I8', shape: [2, 4], data: Int8Array.of(1, 2, 3, 4, 5, 6, 7, -8) } as const;

  it('may be several for each row, and of any float', async () => {
    const scales = { name: 'w_scale', dtype: 'F32', shape: [2, 2], data: Float32Array.of(1, 10, 100, 1000) } as const;
    expect([...(await (await source(matrix, scales)).readFloat32('w'))]).toEqual([1, 2, 30, 40, 500, 600, 7000, -8000]);
  });

  it('that do not fit are refused, and integers without them are no weights', async () => {
    const scales = { name: 'w_scale', dtype: 'F32', shape: [2, 3], data: new Float32Array(6) } as const;
    await expect(source(matrix, scales)).rejects.toThrow('w is [2,4] and its scales [2,3], expected a matrix');
    await expect((await source(matrix)).readFloat32('w')).rejects.toThrow('w is I8, expected floating-point numbers');
  });
});
