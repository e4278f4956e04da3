import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { strToU8, zipSync } from 'fflate';
import { afterAll, describe, expect, it } from 'vitest';
import { openTensors } from '../../checkpoint/openTensors.node.js';
import {
  expectedGolden,
  goldenBytes,
  readAll,
  sortedByName,
  temporaryFolder,
} from '../../checkpoint/testCheckpoints.js';
import { unpackArchive } from '../../checkpoint/unpackArchive.node.js';

const temporary = temporaryFolder('unpack');
afterAll(temporary.remove);

let count = 0;

/** Unpacks bytes into a new folder beside which nothing else may appear. */
async function unpack(bytes: Uint8Array, limits?: { maxBytes: number; maxFiles: number }) {
  const place = join(temporary.path, String(count++));
  const archive = join(place, 'archive');
  const folder = join(place, 'target', 'folder');
  mkdirSync(join(place, 'target'), { recursive: true });
  writeFileSync(archive, bytes);
  const error = await unpackArchive(archive, folder, limits).then(
    () => undefined,
    (reason: Error) => reason,
  );
  expect(readdirSync(place).sort()).toEqual(['archive', 'target']);
  if (error) expect(readdirSync(join(place, 'target'))).toEqual([]);
  return { folder, error };
}

interface TarEntry {
  name: string;
  content?: Uint8Array | string;
  type?: string;
  link?: string;
  /** Written as the size instead of the true one. */
  size?: string;
  prefix?: string;
}

