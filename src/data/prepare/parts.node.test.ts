import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataError, SettingsError } from '../../errors/errors.js';
import { WordPieceTokenizer } from '../../text/tokenizer.js';
import { saveTokenizer } from '../../text/tokenizer.node.js';
import { createBatchSource } from '../batches.js';
import { openShards } from '../shards.node.js';
import { listInputs } from './inputs.node.js';
import { mergeParts } from './parts.node.js';
import { prepareCorpus } from './prepareCorpus.node.js';
import { UNIT_BYTES } from './readUnits.node.js';
import { parsePart, slicesOfPart } from './slices.node.js';

const SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
const WORDS = ['chef', 'cook', 'meal', 'the', 'ate', '##ed', '##s', '한', '국', '.'];
const tokenizer = WordPieceTokenizer.fromVocabulary([...SPECIAL, ...WORDS]);

let root: string;
let tokenizerDir: string;
let folders = 0;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'parts-'));
  tokenizerDir = join(root, 'tokenizer');
  await saveTokenizer(tokenizer, tokenizerDir);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function folderWith(files: Record<string, string | Uint8Array> = {}): string {
  const folder = join(root, String(folders++));
  mkdirSync(folder);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

const settings = (input: string, more = {}) => ({
  inputs: [input],
  tokenizerDir,
  out: join(folderWith(), 'shards'),
  workers: 0,
  heldOutFraction: 0.2,
  ...more,
});
type Settings = ReturnType<typeof settings>;

async function prepareParts(used: Settings, count: number): Promise<void> {
  // In any order, as machines do.
  for (let i = 0; i < count; i++) await prepareCorpus({ ...used, part: { index: ((5 * i) % count) + 1, count } });
}

/** `count` documents of known words, all different. */
function documents(count: number, seed = 0): string[] {
  return Array.from({ length: count }, (_, i) => {
    const number = (i + seed).toString(2).replaceAll('0', ' ate').replaceAll('1', ' meals');
    return `the chef cooked${number}.\nthe meal${' the chef ate .'.repeat(i % 7)}`;
  });
}

/** Longer than two units, with lines that differ. */
const LONG = documents(1 + Math.ceil((2.5 * UNIT_BYTES) / 90), 5000).join('\n');

/** Every kind of file; plain ones with documents beyond a unit, and blank lines of all kinds. */
function mixedInput(): string {
  const blanks = ['\n\n', '\n \t\n', '\n\n\n\n', '\r\n\r\n', '\n\n  \n'];
  const plain = documents(2000)
    .map((text, i) => `${i === 900 ? LONG : text}${blanks[i % blanks.length]}`)
    .join('');
  const records = documents(1500, 9000).map((text, i) =>
    JSON.stringify({ text: i === 700 ? LONG.slice(0, 400_000) : text }),
  );
  const rows = documents(500, 20_000);
  const parquet = parquetWriteBuffer({ columnData: [{ name: 'text', data: rows, type: 'STRING' }], rowGroupSize: 100 });
  return folderWith({
    'a.txt': plain,
    'b.jsonl': `${records.join('\n')}\n`,
    'c.txt.gz': gzipSync(documents(800, 30_000).join('\n\n')),
    'd.parquet': new Uint8Array(parquet),
    'e.txt': documents(40, 50_000).join('\n\n'),
  });
}

/** Everything that training sees. */
async function streamOf(folder: string) {
  const shards = await openShards(folder);
  const splits = (['train', 'heldOut'] as const).map((split) => {
    const { numTokens, documentOffsets } = shards[split];
    const [ids, wordStarts] = [new Int32Array(numTokens), new Uint8Array(numTokens)];
    shards[split].read(0, numTokens, ids, wordStarts, 0);
    const arrays = { ids, wordStarts, documentOffsets, unigram: shards.unigramCounts(split) };
    return Object.entries(arrays).map(([name, array]) => [name, array.length, sha256(array)]);
  });
  const { identity, textBytes, vocabSize, specialIds, train, heldOut } = shards.manifest;
  shards.close();
  const counts = [train, heldOut].map(({ documents, tokens }) => ({ documents, tokens }));
  return { splits, identity, textBytes, vocabSize, specialIds, counts };
}

const sha256 = (array: Int32Array | Uint8Array | Float64Array) => createHash('sha256').update(array).digest('hex');

/** Names, contents and times of all files below a folder. */
function snapshot(folder: string) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .filter((name) => statSync(join(folder, name)).isFile())
    .map((name) => [name, statSync(join(folder, name)).mtimeMs, readFileSync(join(folder, name), 'latin1')]);
}

