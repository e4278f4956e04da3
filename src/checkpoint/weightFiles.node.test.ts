import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { memorySource } from '../files/byteSource.js';
import { encodeSafetensors } from '../formats/safetensors.js';
import { writeSafetensors } from '../formats/safetensors.node.js';
import { elementCount } from '../graph/dimensions.js';
import { openTensors } from './openTensors.node.js';
import { TensorSource } from './tensorSource.js';
import { expectedGolden, goldenPath, readAll, sortedByName, temporaryFolder } from './testCheckpoints.js';
import { type WeightFilesOptions, writeWeightFiles } from './weightFiles.node.js';

const temporary = temporaryFolder('weight-files');
afterAll(temporary.remove);

const outgoing = (source: TensorSource) =>
  [...source.tensors].map(([name, { shape }]) => ({ name, shape, read: () => source.readFloat32(name) }));

async function convert(from: string, to: string, options?: WeightFilesOptions) {
  const source = await openTensors(from);
  const written = await writeWeightFiles(to, outgoing(source), options);
  await source.close();
  const back = await openTensors(to);
  const tensors = await readAll(back);
  await back.close();
  return { ...written, tensors };
}

describe('weights on their way through Pleiad', () => {
  it('come back bit for bit: safetensors in several files → one → several → one', async () => {
    const [one, several, again] = ['one', 'several', 'again'].map((name) => join(temporary.path, name));
    await convert(goldenPath('sharded-safetensors'), one);
    expect(readdirSync(one)).toEqual(['model.safetensors']);
    const split = await convert(one, several, { maxFileBytes: 1500 });
    expect(split.tensors).toEqual(sortedByName(expectedGolden('sharded')));
    expect(readdirSync(several)).toContain('model.safetensors.index.json');
    await convert(several, again);
    expect(readFileSync(join(again, 'model.safetensors'))).toEqual(readFileSync(join(one, 'model.safetensors')));
  });

  it('come back bit for bit from half precision, and nothing was rounded', async () => {
    const { tensors, narrowed } = await convert(goldenPath('nested.bin'), join(temporary.path, 'half'), {
      dtype: 'F16',
    });
    expect(tensors).toEqual(sortedByName(expectedGolden('nested')));
    expect(narrowed.size).toBe(0);
  });

  it('are told apart where half precision changed them', async () => {
    const values = Float32Array.of(1, 0.1, 1e6, 1e-9);
    const tensors = [{ name: 'a', shape: [4], read: () => values }];
    const { narrowed } = await writeWeightFiles(join(temporary.path, 'narrow'), tensors, { dtype: 'F16' });
    expect([...narrowed]).toEqual([['a', { rounded: 3, overflowed: 1, underflowed: 1 }]]);
  });
});