function tarHeader({ name, content = '', type = '0', link = '', size, prefix = '' }: TarEntry): Uint8Array {
  const block = Buffer.alloc(512);
  block.write(name, 0);
  block.write('0000644\0', 100);
  block.write(size ?? `${content.length.toString(8).padStart(11, '0')}\0`, 124);
  block.write(type, 156);
  block.write(link, 157);
  block.write('ustar\0', 257);
  block.write(prefix, 345);
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

function tar(...entries: TarEntry[]): Buffer {
  const blocks = entries.flatMap((entry) => {
    const content = Buffer.from(entry.content ?? '');
    return [tarHeader(entry), content, Buffer.alloc((512 - (content.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

const pax = (key: string, value: string) => {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return `${length}${rest}`;
};

describe('an archive', () => {
  const files = { 'model/config.json': '{}', 'model/vocab.txt': '[PAD]\n'.repeat(200) };

  it('is unpacked into the folder: tar, tar.gz and zip', async () => {
    const entries = Object.entries(files).map(([name, content]) => ({
      name: `./${name}`,
      content,
    }));
    const archive = tar({ name: 'model/', type: '5' }, ...entries);
    const zip = zipSync(Object.fromEntries(Object.entries(files).map(([name, content]) => [name, strToU8(content)])));
    for (const bytes of [archive, gzipSync(archive), zip]) {
      const { folder, error } = await unpack(bytes);
      expect(error).toBeUndefined();
      expect(readdirSync(folder)).toEqual(['model']);
      for (const [name, content] of Object.entries(files))
        expect(readFileSync(join(folder, name), 'utf8')).toBe(content);
    }
  });

  it('may have long names, by GNU and by pax, and prefixes', async () => {
    const long = `${'d'.repeat(90)}/${'f'.repeat(90)}`;
    const archive = tar(
      { name: '././@LongLink', type: 'L', content: `${long}-gnu\0` },
      { name: 'cut', content: 'a' },
      { name: 'pax', type: 'x', content: pax('path', `${long}-pax`) + pax('mtime', '0') },
      { name: 'cut', content: 'b' },
      { name: 'file', prefix: 'some/prefix', content: 'c' },
    );
    const { folder, error } = await unpack(archive);
    expect(error).toBeUndefined();
    expect(readFileSync(join(folder, `${long}-gnu`), 'utf8')).toBe('a');
    expect(readFileSync(join(folder, `${long}-pax`), 'utf8')).toBe('b');
    expect(readFileSync(join(folder, 'some/prefix/file'), 'utf8')).toBe('c');
  });

  it('with a checkpoint in it opens as the checkpoint, also as a zip with a folder around it', async () => {
    const zip = zipSync({
      'electra_tiny/checkpoint': strToU8('model_checkpoint_path: "/somewhere/model.ckpt-4000"\n'),
      'electra_tiny/model.ckpt-4000.index': goldenBytes('electra-tf1/model.ckpt-4000.index'),
      'electra_tiny/model.ckpt-4000.data-00000-of-00001': goldenBytes(
        'electra-tf1/model.ckpt-4000.data-00000-of-00001',
      ),
      'electra_tiny/vocab.txt': strToU8('[PAD]\n'),
    });
    const path = join(temporary.path, 'electra_tiny.zip');
    writeFileSync(path, zip);
    const source = await openTensors(path);
    expect(source.format).toBe('tensorflow-bundle');
    const name = 'electra/embeddings/word_embeddings';
    const expected = expectedGolden('electra-tf1/discriminator').get('electra.embeddings.word_embeddings.weight');
    expect(await source.readFloat32(name)).toEqual(expected?.data);
    await source.close();
  });

  it('that is no archive, or a checkpoint that is no folder, is left as it is', async () => {
    expect((await unpack(goldenBytes('every-kind-legacy.bin'))).error?.message).toMatch(/it is no archive/);
    const path = join(temporary.path, 'weights.bin');
    writeFileSync(path, goldenBytes('every-kind-zip.bin'));
    const source = await openTensors(path);
    expect(await readAll(source)).toEqual(sortedByName(expectedGolden('every-kind-zip')));
    await source.close();
  });
});

const NAMES: readonly (readonly [string, RegExp])[] = [
  ['../outside', /"\.\.\/outside" leads out of its folder/],
  ['a/../../outside', /leads out of its folder/],
  ['a/..', /leads out of its folder/],
  ['/absolute', /is absolute/],
  ['//server/share', /is absolute/],
  ['C:/windows', /begins with a drive/],
  ['C:windows', /begins with a drive/],
  ['..\\outside', /has a backslash/],
  ['name\x01', /has control characters/],
  ['name.', /ends in a dot or a space/],
  ['.../x', /ends in a dot or a space/],
  [`${'a'.repeat(300)}`, /is too long/],
  [`${'a/'.repeat(600)}b`, /is too long/],
];

describe('a hostile archive', () => {
  it.each(NAMES)('with a file named %j is refused as tar', async (name, message) => {
    const { error } = await unpack(
      tar(
        { name: 'good', content: 'x' },
        { name: 'p', type: 'x', content: pax('path', name) },
        { name: 'p', content: 'x' },
      ),
    );
    expect(error?.message).toMatch(message);
  });

  it.each(NAMES)('with a file named %j is refused as zip', async (name, message) => {
    const { error } = await unpack(zipSync({ good: strToU8('x'), [name]: strToU8('x') }));
    expect(error?.message).toMatch(message);
  });

  it.each([
    ['a symbolic link', '2', /"link" is a link/],
    ['a hard link', '1', /"link" is a link/],
    ['a character device', '3', /"link" is a device/],
    ['a named pipe', '6', /"link" is a device/],
    ['a sparse file', 'S', /"link" is of a kind that is not read/],
  ])('with %s is refused', async (_, type, message) => {
    const { error } = await unpack(tar({ name: 'link', type, link: '/etc/passwd' }, { name: 'link', content: 'x' }));
    expect(error?.message).toMatch(message);
  });

  it('with a symbolic link in a zip is refused', async () => {
    const mode = (0o120777 << 16) >>> 0;
    const { error } = await unpack(zipSync({ link: [strToU8('/etc/passwd'), { os: 3, attrs: mode }] }));
    expect(error?.message).toMatch(/"link" is a link or a device/);
  });

  it('with a name twice, or one that differs by case alone, or a file that is also a folder, is refused', async () => {
    for (const [first, second] of [
      ['a', 'a'],
      ['Model.bin', 'model.BIN'],
      ['a', 'a/b'],
      ['a/b', 'a'],
    ]) {
      const { error } = await unpack(tar({ name: first, content: 'x' }, { name: second, content: 'y' }));
      expect(error?.message, `${first}, ${second}`).toMatch(/it has "(a|model\.BIN)" twice/);
    }
  });

  it('that unpacks to a thousand times its size is refused, as gzip and as zip, before it fills the disk', async () => {
    const zeros = Buffer.alloc(100 << 20);
    const bombs = [gzipSync(tar({ name: 'bomb', content: zeros })), zipSync({ bomb: zeros })];
    const startedAt = performance.now();
    for (const bomb of bombs) {
      expect(bomb.length).toBeLessThan(200_000);
      const { error } = await unpack(bomb);
      expect(error?.message).toMatch(/would unpack to over 67108864 bytes from \d+, beyond any archive of weights/);
    }
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });

  it('that lies about its sizes is refused', async () => {
    const zip = zipSync({ bomb: Buffer.alloc(1 << 20) });
    // The uncompressed size in the central directory, 24 bytes after its signature.
    const at = Buffer.from(zip.buffer).indexOf(Buffer.from('PK\x01\x02', 'latin1'));
    new DataView(zip.buffer).setUint32(at + 24, 1000, true);
    expect((await unpack(zip)).error?.message).toMatch(/its entry "bomb" is longer than its 1000 bytes/);
    const huge = tar({ name: 'huge', size: '77777777777\0', content: 'x' });
    expect((await unpack(huge)).error?.message).toMatch(/would unpack to over/);
    const odd = tar({ name: 'odd', size: '9z\0', content: 'x' });
    expect((await unpack(odd)).error?.message).toMatch(/an entry of odd size/);
  });

  it('with a hundred thousand empty files is refused', async () => {
    const limits = { maxBytes: 1 << 26, maxFiles: 100 };
    const { error } = await unpack(tar(...Array.from({ length: 101 }, (_, i) => ({ name: `f${i}` }))), limits);
    expect(error?.message).toMatch(/it has over 100 entries, beyond any checkpoint/);
  });

  it('with headers and nothing else is refused', async () => {
    const headers = Buffer.concat(Array.from({ length: 40_001 }, () => tarHeader({ name: 'g', type: 'g' })));
    expect((await unpack(gzipSync(headers))).error?.message).toMatch(/more headers than any checkpoint/);
  });

  it('that is damaged or cut short is refused', async () => {
    const content = Buffer.from(Array.from({ length: 50_000 }, (_, i) => (i * 7919) % 251));
    const archive = tar({ name: 'file', content });
    const packed = gzipSync(archive);
    const flipped = Buffer.from(packed);
    flipped[flipped.length - 6] ^= 1; // in the checksum
    expect((await unpack(flipped)).error?.message).toMatch(/its compressed data are damaged or cut short/);
    expect((await unpack(packed.subarray(0, packed.length - 30))).error?.message).toMatch(/damaged or cut short/);
    expect((await unpack(archive.subarray(0, 5000))).error?.message).toMatch(/it ends inside its entry "file"/);
    expect((await unpack(archive.subarray(0, archive.length - 1024))).error?.message).toMatch(
      /ends without its end mark/,
    );
    const wrong = Buffer.from(archive);
    wrong[0] ^= 1;
    expect((await unpack(wrong)).error?.message).toMatch(/header with a wrong checksum/);
    const zip = zipSync({ file: [content, { level: 0 }] });
    zip[100] ^= 1;
    expect((await unpack(zip)).error?.message).toMatch(/its entry "file" has a wrong checksum/);
  });
});