describe('parts, merged', () => {
  let input: string;
  beforeAll(() => {
    input = mixedInput();
  });

  it.each([1, 2, 3, 7])(
    'hold the same documents in the same order and splits as one machine makes: %i parts',
    async (count) => {
      const alone = settings(input, { shardTokens: 100_000 });
      await prepareCorpus(alone);
      const used = settings(input, { shardTokens: 100_000 });
      await prepareParts(used, count);
      const result = await mergeParts(used.out);
      expect(result).toMatchObject({ status: 'merged', parts: count });
      expect(await streamOf(used.out)).toEqual(await streamOf(alone.out));
    },
  );

  it('give the same batches', async () => {
    const alone = settings(input);
    await prepareCorpus(alone);
    const used = settings(input);
    await prepareParts(used, 3);
    await mergeParts(used.out);
    const [one, merged] = await Promise.all(
      [alone.out, used.out].map(async (folder) => {
        const shards = await openShards(folder, { tokenizerHash: tokenizer.hash() });
        const source = createBatchSource({ shards, length: 64, segments: 'pair', batchSize: 8, seed: 3 });
        const batches = [0, 1, 17].map((step) => source.batch(step));
        shards.close();
        return batches;
      }),
    );
    expect(merged).toEqual(one);
  });

  it('are what a run without parts finds complete', async () => {
    const used = settings(input);
    await prepareParts(used, 2);
    await mergeParts(used.out);
    expect((await prepareCorpus(used)).status).toBe('unchanged');
    await expect(prepareCorpus({ ...used, heldOutFraction: 0.3 })).rejects.toThrow(
      /heldOutFraction was 0\.2 and is now 0\.3/,
    );
  });

  it('may have been made in folders of their own and brought together', async () => {
    const used = settings(input);
    for (const index of [1, 2]) {
      const out = join(folderWith(), 'elsewhere');
      await prepareCorpus({ ...used, out, part: { index, count: 2 } });
      mkdirSync(used.out, { recursive: true });
      renameSync(join(out, `part-${index}-of-2`), join(used.out, `part-${index}-of-2`));
    }
    expect((await mergeParts(used.out)).manifest.train.documents).toBeGreaterThan(3000);
  });

  it('change nothing when they are made or merged again', async () => {
    const used = settings(input);
    await prepareParts(used, 2);
    await mergeParts(used.out);
    const before = snapshot(join(used.out, 'part-2-of-2'));
    const manifest = readFileSync(join(used.out, 'manifest.json'), 'utf8');
    const again = await prepareCorpus({ ...used, part: { index: 2, count: 2 } });
    expect(again.status).toBe('unchanged');
    expect(again.out).toBe(join(used.out, 'part-2-of-2'));
    expect((await mergeParts(used.out)).status).toBe('unchanged');
    expect(snapshot(join(used.out, 'part-2-of-2'))).toEqual(before);
    expect(readFileSync(join(used.out, 'manifest.json'), 'utf8')).toBe(manifest);
  });

  it('continue where they were interrupted', async () => {
    const alone = settings(input);
    await prepareCorpus(alone);
    const used = settings(input, { shardTokens: 20_000 });
    const part = { index: 2, count: 2 };
    const folder = join(used.out, 'part-2-of-2');
    const controller = new AbortController();
    const onProgress = () => {
      if (readdirSync(folder).some((name) => name.startsWith('train-'))) controller.abort();
    };
    const timer = setInterval(() => existsSync(folder) && onProgress(), 1);
    await expect(prepareCorpus({ ...used, part, signal: controller.signal })).rejects.toThrow(/abort/i);
    clearInterval(timer);
    await prepareCorpus({ ...used, part: { index: 1, count: 2 } });
    await expect(mergeParts(used.out)).rejects.toThrow(/unfinished: 2\/2.*`--part 2\/2`; an unfinished one continues/);
    expect((await prepareCorpus({ ...used, part })).status).toBe('continued');
    await mergeParts(used.out);
    expect((await streamOf(used.out)).splits).toEqual((await streamOf(alone.out)).splits);
  });

  it('are read by lines and whole files as well', async () => {
    for (const documentPer of ['line', 'file'] as const) {
      const alone = settings(input, { documentPer });
      await prepareCorpus(alone);
      const used = settings(input, { documentPer });
      await prepareParts(used, 4);
      await mergeParts(used.out);
      expect((await streamOf(used.out)).splits).toEqual((await streamOf(alone.out)).splits);
    }
  });

  it('hold out the same sections of long documents, whatever blank lines are before them', async () => {
    // Every section of 16,384 units ends at the last space, so one newline more before it would move that end.
    const texts = documents(80, 77_000).map((text) => `${text.replaceAll('\n', ' ')}${' . . ate'.repeat(5000)}`);
    const text = folderWith({ 'a.txt': texts.join('\n\n\n') });
    const alone = settings(text, { heldOutFraction: 0.5 });
    await prepareCorpus(alone);
    const used = settings(text, { heldOutFraction: 0.5 });
    await prepareParts(used, 3);
    await mergeParts(used.out);
    expect((await streamOf(used.out)).splits).toEqual((await streamOf(alone.out)).splits);
  });

  it('may be empty: more parts than documents', async () => {
    const small = folderWith({ 'a.txt': 'the chef\n\ncooked\n\nthe meal' });
    const used = settings(small, { heldOutFraction: 0 });
    await prepareParts(used, 9);
    const { manifest } = await mergeParts(used.out);
    expect(manifest.train.documents).toBe(3);
  });
});

