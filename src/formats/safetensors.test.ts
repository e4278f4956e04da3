import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openTensors } from '../checkpoint/openTensors.node.js';
import { CheckpointError } from '../errors/errors.js';
import { decodeSafetensors, encodeSafetensors, parseSafetensorsHeader, type SafetensorsTensor } from './safetensors.js';
import { SafetensorsFile, writeSafetensors } from './safetensors.node.js';

const folder = mkdtempSync(join(tmpdir(), 'safetensors-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SAMPLE: SafetensorsTensor[] = [
  { name: 'flags', dtype: 'BOOL', shape: [3], data: Uint8Array.of(1, 0, 1) },
  { name: 'weights', dtype: 'F32', shape: [2, 2], data: Float32Array.of(1, -2, 0.5, 4) },
  { name: 'offsets', dtype: 'I64', shape: [2], data: BigInt64Array.of(-1n, 2n ** 40n) },
  { name: 'empty', dtype: 'F32', shape: [0, 7], data: new Float32Array(0) },
  { name: 'scalar', dtype: 'U16', shape: [], data: Uint16Array.of(65535) },
];

function concatenate(chunks: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(chunks));
}

/** A file with this header text and this many bytes of data. */
function fileWith(header: unknown, dataBytes: number): Uint8Array {
  const text = typeof header === 'string' ? header : JSON.stringify(header);
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(new TextEncoder().encode(text), 8);
  return bytes;
}

describe('safetensors in memory', () => {
  it('gives back the tensors and the metadata that were encoded', () => {
    const { tensors, metadata } = decodeSafetensors(concatenate(encodeSafetensors(SAMPLE, { source: 'test' })));
    expect(metadata).toEqual({ source: 'test' });
    expect(tensors.size).toBe(SAMPLE.length);
    for (const tensor of SAMPLE) expect(tensors.get(tensor.name)).toEqual(tensor);
  });

  it('writes the same bytes in whatever order tensors and metadata come', () => {
    const one = concatenate(encodeSafetensors(SAMPLE, { a: '1', b: '2' }));
    const two = concatenate(encodeSafetensors([...SAMPLE].reverse(), { b: '2', a: '1' }));
    expect(two).toEqual(one);
  });

  it('starts the data at a multiple of eight bytes and aligns every tensor to its element size', () => {
    const header = parseSafetensorsHeader(concatenate(encodeSafetensors(SAMPLE)));
    expect(header.dataStart % 8).toBe(0);
    expect(header.tensors.get('offsets')!.begin % 8).toBe(0);
    expect(header.tensors.get('weights')!.begin % 4).toBe(0);
  });

  it('reads the byte layout of the format description', () => {
    // {"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}} and the bytes 7, 9, written by hand.
    const bytes = fileWith('{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}', 2);
    bytes.set([7, 9], bytes.length - 2);
    expect([...decodeSafetensors(bytes).tensors.get('a')!.data]).toEqual([7, 9]);
  });

  it('reads tensors at an odd address', () => {
    const file = concatenate(encodeSafetensors(SAMPLE));
    const shifted = new Uint8Array(file.length + 1);
    shifted.set(file, 1);
    expect(decodeSafetensors(shifted.subarray(1)).tensors.get('weights')!.data).toEqual(SAMPLE[1].data);
  });

  const u8 = (begin: number, end: number, shape = [end - begin]) => ({
    dtype: 'U8',
    shape,
    data_offsets: [begin, end],
  });
  it.each([
    ['seven bytes', new Uint8Array(7), /has 7 bytes/],
    ['a header length beyond the limit', new Uint8Array(16).fill(255), /allows 100000000/],
    ['an end inside the header', fileWith({ a: u8(0, 1) }, 0).subarray(0, 20), /inside its header/],
    ['a header that is not JSON', fileWith('{"a":', 0), /not JSON/],
    ['a header of a million tensors', fileWith(`{"a":[${'{},'.repeat(1e6)}{}]}`, 0), /of over 500000 tensors/],
    ['a header of a million brackets', fileWith(`{"a":${'['.repeat(1e6)}`, 0), /nested over 3 levels deep/],
    ['a header that is a list', fileWith('[]', 0), /not a JSON object/],
    [
      'an unknown dtype',
      fileWith({ a: { dtype: 'X', shape: [1], data_offsets: [0, 1] } }, 1),
      /tensor a has dtype "X"/,
    ],
    ['a negative size', fileWith({ a: u8(0, 1, [-1]) }, 1), /tensor a has shape \[-1\]/],
    [
      'a size that differs from shape and dtype',
      fileWith({ a: u8(0, 4, [3]) }, 4),
      /tensor a is U8 \[3\].*takes 3 bytes, but has 4/,
    ],
    [
      'an end before the beginning',
      fileWith({ a: { dtype: 'U8', shape: [1], data_offsets: [2, 1] } }, 2),
      /data_offsets \[2,1\]/,
    ],
    ['an overlap', fileWith({ a: u8(0, 2), b: u8(1, 3) }, 3), /tensor b overlaps/],
    ['a gap', fileWith({ a: u8(0, 2), b: u8(3, 4) }, 4), /tensor b leaves a gap/],
    ['a missing end', fileWith({ a: u8(0, 9) }, 8), /bytes where its header says/],
    ['bytes after the end', fileWith({ a: u8(0, 9) }, 10), /bytes where its header says/],
    ['metadata that is not text', fileWith({ __metadata__: { a: 1 } }, 0), /not a map of strings/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes, 'model.safetensors')).toThrow(CheckpointError);
    expect(() => decodeSafetensors(bytes, 'model.safetensors')).toThrow(message);
    expect(() => decodeSafetensors(bytes, 'model.safetensors')).toThrow(/^model\.safetensors: /);
  });

  it('refuses to encode a name twice or data that does not fit its shape', () => {
    expect(() => encodeSafetensors([SAMPLE[0], SAMPLE[0]])).toThrow(/flags is given twice/);
    expect(() => encodeSafetensors([{ ...SAMPLE[0], shape: [4] }])).toThrow(/flags is BOOL \[4\]/);
  });
});

