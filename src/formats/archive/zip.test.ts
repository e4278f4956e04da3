import { strToU8, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { assemble, uint32, uint64 } from '../../checkpoint/torch/testPickle.js';
import { memorySource, readBytes } from '../../files/byteSource.js';
import { readZipDirectory, zipDataPosition } from './zip.js';

const FILES = { 'a/first': strToU8('one'), 'a/second': strToU8('three') };
const zip = () => new Uint8Array(zipSync(FILES, { level: 0 }));

async function contents(bytes: Uint8Array): Promise<Record<string, string>> {
  const source = memorySource(bytes, 'F.zip');
  const result: Record<string, string> = {};
  for (const [name, entry] of await readZipDirectory(source)) {
    const data = await readBytes(source, await zipDataPosition(source, entry), entry.bytes);
    result[name] = new TextDecoder().decode(data);
  }
  return result;
}

const uint16 = (value: number) => Uint8Array.of(value & 0xff, value >> 8);
const signature = (text: string) => assemble('PK', ...[...text].map((letter) => letter.charCodeAt(0)));
const DIRECTORY = 'PK\x01\x02';
const at = (bytes: Uint8Array, text: string, from = 0) => Buffer.from(bytes.buffer).indexOf(text, from, 'latin1');

/**
 * The same archive with every size and position of the directory in zip64 form, as writers do beyond 4 GiB: APPNOTE 4.5.3
 * (extra field 1), 4.3.14 (end record) and 4.3.15 (its locator).
 */
function asZip64(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer);
  const start = at(bytes, DIRECTORY);
  const end = at(bytes, 'PK\x05\x06');
  const entries: Uint8Array[] = [];
  for (let entry = start; entry < end; ) {
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => view.getUint16(entry + field, true));
    const [compressed, size, offset] = [20, 24, 42].map((field) => BigInt(view.getUint32(entry + field, true)));
    const extra = assemble(uint16(1), uint16(24), uint64(size), uint64(compressed), uint64(offset));
    entries.push(
      assemble(
        bytes.slice(entry, entry + 20),
        [uint32(0xffffffff), uint32(0xffffffff)],
        [uint16(nameBytes), uint16(extra.length), uint16(0)],
        bytes.slice(entry + 34, entry + 42),
        uint32(0xffffffff),
        bytes.slice(entry + 46, entry + 46 + nameBytes),
        extra,
      ),
    );
    entry += 46 + nameBytes + extraBytes + commentBytes;
  }
  const directory = assemble(entries);
  const count = uint64(BigInt(entries.length));
  const endAt = BigInt(start + directory.length);
  return assemble(
    bytes.slice(0, start),
    directory,
    [signature('\x06\x06'), uint64(44n), uint16(45), uint16(45), uint32(0), uint32(0), count, count],
    [uint64(BigInt(directory.length)), uint64(BigInt(start))],
    [signature('\x06\x07'), uint32(0), uint64(endAt), uint32(1)],
    [signature('\x05\x06'), uint16(0), uint16(0), uint16(0xffff), uint16(0xffff)],
    [uint32(0xffffffff), uint32(0xffffffff), uint16(0)],
  );
}

describe('a zip directory', () => {
  it('is read, also with a comment behind it that looks like another end', async () => {
    expect(await contents(zip())).toEqual({ 'a/first': 'one', 'a/second': 'three' });
    const bytes = zip();
    const comment = assemble('PK\x05\x06', new Uint8Array(30).fill(0x20));
    const view = new DataView(bytes.buffer);
    view.setUint16(bytes.length - 2, comment.length, true);
    expect(await contents(assemble(bytes, comment))).toEqual({ 'a/first': 'one', 'a/second': 'three' });
  });

  it('is read in the zip64 form', async () => {
    expect(await contents(asZip64(zip()))).toEqual({ 'a/first': 'one', 'a/second': 'three' });
  });

  it.each<[string, (bytes: Uint8Array, view: DataView) => unknown, RegExp]>([
    ['encrypted', (bytes, view) => view.setUint16(at(bytes, DIRECTORY) + 8, 1, true), /entry "a\/first" is encrypted/],
    ['in several parts', (bytes, view) => view.setUint16(bytes.length - 18, 1, true), /one part of a zip archive/],
    [
      'with an entry in another part',
      (bytes, view) => view.setUint16(at(bytes, DIRECTORY) + 34, 3, true),
      /entry "a\/first" lies in another part/,
    ],
    [
      'whose entries speak of other files than their headers',
      (bytes) => void bytes.set(strToU8('a/FIRST'), at(bytes, DIRECTORY) + 46),
      /its zip entry "a\/FIRST" has another name in its own header/,
    ],
    [
      'with an entry outside',
      (bytes, view) => view.setUint32(at(bytes, DIRECTORY) + 42, 1 << 30, true),
      /entry "a\/first" lies outside the file/,
    ],
    [
      'with a directory outside',
      (bytes, view) => view.setUint32(bytes.length - 6, 1 << 30, true),
      /its zip directory \(2 entries, \d+ bytes at 1073741824\) does not fit/,
    ],
    ['without its end', (bytes) => bytes.slice(0, bytes.length - 5), /has no end record: its end is missing/],
    [
      'with a name that is not UTF-8',
      (bytes) => void bytes.set([0xff], at(bytes, DIRECTORY) + 46),
      /has a name that is not UTF-8/,
    ],
    [
      'of a zip64 form without its sizes',
      (bytes, view) => view.setUint32(at(bytes, DIRECTORY) + 42, 0xffffffff, true),
      /entry "a\/first" has no zip64 sizes/,
    ],
    [
      'whose zip64 end is elsewhere',
      () => {
        const bytes = asZip64(zip());
        new DataView(bytes.buffer).setBigUint64(at(bytes, 'PK\x06\x07') + 8, 2n ** 60n, true);
        return bytes;
      },
      /its zip64 end record lies outside the file/,
    ],
  ])('is refused %s', async (_, change, message) => {
    const bytes = zip();
    const changed = change(bytes, new DataView(bytes.buffer));
    await expect(contents(changed instanceof Uint8Array ? changed : bytes)).rejects.toThrow(message);
  });

  it('is refused where it names a file twice', async () => {
    const bytes = new Uint8Array(zipSync({ 'a/1': FILES['a/first'], 'a/2': FILES['a/second'] }, { level: 0 }));
    bytes.set(strToU8('a/1'), at(bytes, 'a/2', at(bytes, DIRECTORY)));
    await expect(contents(bytes)).rejects.toThrow('its zip directory names "a/1" twice');
  });

  it('is refused where it claims more entries than it has bytes for', async () => {
    const bytes = asZip64(zip());
    const end = at(bytes, 'PK\x06\x06');
    for (const field of [24, 32]) new DataView(bytes.buffer).setBigUint64(end + field, 2n ** 40n, true);
    await expect(contents(bytes)).rejects.toThrow(
      /its zip directory has 1099511627776 entries in \d+ bytes, beyond any/,
    );
  });
});
