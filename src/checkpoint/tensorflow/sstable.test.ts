import { describe, expect, it } from 'vitest';
import { fileSetOf } from '../../files/byteSource.js';
import { crc32c, maskCrc } from '../../formats/crc32.js';
import { openTensorFile } from '../openTensors.js';
import { assemble, uint32, uint64 } from '../torch/testPickle.js';
import { endsAsTable, readTable } from './sstable.js';

const utf8 = new TextEncoder();

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (; value > 0x7f; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80);
  return Uint8Array.from([...bytes, value]);
}

/** An entry: how many bytes of the key before it are shared, the rest of its key, its value. */
type Entry = readonly [shared: number, rest: string, value: Uint8Array];

function block(entries: readonly Entry[], restarts: readonly number[] = [0]): Uint8Array {
  return assemble(
    entries.map(([shared, rest, value]) => [
      [varint(shared), varint(utf8.encode(rest).length), varint(value.length)],
      [rest, value],
    ]),
    restarts.map(uint32),
    uint32(restarts.length),
  );
}

/** A table as leveldb's doc/table_format.md describes it; the index may name its blocks as it likes. */
function table(blocks: readonly Uint8Array[], order = blocks.map((_, i) => i), compression = 0): Uint8Array {
  const parts: Uint8Array[] = [];
  let length = 0;
  const add = (content: Uint8Array) => {
    const typed = assemble(content, compression);
    const handle = assemble(varint(length), varint(content.length));
    parts.push(typed, uint32(maskCrc(crc32c(typed))));
    length += typed.length + 4;
    return handle;
  };
  const handles = blocks.map(add);
  const meta = add(block([]));
  const index = add(block(order.map((at, i) => [0, `k${String(i).padStart(6, '0')}`, handles[at]] as const)));
  const footer = assemble(meta, index);
  return assemble(parts, footer, new Uint8Array(40 - footer.length), uint64(0xdb4775248b80fb57n));
}

const v = (...bytes: number[]) => Uint8Array.from(bytes);

describe('a sorted string table', () => {
  it('gives its entries back, keys put together from the parts they share', () => {
    const bytes = table([
      block([
        [0, 'apple', v(1)],
        [3, 'ricot', v(2, 3)],
        [3, 'ron', v()],
      ]),
      block([[0, 'pear', v(4)]]),
    ]);
    expect(endsAsTable(bytes)).toBe(true);
    expect(readTable(bytes, 'F')).toEqual(
      new Map([
        ['apple', v(1)],
        ['appricot', v(2, 3)],
        ['appron', v()],
        ['pear', v(4)],
      ]),
    );
  });

  const ones = (count: number) => Array.from({ length: count }, (_, i) => [i, 'a', v()] as const);
  it.each<[string, Uint8Array, RegExp]>([
    [
      'keys out of order',
      table([
        block([
          [0, 'b', v()],
          [0, 'a', v()],
        ]),
      ]),
      /has keys out of order/,
    ],
    [
      'a key twice',
      table([
        block([
          [0, 'a', v()],
          [1, '', v()],
        ]),
      ]),
      /has keys out of order/,
    ],
    ['one block named a thousand times', table([block([[0, 'a', v()]])], new Array(1000).fill(0)), /keys out of order/],
    ['keys that grow without end', table([block(ones(2000))]), /has a key of over 1024 bytes/],
    ['more shared bytes than there are', table([block([[5, 'a', v()]])]), /has an entry out of range/],
    [
      'a value beyond its block',
      table([assemble(varint(0), varint(1), varint(200), 'a', uint32(0), uint32(1))]),
      /out of range/,
    ],
    [
      'a number without an end',
      table([assemble(new Uint8Array(12).fill(0x80), uint32(0), uint32(1))]),
      /longer than 64 bits/,
    ],
    ['no restart points', table([block([[0, 'a', v()]], [])]), /has a block with 0 restart points/],
    ['more restart points than bytes', table([assemble('abcd', uint32(0xffffffff))]), /with 4294967295 restart points/],
    [
      'a key that is not UTF-8',
      table([assemble(varint(0), varint(1), varint(0), 0xff, uint32(0), uint32(1))]),
      /not UTF-8/,
    ],
    ['blocks compressed by Snappy', table([block([])], [0], 1), /compressed by Snappy/],
    ['blocks compressed by something unknown', table([block([])], [0], 9), /compression type 9/],
    ['nothing but a footer', table([]).subarray(-48), /has a block out of range/],
  ])('is refused with %s', (_, bytes, message) => {
    expect(() => readTable(bytes, 'F.index')).toThrow(message);
    expect(() => readTable(bytes, 'F.index')).toThrow(/^F\.index: its /);
  });
});

describe('the index of a checkpoint', () => {
  const header = (...bytes: number[]) => [0, '', v(...bytes)] as const;
  const open = (entries: readonly Entry[]) => {
    const files = new Map([
      ['m.index', table([block(entries)])],
      ['m.data-00000-of-00001', new Uint8Array(16)],
    ]);
    return openTensorFile(fileSetOf(files, 'F'), 'm.index');
  };
  // num_shards = 1 is field 1, a varint: 08 01. BundleEntryProto: dtype 08 01, shape 12 …, size 28 08, crc 35 ….
  const float = (...shape: number[]) => {
    const dims = assemble(shape.map((size) => [0x12, varint(size).length + 1, 0x08, varint(size)]));
    return assemble(0x08, 1, 0x12, varint(dims.length), dims);
  };

  it.each<[string, readonly Entry[], RegExp]>([
    ['no header', [[0, 'a', v()]], /it is a table, but not the index of a TensorFlow checkpoint/],
    [
      'the header of the V1 form',
      [header(0x0a, 2, 0x0a, 0)],
      /not the index of a V2 checkpoint\. Save a V1 checkpoint again/,
    ],
    ['big-endian numbers', [header(0x08, 1, 0x10, 1)], /big-endian machine/],
    [
      'a data file that it has not',
      [header(0x08, 1), [0, 'a', assemble(float(4), 0x18, 7, 0x28, 16)]],
      /names data file 7 of 1/,
    ],
    [
      'a size of another shape',
      [header(0x08, 1), [0, 'a', assemble(float(3), 0x28, 16)]],
      /a is F32 \[3\], which takes 12 bytes, but has 16/,
    ],
    [
      'a place outside',
      [header(0x08, 1), [0, 'a', assemble(float(4), 0x20, 1, 0x28, 16)]],
      /lies at bytes 1 to 17, but the file has 16/,
    ],
    [
      'a shape of unknown rank',
      [header(0x08, 1), [0, 'a', v(0x08, 1, 0x12, 2, 0x18, 1)]],
      /entry "a" has a shape of unknown rank/,
    ],
    [
      'a dimension of −1',
      [header(0x08, 1), [0, 'a', assemble(0x08, 1, 0x12, 13, 0x12, 11, 0x08, new Uint8Array(9).fill(0xff), 1)]],
      /a dimension of unknown size/,
    ],
    ['an entry that ends too early', [header(0x08, 1), [0, 'a', v(0x08)]], /entry "a" ends inside a number/],
    ['a hundred dimensions', [header(0x08, 1), [0, 'a', float(...new Array(100).fill(1))]], /has over 64 dimensions/],
  ])('is refused with %s', async (_, entries, message) => {
    await expect(open(entries)).rejects.toThrow(message);
  });
});