const A = { dtype: 'F32', shape: [2], data_offsets: [0, 8] };
const text = (header: unknown) => JSON.stringify(header);

/** What the reference implementation (safetensors 0.8.0) does with a header over these bytes of data. */
const HEADERS: readonly (readonly [what: string, header: string, dataBytes: number, opens: boolean])[] = [
  ['metadata that is null, as in case safetensors-metadata-null', text({ __metadata__: null, a: A }), 8, true],
  ['metadata that is empty', text({ __metadata__: {}, a: A }), 8, true],
  ['metadata with a number', text({ __metadata__: { x: 1 }, a: A }), 8, false],
  ['metadata with a null in it', text({ __metadata__: { x: null }, a: A }), 8, false],
  ['metadata with an object in it', text({ __metadata__: { x: { y: 'z' } }, a: A }), 8, false],
  ['metadata that is a list', text({ __metadata__: [], a: A }), 8, false],
  ['metadata that is a text', text({ __metadata__: 'x', a: A }), 8, false],
  ['white space after the header', `${text({ a: A })}   \n\t`, 8, true],
  ['white space before the header', `  \n${text({ a: A })}`, 8, true],
  ['a zero byte after the header', `${text({ a: A })}\0`, 8, false],
  ['a tensor that is described twice alike', `{"a":${text(A)},"a":${text(A)}}`, 8, true],
  ['two descriptions of one tensor', `{"a":${text(A)},"a":${text({ ...A, data_offsets: [8, 16] })}}`, 16, false],
  ['two tensors over the same bytes', text({ a: A, b: A }), 8, false],
  [
    'a tensor of no elements at the end',
    text({ a: A, z: { dtype: 'F32', shape: [0, 4], data_offsets: [8, 8] } }),
    8,
    true,
  ],
  [
    'a tensor of no elements at the start',
    text({ z: { dtype: 'F32', shape: [0], data_offsets: [0, 0] }, a: A }),
    8,
    true,
  ],
  [
    'a tensor of no elements within another',
    text({ z: { dtype: 'F32', shape: [0], data_offsets: [4, 4] }, a: A }),
    8,
    false,
  ],
  ['a scalar', text({ a: { dtype: 'F32', shape: [], data_offsets: [0, 4] } }), 4, true],
  ['a field that is not known', text({ a: { ...A, x: 1 } }), 8, true],
  ['bytes after the last tensor', text({ a: A }), 10, false],
  ['complex numbers', text({ a: { dtype: 'C64', shape: [1], data_offsets: [0, 8] } }), 8, true],
  ['numbers of eight bits', text({ a: { dtype: 'F8_E8M0', shape: [8], data_offsets: [0, 8] } }), 8, true],
  ['no tensors', text({ __metadata__: { a: 'b' } }), 0, true],
];