describe('merging refuses, by name,', () => {
  let input: string;
  beforeAll(() => {
    input = folderWith({ 'a.txt': documents(3000).join('\n\n') });
  });

  it('parts that are missing', async () => {
    const used = settings(input);
    for (const index of [1, 3]) await prepareCorpus({ ...used, part: { index, count: 4 } });
    await expect(mergeParts(used.out)).rejects.toThrow(DataError);
    await expect(mergeParts(used.out)).rejects.toThrow(/cannot be merged: missing: 2\/4, 4\/4\. .*`--part 2\/4`/);
    await expect(openShards(used.out)).rejects.toThrow(/parts that have not been merged.*pleiad prepare --merge --out/);
    await expect(mergeParts(folderWith())).rejects.toThrow(/holds no parts/);
  });

  it('parts that were made with another tokenizer, other settings or another text', async () => {
    const cased = join(folderWith(), 'cased');
    await saveTokenizer(WordPieceTokenizer.fromVocabulary([...SPECIAL, ...WORDS], { lowercase: false }), cased);
    const other = folderWith({ 'a.txt': `the${documents(3000).join('\n\n')}` });
    const changes: [object, RegExp][] = [
      [{ tokenizerDir: cased }, /the tokenizer is [0-9a-f]{32} there and [0-9a-f]{32} here/],
      [{ heldOutFraction: 0.4 }, /heldOutFraction is 0\.2 there and 0\.4 here/],
      [{ inputs: [other] }, /the input a\.txt has changed/],
    ];
    for (const [change, message] of changes) {
      const used = settings(input);
      await prepareCorpus({ ...used, part: { index: 1, count: 2 } });
      await prepareCorpus({ ...used, ...change, part: { index: 2, count: 2 } });
      await expect(mergeParts(used.out)).rejects.toThrow(/part-2-of-2 was not prepared as part-1-of-2 was/);
      await expect(mergeParts(used.out)).rejects.toThrow(message);
      expect(existsSync(join(used.out, 'manifest.json'))).toBe(false);
    }
  });

  it('parts under another name, cut short, or of two numbers', async () => {
    const used = settings(input);
    await prepareParts(used, 2);
    const [first, second] = [1, 2].map((index) => join(used.out, `part-${index}-of-2`));
    const spare = join(used.out, 'spare');
    renameSync(first, spare);
    renameSync(second, first);
    renameSync(spare, second);
    await expect(mergeParts(used.out)).rejects.toThrow(
      /part-1-of-2 was not prepared .* part is 1\/2 there and 2\/2 here/,
    );
    renameSync(first, spare);
    renameSync(second, first);
    renameSync(spare, second);
    const shard = join(second, 'train-00000.safetensors');
    writeFileSync(shard, readFileSync(shard).subarray(0, -1));
    await expect(mergeParts(used.out)).rejects.toThrow(/part-2-of-2\/train-00000\.safetensors has \d+ bytes, expected/);
    mkdirSync(join(used.out, 'part-1-of-3'));
    await expect(mergeParts(used.out)).rejects.toThrow(/holds parts of 2 and of 3: /);
  });

  it('a text so small that nothing is held out', async () => {
    const used = settings(folderWith({ 'a.txt': documents(30).join('\n\n') }), { heldOutFraction: 1e-6 });
    await prepareParts(used, 2);
    await expect(mergeParts(used.out)).rejects.toThrow(
      /nothing is held out at heldOutFraction 0\.000001\. Prepare it on one/,
    );
  });
});

