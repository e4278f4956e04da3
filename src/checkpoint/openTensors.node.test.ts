import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { openTensors } from './openTensors.node.js';
import { expectedGolden, goldenPath, readAll, sortedByName, temporaryFolder } from './testCheckpoints.js';

const temporary = temporaryFolder('open-tensors');
afterAll(temporary.remove);

describe('what PyTorch and TensorFlow wrote', () => {
  it.each([
    ['every-kind-zip.bin', 'every-kind-zip', 'torch-zip'],
    ['every-kind-legacy.bin', 'every-kind-legacy', 'torch-legacy'],
    ['protocol-4.bin', 'protocol-4', 'torch-zip'],
    ['nested.bin', 'nested', 'torch-zip'],
    ['sharded-safetensors', 'sharded', 'safetensors'],
    ['sharded-safetensors/model.safetensors.index.json', 'sharded', 'safetensors'],
    ['sharded-torch', 'sharded', 'torch-zip'],
    ['spanbert-encoder.tar.gz', 'spanbert-encoder', 'torch-legacy'],
    ['spanbert-with-head.tar.gz', 'spanbert-with-head', 'torch-legacy'],
  ])('%s is read bit for bit as PyTorch reads it', async (path, expected, format) => {
    const source = await openTensors(goldenPath(path), { temporaryFolder: temporary.path });
    expect(source.format).toBe(format);
    expect(await readAll(source)).toEqual(sortedByName(expectedGolden(expected)));
    await source.close();
    expect(readdirSync(temporary.path)).toEqual([]);
  });

  it('reads the genuine old checkpoint tiny-bert', async () => {
    const source = await openTensors(goldenPath('tiny-bert'));
    const expected = JSON.parse(readFileSync(goldenPath('tiny-bert/tensors.json'), 'utf8')) as Record<
      string,
      { shape: number[]; dtype: string; sum: number; first: number }
    >;
    expect(source.format).toBe('torch-legacy');
    expect([...source.tensors.keys()].sort()).toEqual(Object.keys(expected).sort());
    for (const [name, { shape, sum, first }] of Object.entries(expected)) {
      const values = await source.readFloat32(name);
      expect(source.info(name).shape).toEqual(shape);
      expect(values[0]).toBe(first);
      // numpy's sum was taken in float64.
      expect(values.reduce((total, value) => total + value, 0)).toBeCloseTo(sum, 9);
    }
    await source.close();
  });
});