describe('a safetensors header', () => {
  it.each(HEADERS)('with %s is taken as the reference implementation takes it', async (_, header, dataBytes, opens) => {
    const path = join(folder, 'header.safetensors');
    writeFileSync(path, fileWith(header, dataBytes));
    if (opens) {
      const source = await openTensors(path);
      expect(source.metadata ?? {}).toEqual(JSON.parse(header).__metadata__ ?? {});
      await source.close();
      expect(SafetensorsFile.open(path).names).toEqual([...source.tensors.keys()]);
    } else {
      await expect(openTensors(path)).rejects.toThrow(CheckpointError);
      expect(() => SafetensorsFile.open(path)).toThrow(CheckpointError);
    }
  });

  it('with metadata of another kind is named with it', () => {
    expect(() => decodeSafetensors(fileWith({ __metadata__: { epoch: 3 }, a: A }, 8), 'x.safetensors')).toThrow(
      'x.safetensors: has a __metadata__ that is not a map of strings: {"epoch":3}',
    );
  });
});

describe('safetensors on disk', () => {
  it('reads single tensors and parts of them by position', async () => {
    const path = join(folder, 'a.safetensors');
    await writeSafetensors(path, SAMPLE, { source: 'test' });
    const file = SafetensorsFile.open(path);
    expect(file.metadata).toEqual({ source: 'test' });
    for (const tensor of SAMPLE) expect(file.tensor(tensor.name)).toEqual(tensor);
    expect([...file.read<'F32'>('weights', 1, 3)]).toEqual([-2, 0.5]);
    expect(() => file.read('weights', 1, 5)).toThrow(/which has 4/);
    expect(() => file.read('bias')).toThrow(/has no tensor bias; it has .*weights/);
    file.close();
    expect(() => file.read('weights')).toThrow(/already closed/);
  });

  it('reports the length and the SHA-256 of the file written', async () => {
    const path = join(folder, 'b.safetensors');
    const written = await writeSafetensors(path, SAMPLE);
    const bytes = readFileSync(path);
    const digest = await crypto.subtle.digest('SHA-256', bytes);
    expect(written).toEqual({ bytes: bytes.length, sha256: Buffer.from(digest).toString('hex') });
  });

  it('names a file that is missing, cut short or of another kind', async () => {
    const path = join(folder, 'c.safetensors');
    expect(() => SafetensorsFile.open(path)).toThrow(/Cannot open .*c\.safetensors/);
    const { bytes } = await writeSafetensors(path, SAMPLE);
    truncateSync(path, bytes - 1);
    expect(() => SafetensorsFile.open(path)).toThrow(/c\.safetensors: has \d+ bytes where its header says \d+/);
    writeFileSync(path, '');
    expect(() => SafetensorsFile.open(path)).toThrow(/has 0 bytes/);
  });

  it('leaves the earlier file in place when writing fails', async () => {
    const path = join(folder, 'd.safetensors');
    await writeSafetensors(path, SAMPLE);
    const before = readFileSync(path);
    const failing = [{ ...SAMPLE[0], shape: [9] }];
    await expect(writeSafetensors(path, failing)).rejects.toThrow(CheckpointError);
    expect(readFileSync(path)).toEqual(before);
  });
});