describe('a part', () => {
  it('refuses a folder with parts of another number or with everything in it; everything refuses one with parts', async () => {
    const input = folderWith({ 'a.txt': documents(100).join('\n\n') });
    const used = settings(input);
    await prepareCorpus({ ...used, part: { index: 1, count: 2 } });
    await expect(prepareCorpus({ ...used, part: { index: 1, count: 3 } })).rejects.toThrow(
      /holds part-1-of-2, and part 1\/3 was asked for/,
    );
    await expect(prepareCorpus(used)).rejects.toThrow(/holds parts that are not merged \(part-1-of-2\)/);
    const whole = settings(input);
    await prepareCorpus(whole);
    await expect(prepareCorpus({ ...whole, part: { index: 1, count: 2 } })).rejects.toThrow(
      /is prepared already, without a part-1-of-2/,
    );
  });

  it('names the line of the file in an error, also behind a beginning that another part reads', async () => {
    const lines = documents(400).map((text) => JSON.stringify({ text }));
    lines[350] = '{"text":7}';
    const used = settings(folderWith({ 'a.jsonl': lines.join('\n') }));
    await expect(prepareCorpus({ ...used, part: { index: 3, count: 3 } })).rejects.toThrow(/a\.jsonl:351 has no text/);
    expect((await prepareCorpus({ ...used, part: { index: 1, count: 3 } })).status).toBe('prepared');
  });

  it('is i/n', async () => {
    expect(parsePart('2/8')).toEqual({ index: 2, count: 8 });
    for (const word of ['0/8', '9/8', '2', '2/', '/8', '1/0', '-1/8', '1.5/2', 'a/b', '2/8/9']) {
      expect(() => parsePart(word)).toThrow(SettingsError);
    }
    await expect(prepareCorpus(settings('', { part: { index: 3, count: 2 } }))).rejects.toThrow(
      /part is 3\/2; expected i\/n/,
    );
  });
});

describe('slices', () => {
  it('of all parts are the files, each byte once, cut only after blank lines', async () => {
    for (let seed = 0; seed < 40; seed++) {
      // Texts of blank lines and short words, where cuts fall everywhere.
      let text = '';
      for (let i = 0, x = seed; i < 300; i++) {
        x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
        text += ['a', 'b c', '\n', '\n\n', '\n \n', '\r\n'][(x >>> 16) % 6];
      }
      const folder = folderWith({ 'a.txt': text, 'b.txt': `x${text}` });
      const { files } = await listInputs([folder]);
      for (const count of [1, 2, 5, 40]) {
        let [file, at] = [0, 0];
        for (let index = 1; index <= count; index++) {
          for (const slice of await slicesOfPart(
            files,
            { documentPer: 'blankLine', field: 'text' },
            { index, count },
          )) {
            if (at === files[file].bytes) [file, at] = [file + 1, 0];
            expect([slice.file.name, slice.start]).toEqual([files[file].name, at]);
            const content = readFileSync(slice.file.path, 'latin1');
            if (slice.start > 0) expect(content.slice(0, slice.start)).toMatch(/\n[ \t\r]*\n$/);
            at = Math.min(slice.end, slice.file.bytes);
            expect(at).toBeGreaterThan(slice.start);
          }
        }
        expect([file, at]).toEqual([1, files[1].bytes]);
      }
    }
  });
});
