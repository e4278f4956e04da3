/**
 * Genuine files with random damage, most of it where lengths, offsets and names are. Whatever the damage, a file is either
 * refused by a CheckpointError that names it, or opened, and then every tensor has as many values as its shape says.
 *
 * PLEIAD_MUTATIONS=100000 npx vitest run src/checkpoint/mutatedFiles.test.ts   runs that many for each kind of file
 */

import { describe, expect, it } from 'vitest';
import { CheckpointError } from '../errors/errors.js';
import { fileSetOf } from '../files/byteSource.js';
import { crc32c, maskCrc } from '../formats/crc32.js';
import { encodeSafetensors } from '../formats/safetensors.js';
import { elementCount } from '../graph/dimensions.js';
import { RandomStream } from '../random/philox.js';
import { openTensorFile, openTensorFolder } from './openTensors.js';
import type { TensorSource } from './tensorSource.js';
import { goldenBytes } from './testCheckpoints.js';

const MUTATIONS = Number(process.env.PLEIAD_MUTATIONS ?? 1500);
const SEED = 20200323;
/** For one file on a busy machine; a few milliseconds are usual. */
const MAX_MS = 5000;
const MAX_MEMORY_GROWTH = 1 << 30;
const MAX_MESSAGE = 4000;

type Mutate = (bytes: Uint8Array, random: RandomStream) => Uint8Array;

/** Values that are at the edge of something. */
const EDGES = [0, 1, 0x7f, 0x80, 0xff];

/** One small piece of damage somewhere in `begin` to `end`. */
function damage(bytes: Uint8Array, random: RandomStream, begin = 0, end = bytes.length): Uint8Array {
  const at = begin + random.integer(Math.max(1, end - begin));
  const length = 1 + random.integer(8);
  switch (random.integer(7)) {
    case 0:
      bytes[at] ^= 1 << random.integer(8);
      return bytes;
    case 1:
      bytes[at] = EDGES[random.integer(EDGES.length)];
      return bytes;
    case 2:
      bytes.fill(random.integer(2) ? 0xff : 0, at, at + length);
      return bytes;
    case 3: // taken away
      return joined(bytes.subarray(0, at), bytes.subarray(at + length));
    case 4: // repeated
      return joined(bytes.subarray(0, at + length), bytes.subarray(at));
    case 5: // moved
      bytes.copyWithin(at, begin + random.integer(Math.max(1, end - begin)), begin + length);
      return bytes;
    default: // cut short, seldom: it hides everything behind it
      return random.integer(10) ? damage(bytes, random, begin, end) : bytes.subarray(0, at);
  }
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

const several =
  (mutate: Mutate): Mutate =>
  (bytes, random) => {
    let result = bytes;
    for (let times = 1 + random.integer(3); times > 0; times--) result = mutate(result, random);
    return result;
  };

/** Numbers of a JSON header, and one of them replaced. */
const NUMBERS = [
  '-1',
  '0',
  '1',
  '3',
  '4294967296',
  '9007199254740991',
  '9007199254740993',
  '1e308',
  '0.5',
  'null',
  '"4"',
  '[]',
];

const mutateHeader: Mutate = (bytes, random) => {
  if (bytes.length < 8) return bytes;
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > bytes.length) return damage(bytes, random);
  if (random.integer(3) === 0) return damage(bytes, random, 0, 8 + length);
  const text = new TextDecoder().decode(bytes.subarray(8, 8 + length));
  const numbers = [...text.matchAll(/\d+/g)];
  if (numbers.length === 0) return damage(bytes, random);
  const { index, 0: found } = numbers[random.integer(numbers.length)];
  const value = NUMBERS[random.integer(NUMBERS.length)];
  const header = new TextEncoder().encode(text.slice(0, index) + value + text.slice(index + found.length));
  const start = new Uint8Array(8);
  new DataView(start.buffer).setBigUint64(0, BigInt(header.length), true);
  return joined(start, header, bytes.subarray(8 + length));
};

/** Damage to a table with its checksums put right again, or the checksum would be all that is tested. */
const mutateTable: Mutate = (bytes, random) => {
  const blocks = blocksOf(bytes);
  if (random.integer(4) === 0) return damage(bytes, random);
  const { offset, size } = blocks[random.integer(blocks.length)];
  for (let times = 1 + random.integer(3); times > 0; times--) {
    const at = offset + random.integer(size + 1);
    bytes[at] = random.integer(2) ? EDGES[random.integer(EDGES.length)] : bytes[at] ^ (1 << random.integer(8));
  }
  const end = offset + size + 1;
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(end, maskCrc(crc32c(bytes.subarray(offset, end))), true);
  return bytes;
};

/** The blocks of the golden index: data block, metaindex, index; from its footer, and the first from the beginning. */
function blocksOf(bytes: Uint8Array): { offset: number; size: number }[] {
  let at = bytes.length - 48;
  const varint = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const [metaAt, metaSize, indexAt, indexSize] = [varint(), varint(), varint(), varint()];
  return [
    { offset: 0, size: metaAt - 5 },
    { offset: metaAt, size: metaSize },
    { offset: indexAt, size: indexSize },
  ].filter(({ offset, size }) => size > 0 && offset + size + 5 <= bytes.length);
}