describe('weight files', () => {
  const tensors = [3, 1, 2].map((length) => ({
    name: `t${length}`,
    shape: [length],
    read: async () => new Float32Array(length).fill(length),
  }));

  it('are the bytes of the ordinary writer', async () => {
    const folder = join(temporary.path, 'bytes');
    const { files } = await writeWeightFiles(folder, tensors);
    const plain = await Promise.all(
      tensors.map(async ({ name, shape, read }) => ({ name, shape, dtype: 'F32' as const, data: await read() })),
    );
    const expected = Buffer.concat(encodeSafetensors(plain, { format: 'pt' }));
    expect(readFileSync(join(folder, 'model.safetensors'))).toEqual(expected);
    expect(files.get('model.safetensors')?.bytes).toBe(expected.length);
  });

  it('are as large as asked for, and a tensor is never divided', async () => {
    const folder = join(temporary.path, 'large');
    await writeWeightFiles(folder, tensors, { maxFileBytes: 8 });
    const index = JSON.parse(readFileSync(join(folder, 'model.safetensors.index.json'), 'utf8'));
    expect(index).toEqual({
      metadata: { total_parameters: 6, total_size: 24 },
      weight_map: {
        t1: 'model-00002-of-00003.safetensors',
        t2: 'model-00003-of-00003.safetensors',
        t3: 'model-00001-of-00003.safetensors',
      },
    });
  });

  it('replace those of the other form, and nothing else in the folder', async () => {
    const folder = join(temporary.path, 'replaced');
    await writeWeightFiles(folder, tensors);
    await writeWeightFiles(folder, [{ ...tensors[0], name: 'config' }], {});
    await writeWeightFiles(folder, tensors, { maxFileBytes: 8 });
    expect(readdirSync(folder)).toHaveLength(4);
    await writeWeightFiles(folder, tensors);
    expect(readdirSync(folder)).toEqual(['model.safetensors']);
  });

  it('are not written where a tensor does not fit its shape or a name comes twice', async () => {
    const folder = join(temporary.path, 'wrong');
    const wrong = [{ ...tensors[0], shape: [4] }];
    await expect(writeWeightFiles(folder, wrong)).rejects.toThrow('Tensor t3 is [4], but has 3 values');
    await expect(writeWeightFiles(folder, [tensors[0], tensors[0]])).rejects.toThrow('Tensor t3 is given twice');
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('a tensor source', () => {
  it('reads float16, bfloat16 and float64 as float32, and refuses integers', async () => {
    const source = await openTensors(goldenPath('every-kind-legacy.bin'));
    // Halves: 1, −0, the smallest subnormal nearest to 6e-8, the largest, infinity (make_checkpoint_golden.py).
    expect([...(await source.readFloat32('float16'))]).toEqual([1, -0, 2 ** -24, 65504, Number.POSITIVE_INFINITY]);
    expect((await source.readFloat32('bfloat16'))[1]).toBe(3.140625);
    expect([...(await source.readFloat32('half_transposed'))]).toHaveLength(6);
    const doubles = expectedGolden('every-kind-legacy').get('float64')!.data as Float64Array;
    expect([...(await source.readFloat32('float64'))]).toEqual([...doubles].map(Math.fround));
    await expect(source.readFloat32('position_ids')).rejects.toThrow(
      'position_ids is I64, expected floating-point numbers',
    );
    await expect(source.readRaw('complex')).rejects.toThrow(
      'complex is a tensor of torch ComplexFloatStorage, no readable tensor',
    );
    await expect(source.readRaw('none')).rejects.toThrow('has no tensor none');
    await source.close();
    await expect(source.readRaw('float32')).rejects.toThrow('was already closed');
  });

  it('refuses a float64 beyond float32', async () => {
    const path = join(temporary.path, 'beyond');
    await writeSafetensors(path, [{ name: 'a', dtype: 'F64', shape: [2], data: Float64Array.of(1, 1e300) }]);
    const source = await openTensors(path);
    await expect(source.readFloat32('a')).rejects.toThrow('a has 1e+300, which is beyond float32');
    await source.close();
  });

  it('converts a tensor of several pieces, and gathers a view of several runs', async () => {
    const [rows, columns] = [1100, 2000]; // over two pieces of 2^20 elements
    const halves = Uint16Array.from({ length: rows * columns }, (_, i) => 0x3c00 + (i % 1024));
    const file = memorySource(new Uint8Array(halves.buffer), 'memory');
    const of = (shape: number[], strides?: number[]) => ({
      dtype: 'F16' as const,
      shape,
      source: file,
      begin: 0,
      strides,
    });
    const source = new TensorSource({
      name: 'memory',
      format: 'torch-legacy',
      tensors: new Map([
        ['plain', of([rows, columns])],
        ['transposed', of([columns, rows], [1, columns])],
      ]),
      sources: [file],
    });
    const plain = await source.readFloat32('plain');
    const transposed = await source.readRaw('transposed');
    expect(plain.length).toBe(elementCount([rows, columns]));
    for (let i = 0; i < halves.length; i += 977) {
      expect(plain[i]).toBe(1 + (i % 1024) / 1024);
      const [row, column] = [Math.floor(i / columns), i % columns];
      expect(transposed[column * rows + row]).toBe(halves[i]);
    }
  });
});
