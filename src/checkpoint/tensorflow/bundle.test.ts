import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fileSetOf } from '../../files/byteSource.js';
import { crc32c, maskCrc } from '../../formats/crc32.js';
import { openTensorFolder } from '../openTensors.js';
import { openTensors } from '../openTensors.node.js';
import { goldenBytes, goldenPath } from '../testCheckpoints.js';

const FOLDER = 'tf1-two-shards';
const INDEX = 'model.ckpt.index';
const DATA = ['model.ckpt.data-00000-of-00002', 'model.ckpt.data-00001-of-00002'];

/** The golden bundle with some of its files changed. */
function changed(change: (files: Map<string, Uint8Array>) => void) {
  const files = new Map(
    [INDEX, ...DATA].map((name) => [name, goldenBytes(`${FOLDER}/${name}`)] as [string, Uint8Array]),
  );
  change(files);
  return openTensorFolder(fileSetOf(files, 'F'));
}

describe('a TensorFlow checkpoint', () => {
  it('is read from all its data files, in every dtype', async () => {
    const source = await openTensors(goldenPath(`${FOLDER}/model.ckpt`));
    const expected = JSON.parse(readFileSync(goldenPath(`${FOLDER}/expected.json`), 'utf8')) as Record<
      string,
      number[]
    >;
    expect([...source.tensors.keys()]).toEqual(Object.keys(expected).sort());
    expect([...source.otherEntries]).toEqual([['b/text', 'text']]);
    const dtypes = { 'a/float32': 'F32', 'a/float64': 'F64', 'a/half': 'F16', 'b/bfloat16': 'BF16', 'b/int64': 'I64' };
    for (const [name, dtype] of Object.entries(dtypes)) expect(source.info(name).dtype).toBe(dtype);
    for (const [name, values] of Object.entries(expected)) {
      const raw = await source.readRaw(name);
      const { dtype } = source.info(name);
      if (dtype === 'F16' || dtype === 'BF16') expect([...(await source.readFloat32(name))]).toEqual(values);
      else expect([...raw].map(Number), name).toEqual(values);
    }
    expect(source.info('b/empty').shape).toEqual([0, 3]);
    expect(source.info('b/int64').shape).toEqual([]);
    await source.close();
  });

  it('notices a flipped bit in the values, by the stored checksum', async () => {
    const source = await changed((files) => {
      files.get(DATA[0])![0] ^= 1;
    });
    const failing: string[] = [];
    for (const name of source.tensors.keys()) {
      await source.readRaw(name).catch((error: Error) => failing.push(error.message));
    }
    expect(failing).toEqual([
      expect.stringMatching(/^F\/model\.ckpt\.data-00000-of-00002: the checksum of tensor a\/\w+ differs/),
    ]);
  });

  it.each<[string, (files: Map<string, Uint8Array>) => void, RegExp]>([
    [
      'a flipped bit in the index',
      (files) => {
        files.get(INDEX)![20] ^= 1;
      },
      /its table has a wrong checksum for the block at byte 0/,
    ],
    [
      'a missing data file',
      (files) => void files.delete(DATA[1]),
      /its data file model\.ckpt\.data-00001-of-00002 is missing/,
    ],
    [
      'a shortened data file',
      (files) => void files.set(DATA[0], files.get(DATA[0])!.subarray(0, 40)),
      /data-00000-of-00002: a\/\w+ lies at bytes \d+ to \d+, but the file has 40: its end is missing/,
    ],
    [
      'a shortened index',
      (files) => void files.set(INDEX, files.get(INDEX)!.subarray(0, 300)),
      /F\/model\.ckpt\.index: it has no table footer: its end is missing/,
    ],
    [
      'blocks compressed by Snappy',
      (files) => void files.set(INDEX, withCompression(files.get(INDEX)!, 1)),
      /its blocks are compressed by Snappy, which is not read/,
    ],
  ])('refuses %s', async (_, change, message) => {
    await expect(changed(change)).rejects.toThrow(message);
  });

  it('asks for the index where a data file is given', async () => {
    await expect(openTensors(goldenPath(`${FOLDER}/${DATA[0]}`))).rejects.toThrow(
      /it is a data file of a TensorFlow checkpoint\. Give the file that ends in \.index/,
    );
  });
});

/** The index with another type of compression after every block, and right checksums. */
function withCompression(index: Uint8Array, type: number): Uint8Array {
  const bytes = index.slice();
  // The index block is the last before the footer; its trailer is five bytes.
  const trailer = bytes.length - 48 - 5;
  const indexBlock = blockStart(bytes);
  bytes[trailer] = type;
  new DataView(bytes.buffer).setUint32(trailer + 1, maskCrc(crc32c(bytes.subarray(indexBlock, trailer + 1))), true);
  return bytes;
}

/** Offset of the index block: the third varint of the footer. */
function blockStart(bytes: Uint8Array): number {
  let at = bytes.length - 48;
  for (let passed = 0; passed < 2; at++) if (bytes[at] < 0x80) passed++;
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    value |= (bytes[at] & 0x7f) << shift;
    if (bytes[at++] < 0x80) return value;
  }
}