/** From the last local header's end to the end of the file: the directory; else anywhere. */
const mutateZip: Mutate = (bytes, random) => {
  const directory = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf('PK\x01\x02', 0, 'latin1');
  const start = directory > 0 && random.integer(4) ? directory : 0;
  return damage(bytes, random, start);
};

const small = joined(
  ...encodeSafetensors(
    [
      { name: 'weights', dtype: 'F32', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
      { name: 'half', dtype: 'F16', shape: [4], data: Uint16Array.of(1, 2, 3, 4) },
      { name: 'empty', dtype: 'F32', shape: [0, 5], data: new Float32Array(0) },
      { name: 'ids', dtype: 'I64', shape: [1, 2], data: BigInt64Array.of(0n, 1n) },
    ],
    { format: 'pt' },
  ),
);
const INDEX = 'model.ckpt.index';
const DATA = ['model.ckpt.data-00000-of-00002', 'model.ckpt.data-00001-of-00002'];
const shards = DATA.map((name) => [name, goldenBytes(`tf1-two-shards/${name}`)] as const);

const openAs = (name: string) => (bytes: Uint8Array) => openTensorFile(fileSetOf(new Map([[name, bytes]]), 'F'), name);
const openBundle = (bytes: Uint8Array) => openTensorFolder(fileSetOf(new Map([...shards, [INDEX, bytes]]), 'F'));

const KINDS: readonly {
  name: string;
  bytes: Uint8Array;
  mutate: Mutate;
  open: (bytes: Uint8Array) => Promise<TensorSource>;
}[] = [
  { name: 'safetensors headers', bytes: small, mutate: several(mutateHeader), open: openAs('model.safetensors') },
  { name: 'TensorFlow indices', bytes: goldenBytes(`tf1-two-shards/${INDEX}`), mutate: mutateTable, open: openBundle },
  {
    name: 'zip directories',
    bytes: goldenBytes('protocol-4.bin'),
    mutate: several(mutateZip),
    open: openAs('model.bin'),
  },
  {
    name: 'pickles of the zip form',
    bytes: goldenBytes('every-kind-zip.bin'),
    // The pickle lies behind the first local header.
    mutate: several((bytes, random) => damage(bytes, random, 60, 2200)),
    open: openAs('model.bin'),
  },
  {
    name: 'pickles of the legacy form',
    bytes: goldenBytes('every-kind-legacy.bin'),
    mutate: several((bytes, random) => damage(bytes, random)),
    open: openAs('model.bin'),
  },
];

/** How a file ended: refused, opened, or opened with tensors that could not be read. */
async function outcome(open: (bytes: Uint8Array) => Promise<TensorSource>, bytes: Uint8Array, label: string) {
  const source = await open(bytes).catch((error: unknown) => checked(error, label));
  if (!source) return 'refused';
  let unreadable = 0;
  for (const [name, { shape }] of source.tensors) {
    const data = await source.readRaw(name).catch((error: unknown) => checked(error, label));
    if (!data) unreadable++;
    else if (data.length !== elementCount(shape))
      throw new Error(`${label}: ${name} has ${data.length} values for [${shape}]`);
  }
  await source.close();
  return unreadable ? 'damaged' : 'opened';
}

function checked(error: unknown, label: string): undefined {
  const fine = error instanceof CheckpointError && /^F[/: ]/.test(error.message) && error.message.length < MAX_MESSAGE;
  if (!fine) throw new Error(`${label}: ${error instanceof Error ? error.stack : error}`);
}

describe(`${MUTATIONS} damaged`, () => {
  it.each(KINDS)(
    '$name are refused or read, never worse',
    async ({ name, bytes, mutate, open }) => {
      expect(await outcome(open, bytes.slice(), name)).toBe('opened');
      const counts: Record<string, number> = { refused: 0, damaged: 0, opened: 0 };
      const before = process.memoryUsage().rss;
      let slowestMs = 0;
      for (let index = 0; index < MUTATIONS; index++) {
        const mutated = mutate(bytes.slice(), new RandomStream(SEED, 'test', index));
        const startedAt = performance.now();
        counts[await outcome(open, mutated, `${name}, mutation ${index} of seed ${SEED}`)]++;
        slowestMs = Math.max(slowestMs, performance.now() - startedAt);
      }
      const growth = process.memoryUsage().rss - before;
      if (process.env.PLEIAD_MUTATIONS) {
        console.log(
          `${name}: ${JSON.stringify(counts)}, slowest ${slowestMs.toFixed(1)} ms, memory +${growth >> 20} MiB`,
        );
      }
      expect(slowestMs).toBeLessThan(MAX_MS);
      expect(growth).toBeLessThan(MAX_MEMORY_GROWTH);
      // Damage that is always or never noticed would mean that only one thing is being tested.
      expect(counts.refused).toBeGreaterThan(MUTATIONS / 20);
      expect(counts.opened + counts.damaged).toBeGreaterThan(MUTATIONS / 100);
    },
    MUTATIONS * 20 + 60_000,
  );
});
