import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataError, SettingsError } from '../../errors/errors.js';
import { FolderLock, LOCK_FILE } from '../../files/folderLock.node.js';
import { WordPieceTokenizer } from '../../text/tokenizer.js';
import { loadTokenizer, saveTokenizer } from '../../text/tokenizer.node.js';
import { createBatchSource } from '../batches.js';
import type { TokenSplit } from '../shards.js';
import { openShards } from '../shards.node.js';
import { JOURNAL_FILE, newJournal } from './journal.node.js';
import { mergeParts } from './parts.node.js';
import { prepareCorpus } from './prepareCorpus.node.js';
import type { PrepareProgress } from './progress.js';
import { MAX_JSON_LINE_BYTES, UNIT_BYTES } from './readUnits.node.js';
import { isHeldOut, sectionHash } from './tokenizeUnit.js';

const SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
const WORDS = ['chef', 'cook', 'meal', 'the', 'ate', '##ed', '##s', '한', '국', '.'];
const tokenizer = WordPieceTokenizer.fromVocabulary([...SPECIAL, ...WORDS]);

let root: string;
let tokenizerDir: string;
let folders = 0;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'prepare-'));
  tokenizerDir = join(root, 'tokenizer');
  await saveTokenizer(tokenizer, tokenizerDir);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A fresh folder with these files. */
function folderWith(files: Record<string, string | Uint8Array> = {}): string {
  const folder = join(root, String(folders++));
  mkdirSync(folder);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

const settings = (inputs: string[], more = {}) => ({
  inputs,
  tokenizerDir,
  out: join(folderWith(), 'out'),
  workers: 0,
  heldOutFraction: 0,
  ...more,
});

function documentsOf(split: TokenSplit): string[] {
  return Array.from({ length: split.numDocuments }, (_, i) => {
    const [start, end] = [split.documentOffsets[i], split.documentOffsets[i + 1]];
    const ids = new Int32Array(end - start);
    split.read(start, end, ids, new Uint8Array(end - start), 0);
    return tokenizer.decode(ids, { skipSpecialTokens: false });
  });
}

async function prepared(inputs: string[], more = {}): Promise<string[]> {
  const used = settings(inputs, more);
  await prepareCorpus(used);
  const shards = await openShards(used.out);
  const documents = documentsOf(shards.train);
  shards.close();
  return documents;
}

/** `count` documents of known words, all different; about 8 tokens a line. */
function corpus(count: number): string[] {
  return Array.from({ length: count }, (_, i) => {
    const number = i.toString(2).replaceAll('0', ' ate').replaceAll('1', ' meals');
    return `the chef cooked${number}.\nthe meal${' the chef ate .'.repeat(i % 7)}`;
  });
}

/** All files of a folder with their contents, tokenizer left out. */
function contents(folder: string): Map<string, string> {
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(files.map(({ name }) => [name, readFileSync(join(folder, name), 'latin1')]));
}

describe('reading', () => {
  it('splits plain text into documents at blank lines, lines or files', async () => {
    const folder = folderWith({ 'a.txt': '\ufeffthe chef\ncooked\r\n \r\nthe meal\n\n\n', 'b.txt': 'ate' });
    expect(await prepared([folder])).toEqual(['the chef cooked', 'the meal', 'ate']);
    expect(await prepared([folder], { documentPer: 'line' })).toEqual(['the chef', 'cooked', 'the meal', 'ate']);
    expect(await prepared([folder], { documentPer: 'file' })).toEqual(['the chef cooked the meal', 'ate']);
  });

  it('reads JSONL, gzip and Parquet, folders in sorted order, unknown endings only by name', async () => {
    const parquet = parquetWriteBuffer({
      columnData: [
        { name: 'id', data: [1, 2, 3], type: 'INT32' },
        { name: 'text', data: ['the meal', null, 'chefs'], type: 'STRING', nullable: true },
      ],
      rowGroupSize: 2,
    });
    const folder = folderWith({
      'z/last.txt.gz': gzipSync('ate\n\nate ate'),
      'b.jsonl': '{"text":"the\\n\\nchef"}\n\n{"id":1,"text":"cooks"}\n',
      'c.parquet': new Uint8Array(parquet),
      'a.text': 'meal',
      '.hidden.txt': 'no',
      'notes.md': 'chef .',
      'empty.txt': '',
    });
    const used = settings([folder, join(folder, 'notes.md')]);
    const { skipped } = await prepareCorpus(used);
    expect(documentsOf((await openShards(used.out)).train)).toEqual([
      'meal',
      'the chef',
      'cooks',
      'the meal',
      'chefs',
      'ate',
      'ate ate',
      'chef.',
    ]);
    expect(skipped.map(({ path, reason }) => [path.slice(folder.length + 1), reason])).toEqual([
      ['empty.txt', 'empty'],
      ['notes.md', 'unknown ending'],
    ]);
  });

  it('keeps word starts beside the tokens', async () => {
    const used = settings([join(folderWith({ 'a.txt': 'cooked meals' }), 'a.txt')]);
    await prepareCorpus(used);
    const { train } = await openShards(used.out);
    const ids = new Int32Array(4);
    const wordStarts = new Uint8Array(4);
    train.read(0, 4, ids, wordStarts, 0);
    expect([...ids].map((id) => tokenizer.idToToken(id))).toEqual(['cook', '##ed', 'meal', '##s']);
    expect([...wordStarts]).toEqual([1, 0, 1, 0]);
  });

  it('takes a document far longer than a unit as one, over several shards, and gives every token', async () => {
    const line = 'the chef cooked the meals 한국 .'.repeat(3000);
    const long = Array.from({ length: 20 }, () => line).join(' '); // one line of 1.9 MB
    expect(Buffer.byteLength(long)).toBeGreaterThan(3 * UNIT_BYTES);
    const folder = folderWith({ 'a.txt': `ate\n\n${long}\n\nmeal` });
    const used = settings([folder], { shardTokens: 100_000 });
    const { manifest } = await prepareCorpus(used);
    expect(manifest.train.shards.length).toBeGreaterThan(3);
    const shards = await openShards(used.out);
    const { train } = shards;
    expect(train.numDocuments).toBe(3);
    const expected = ['ate', long, 'meal'].flatMap((text) => [...tokenizer.encodeIds(text)]);
    const ids = new Int32Array(train.numTokens);
    train.read(0, train.numTokens, ids, new Uint8Array(train.numTokens), 0);
    expect(Buffer.from(ids.buffer).equals(Buffer.from(Int32Array.from(expected).buffer))).toBe(true);
    expect([...train.documentOffsets]).toEqual([0, 1, expected.length - 1, expected.length]);
    // Blocks read across the ends of shards.
    const source = createBatchSource({ shards, length: 64, segments: 'single', batchSize: 1, seed: 1 });
    const all: number[] = [];
    for (let block = 0; block < source.numBlocks; block++) {
      const { inputIds, lengths } = source.rows([block]);
      for (let i = 1; i < lengths[0] - 1; i++) all.push(inputIds[i]);
    }
    expect(Buffer.from(Int32Array.from(all).buffer).equals(Buffer.from(ids.buffer))).toBe(true);
  });

  it('finds a blank line where a long document was cut', async () => {
    for (const shift of [0, 1, 2, 3]) {
      const first = 'ate '.repeat(UNIT_BYTES / 4).slice(0, UNIT_BYTES - shift);
      const folder = folderWith({ 'a.txt': `${first}\n\nmeal` });
      const documents = await prepared([folder]);
      expect(documents.length).toBe(2);
      expect(documents[1]).toBe('meal');
    }
  });

  it('replaces what is not UTF-8 when told to', async () => {
    const folder = folderWith({ 'a.txt': Uint8Array.of(...Buffer.from('chef '), 0xff, ...Buffer.from(' ate')) });
    expect(await prepared([folder], { invalidUtf8: 'replace' })).toEqual(['chef ate']);
  });
});

describe('bad input', () => {
  const binary = Uint8Array.of(0x61, 0, 0x62);
  const badUtf8 = Uint8Array.of(0x61, 0x20, 0xc3, 0x28);
  it.each<[string, Record<string, string | Uint8Array>, RegExp, object?]>([
    ['a binary file', { 'a.txt': binary }, /a\.txt is not text: a zero byte at offset 1/],
    ['invalid UTF-8', { 'a.txt': badUtf8 }, /a\.txt is not UTF-8 at byte offset 2/],
    [
      'a JSONL line that is not JSON',
      { 'a.jsonl': '{"text":"a"}\n\n{"text"\n' },
      /a\.jsonl:3:8 is not JSON: expected a colon, found the end in \{"text"/,
    ],
    [
      'a JSONL line without the field',
      { 'a.jsonl': '{"text":"a"}\n{"body":"b"}' },
      /a\.jsonl:2 has no text in field "text"; it has body/,
    ],
    [
      'a gzip file cut short',
      { 'a.txt.gz': gzipSync('ate '.repeat(9999)).subarray(0, 40) },
      /a\.txt\.gz is a damaged or incomplete gzip file/,
    ],
    ['a file that is not gzip', { 'a.txt.gz': 'chef' }, /a\.txt\.gz is a damaged or incomplete gzip file/],
    ['a file that is not Parquet', { 'a.parquet': 'PAR1 and so on' }, /a\.parquet is not a complete Parquet file/],
    ['a folder without text', { 'a.bin': 'a' }, /No text to read in .*; there is .*a\.bin \(unknown ending\)/],
    ['text without a word', { 'a.txt': ' \n\n \n' }, /a\.txt: there is no word in 5 bytes of text/],
  ])('names %s', async (_, files, message) => {
    const folder = folderWith(files);
    await expect(prepareCorpus(settings([folder]))).rejects.toThrow(DataError);
    await expect(prepareCorpus(settings([folder]))).rejects.toThrow(message);
  });

  it('names a missing and an empty file', async () => {
    const folder = folderWith({ 'empty.txt': '' });
    await expect(prepareCorpus(settings([join(folder, 'no.txt')]))).rejects.toThrow(/no\.txt does not exist/);
    await expect(prepareCorpus(settings([join(folder, 'empty.txt')]))).rejects.toThrow(/empty\.txt is empty/);
  });

  it.each(['[MASK]', '[PAD]'])('names the tokenizer whose vocabulary has no %s', async (missing) => {
    const vocab = [...SPECIAL, ...WORDS].filter((token) => token !== missing).join('\n');
    const folder = folderWith({ 'vocab.txt': vocab, 'text/a.txt': 'chef' });
    const preparing = prepareCorpus({ ...settings([join(folder, 'text')]), tokenizerDir: folder });
    await expect(preparing).rejects.toThrow(`${folder}: the vocabulary of 14 tokens has no ${missing}. Add ${missing}`);
  });

  it('names the folder of a vocabulary that has no [UNK]', async () => {
    const folder = folderWith({ 'vocab.txt': ['[PAD]', 'ate'].join('\n'), 'text/a.txt': 'chef' });
    const preparing = prepareCorpus({ ...settings([join(folder, 'text')]), tokenizerDir: folder });
    await expect(preparing).rejects.toThrow(`${folder}: the vocabulary of 2 tokens has no [UNK]`);
  });

  it('refuses an input that it would write to, and passes over the result and the tokenizer inside one', async () => {
    const folder = folderWith({ 'a.txt': 'the chef', 'b/c.txt': 'the meal' });
    for (const out of [folder, join(folder, 'b', '..')]) {
      await expect(prepareCorpus({ ...settings([folder]), out })).rejects.toThrow(
        `the input ${folder} is also a folder`,
      );
    }
    const tokenizerInside = join(folder, 'vocab');
    await saveTokenizer(tokenizer, tokenizerInside);
    const used = { ...settings([folder]), out: join(folder, 'shards'), tokenizerDir: tokenizerInside };
    const { manifest, skipped } = await prepareCorpus(used);
    expect(manifest.identity.inputs.map(({ name }) => name)).toEqual(['a.txt', 'b/c.txt']);
    expect(skipped).toEqual([{ path: tokenizerInside, reason: 'the output or the tokenizer' }]);
    expect((await prepareCorpus(used)).status).toBe('unchanged');
  });

  it('is refused while another process prepares the folder, and does nothing when that one has finished', async () => {
    const used = settings([folderWith({ 'a.txt': 'the chef' })]);
    mkdirSync(used.out);
    const lock = await FolderLock.acquire(used.out);
    await expect(prepareCorpus(used)).rejects.toThrow(`${used.out} is in use by process ${process.pid} on `);
    expect(readdirSync(used.out)).toEqual([LOCK_FILE]);
    lock.release();
    await prepareCorpus(used);
    const again = await FolderLock.acquire(used.out);
    expect((await prepareCorpus(used)).status).toBe('unchanged');
    again.release();
  });

  it('does not follow a journal out of the folder', async () => {
    const used = settings([folderWith({ 'a.txt': 'the chef' })]);
    const { manifest } = await prepareCorpus(used);
    const [shard] = manifest.train.shards;
    const { identity, heldOutBelow, place } = newJournal(manifest.identity);
    const segment = { ...place, train: { ...shard, file: `../out/${shard.file}` }, began: { train: 1, heldOut: 0 } };
    rmSync(join(used.out, 'manifest.json'));
    const lines = [{ identity, heldOutBelow }, segment].map((line) => `${JSON.stringify(line)}\n`);
    writeFileSync(join(used.out, JOURNAL_FILE), lines.join(''));
    await expect(prepareCorpus(used)).rejects.toThrow(`${JOURNAL_FILE} is damaged`);
  });

  it('names the columns of a Parquet file that lacks the one asked for', async () => {
    const parquet = parquetWriteBuffer({ columnData: [{ name: 'body', data: ['chef'], type: 'STRING' }] });
    const folder = folderWith({ 'a.parquet': new Uint8Array(parquet) });
    await expect(prepareCorpus(settings([folder]))).rejects.toThrow(/no column "text"; it has body/);
    expect(await prepared([folder], { field: 'body' })).toEqual(['chef']);
  });

  it('counts lines over all units of a JSONL file', async () => {
    const good = `{"text":"${'chef '.repeat(100)}"}\n`;
    const lines = Math.ceil((2.5 * UNIT_BYTES) / good.length);
    const folder = folderWith({ 'a.jsonl': `${good.repeat(lines)}{}\n` });
    await expect(prepareCorpus(settings([folder]))).rejects.toThrow(`a.jsonl:${lines + 1} has no text`);
  });

  it('refuses a JSONL line beyond the limit, takes one below it', async () => {
    const folder = folderWith({ 'a.jsonl': `{"text":"${'ate '.repeat(UNIT_BYTES)}"}\n{"text":"meal"}` });
    expect((await prepared([folder]))[1]).toBe('meal');
    writeFileSync(join(folder, 'a.jsonl'), Buffer.alloc(MAX_JSON_LINE_BYTES + 10, 'a'));
    await expect(prepareCorpus(settings([folder]))).rejects.toThrow(/a line of more than 64 MiB at byte offset 0/);
  });

  it('names the special token that a vocabulary lacks', async () => {
    const folder = folderWith({ 'vocab.txt': '[PAD]\n[UNK]\n[CLS]\n[SEP]\nchef\n', 'a.txt': 'chef' });
    await expect(prepareCorpus(settings([folder], { tokenizerDir: folder }))).rejects.toThrow(/no \[MASK\]/);
  });

  it('reports all bad settings at once', async () => {
    const bad = settings([], { workers: -1, heldOutFraction: 1, shardTokens: 0 });
    await expect(prepareCorpus(bad)).rejects.toThrow(SettingsError);
    await expect(prepareCorpus(bad)).rejects.toThrow(
      /workers is -1[\s\S]*heldOutFraction is 1;[\s\S]*shardTokens is 0/,
    );
  });
});

describe('the prepared folder', () => {
  const texts = corpus(3000);
  let folder: string;
  beforeAll(() => {
    folder = folderWith({
      'a.txt': texts.slice(0, 1500).join('\n\n'),
      'b.txt.gz': gzipSync(texts.slice(1500).join('\n\n')),
    });
  });

  it('holds out documents by their hash, the same ones wherever they stand', async () => {
    const used = settings([folder], { heldOutFraction: 0.1 });
    await prepareCorpus(used);
    const { train, heldOut } = await openShards(used.out);
    const expected = texts.filter((text) => isHeldOut(text, 0.1));
    // 3000 documents at 0.1: standard deviation 16.
    expect(Math.abs(expected.length - 300)).toBeLessThan(80);
    const flat = (text: string) => tokenizer.decode(tokenizer.encodeIds(text), { skipSpecialTokens: false });
    expect(documentsOf(heldOut)).toEqual(expected.map(flat));
    expect(documentsOf(train)).toEqual(texts.filter((text) => !isHeldOut(text, 0.1)).map(flat));
    expect(isHeldOut(`\n ${expected[0]} `, 0.1)).toBe(true);
  });

  it('counts documents, tokens and unigrams', async () => {
    const used = settings([folder], { heldOutFraction: 0.1, shardTokens: 9000 });
    const { manifest } = await prepareCorpus(used);
    const shards = await openShards(used.out, { tokenizerHash: tokenizer.hash() });
    for (const split of ['train', 'heldOut'] as const) {
      expect(shards[split].numDocuments).toBe(manifest[split].documents);
      expect(shards[split].numTokens).toBe(manifest[split].tokens);
      const ids = new Int32Array(shards[split].numTokens);
      shards[split].read(0, ids.length, ids, new Uint8Array(ids.length), 0);
      const counts = new Float64Array(tokenizer.vocabSize);
      for (const id of ids) counts[id]++;
      expect(shards.unigramCounts(split)).toEqual(counts);
    }
    const given = (['train', 'heldOut'] as const).map((split) => shards.unigramCounts(split));
    rmSync(join(used.out, 'unigram.safetensors'));
    // Shards without their counts are counted again.
    expect((['train', 'heldOut'] as const).map((split) => shards.unigramCounts(split))).toEqual(given);
    expect(shards.specialIds).toEqual({ padId: 0, unkId: 1, clsId: 2, sepId: 3, maskId: 4 });
    expect(loadTokenizer(shards.tokenizerFolder).hash()).toBe(tokenizer.hash());
    expect(manifest.textBytes).toBe(
      Buffer.byteLength(texts.slice(0, 1500).join('\n\n')) + Buffer.byteLength(texts.slice(1500).join('\n\n')),
    );
  });

  it('is the same to the last byte for any number of workers', async () => {
    const made = [];
    for (const workers of [0, 1, 2, 3]) {
      const used = settings([folder], { workers, heldOutFraction: 0.05, shardTokens: 5000 });
      await prepareCorpus(used);
      made.push(contents(used.out));
    }
    expect(made[0].size).toBeGreaterThan(4);
    for (const other of made.slice(1)) expect(other).toEqual(made[0]);
  });

  it.each<[string, (texts: readonly string[]) => string]>([
    [
      'an array of JSON',
      (texts) =>
        JSON.stringify(
          texts.map((text) => ({ text })),
          null,
          1,
        ),
    ],
    ['a table', (texts) => ['id;text', ...texts.map((text, i) => `${i};"${text}"`)].join('\r\n')],
  ])('of %s is the same for any number of workers, for parts together, and after an interruption', async (_, write) => {
    const name = write([]).startsWith('[') ? 'a.json' : 'a.csv';
    const input = folderWith({ [name]: write(texts), 'b.txt': texts.slice(0, 900).join('\n\n') });
    const more = { heldOutFraction: 0.1, shardTokens: 5000 };
    const [single, several] = [settings([input], { ...more, workers: 0 }), settings([input], { ...more, workers: 3 })];
    const { manifest } = await prepareCorpus(single);
    await prepareCorpus(several);
    expect(manifest.train.documents + manifest.heldOut.documents).toBe(texts.length + 900);
    expect(contents(several.out)).toEqual(contents(single.out));
    const stopped = settings([input], more);
    const controller = new AbortController();
    const stopsAfter = (progress: PrepareProgress) => progress.tokens > 8000 && controller.abort();
    const stopping = prepareCorpus({ ...stopped, signal: controller.signal, onProgress: stopsAfter });
    const stop = setInterval(() => {
      if (existsSync(join(stopped.out, 'train-00001.safetensors'))) controller.abort();
    }, 1);
    await stopping.catch((error) => expect(error.name).toBe('AbortError')).finally(() => clearInterval(stop));
    await prepareCorpus(stopped);
    expect(contents(stopped.out)).toEqual(contents(single.out));
    const parts = settings([input], more);
    for (const index of [1, 2, 3]) await prepareCorpus({ ...parts, part: { index, count: 3 } });
    const merged = (await mergeParts(parts.out)).manifest;
    for (const split of ['train', 'heldOut'] as const) expect(merged[split].tokens).toBe(manifest[split].tokens);
  });

  it('passes errors on from worker threads', async () => {
    const bad = folderWith({ 'a.jsonl': '{"text":"chef"}\n{}', 'b.txt': Uint8Array.of(0) });
    await expect(prepareCorpus(settings([bad], { workers: 2 }))).rejects.toThrow(
      /a\.jsonl:2 has no text in field "text"/,
    );
    const binary = prepareCorpus(settings([join(bad, 'b.txt')], { workers: 1 }));
    await expect(binary).rejects.toThrow(DataError);
    await expect(binary).rejects.toThrow(/b\.txt is not text: a zero byte at offset 0\. Leave binary files out[^.]*$/);
  });

  it('is left alone when prepared again, and says so', async () => {
    const used = settings([folder]);
    expect((await prepareCorpus(used)).status).toBe('prepared');
    const before = contents(used.out);
    const again = await prepareCorpus({ ...used, workers: 1 });
    expect(again.status).toBe('unchanged');
    expect(contents(used.out)).toEqual(before);
  });

  it('refuses another tokenizer, other settings and other input, naming them', async () => {
    const used = settings([folder]);
    await prepareCorpus(used);
    const before = contents(used.out);
    const otherDir = join(folderWith(), 'cased');
    await saveTokenizer(WordPieceTokenizer.fromVocabulary([...SPECIAL, ...WORDS], { lowercase: false }), otherDir);
    const attempts: [object, RegExp][] = [
      [{ tokenizerDir: otherDir }, /the tokenizer was [0-9a-f]{32} and is now [0-9a-f]{32}/],
      [{ heldOutFraction: 0.5 }, /heldOutFraction was 0 and is now 0\.5/],
      [{ inputs: [join(folder, 'a.txt')] }, /the input b\.txt\.gz is gone/],
      [{ inputs: [folderWith({ 'a.txt': 'other', 'b.txt.gz': gzipSync('x') })] }, /the input a\.txt has changed/],
    ];
    for (const [change, message] of attempts) {
      await expect(prepareCorpus({ ...used, ...change })).rejects.toThrow(message);
    }
    await expect(openShards(used.out, { tokenizerHash: 'abc' })).rejects.toThrow(/made with tokenizer .* not with abc/);
    expect(contents(used.out)).toEqual(before);
  });

  it('names a shard that is missing, cut short or not its own', async () => {
    const used = settings([folder]);
    await prepareCorpus(used);
    const shard = join(used.out, 'train-00000.safetensors');
    const bytes = readFileSync(shard);
    truncateSync(shard, bytes.length - 1);
    await expect(openShards(used.out)).rejects.toThrow(/train-00000\.safetensors has \d+ bytes, expected \d+/);
    await expect(prepareCorpus(used)).rejects.toThrow(/train-00000\.safetensors has \d+ bytes, expected \d+/);
    rmSync(shard);
    await expect(openShards(used.out)).rejects.toThrow(/train-00000\.safetensors is missing/);
    writeFileSync(shard, Buffer.from(bytes.toString('latin1').replace(tokenizer.hash(), 'f'.repeat(32)), 'latin1'));
    await expect(openShards(used.out)).rejects.toThrow(/was made with tokenizer ffff/);
  });

  it('is told from a folder of text', async () => {
    await expect(openShards(folder)).rejects.toThrow(
      /holds text, not token shards\. Prepare it first: pleiad prepare /,
    );
  });

  it('reports progress up to the whole', async () => {
    const seen: PrepareProgress[] = [];
    const { manifest } = await prepareCorpus(settings([folder], { onProgress: (p: PrepareProgress) => seen.push(p) }));
    const last = seen.at(-1)!;
    expect(last).toMatchObject({
      fraction: 1,
      remainingMs: 0,
      textBytes: manifest.textBytes,
      documents: 3000,
      tokens: manifest.train.tokens,
    });
    expect(last.megabytesPerSecond).toBeGreaterThan(0);
  });
});

describe('the held-out split', () => {
  const words = ['the', 'chef', 'ate', 'meal', 'cooked', '.', 'meals', '한국'];
  /** A text of different lines. */
  const book = (length: number, seed: number) => {
    let text = '';
    for (let i = seed; text.length < length; i++)
      text += `${words[i % 8]} ${words[(i >> 3) % 8]} ${words[(i * i) % 7]}\n`;
    return text.slice(0, length);
  };

  it('is there when the hash chooses none of a few documents: the one with the smallest hash', async () => {
    const texts = corpus(30);
    expect(texts.some((text) => isHeldOut(text, 1e-4))).toBe(false);
    const used = settings([folderWith({ 'a.txt': texts.join('\n\n') })], { heldOutFraction: 1e-4 });
    const { manifest, warnings } = await prepareCorpus(used);
    expect([manifest.train.documents, manifest.heldOut.documents]).toEqual([29, 1]);
    expect(warnings).toEqual([]);
    const least = texts.reduce((a, b) => (sectionHash(b) < sectionHash(a) ? b : a));
    const expected = tokenizer.decode(tokenizer.encodeIds(least), { skipSpecialTokens: false });
    expect(documentsOf((await openShards(used.out)).heldOut)).toEqual([expected]);
    expect((await prepareCorpus(used)).status).toBe('unchanged');
  });

  it('takes the asked fraction of one huge document, whatever the number of workers, and loses no token', async () => {
    const text = book(2_500_000, 1);
    const folder = folderWith({ 'a.txt': text });
    const made = [];
    for (const workers of [0, 2]) {
      const used = settings([folder], { heldOutFraction: 0.1, documentPer: 'file', workers });
      const { train, heldOut } = (await prepareCorpus(used)).manifest;
      expect(train.tokens + heldOut.tokens).toBe(tokenizer.encodeIds(text).length);
      // 160 sections at 0.1: standard deviation 0.024.
      expect(Math.abs(heldOut.tokens / (train.tokens + heldOut.tokens) - 0.1)).toBeLessThan(0.1);
      expect(heldOut.tokens).toBeGreaterThan(0);
      made.push(contents(used.out));
    }
    expect(made[1]).toEqual(made[0]);
  });

  it('is warned about when nothing is held out', async () => {
    const folder = folderWith({ 'a.txt': 'the chef' });
    expect((await prepareCorpus(settings([folder], { heldOutFraction: 0.01 }))).warnings[0]).toMatch(
      /single short document/,
    );
    expect((await prepareCorpus(settings([folder]))).warnings[0]).toMatch(/heldOutFraction is 0/);
  });
});

describe('memory', () => {
  /** Greatest resident size of a process that prepares `megabytes` of text with two workers, in bytes. */
  async function peak(megabytes: number, lineEnd = '\n'): Promise<number> {
    const sentence = (i: number) => `the chef${i} cooked ${i * 7919} meals . ate${i % 613}${lineEnd}`;
    const lines = Array.from({ length: 20_000 }, (_, i) => sentence(i));
    const block = lines.join('').slice(0, 500_000);
    const folder = folderWith({ 'a.txt': block.repeat(2 * megabytes) });
    const used = settings([folder], { workers: 2 });
    const compiled = new URL('../../../dist/src/data/prepare/prepareCorpus.node.js', import.meta.url);
    const script = `import(${JSON.stringify(compiled.href)}).then((m) => m.prepareCorpus(${JSON.stringify(used)}))
      .then(() => console.log(process.resourceUsage().maxRSS * 1024))`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    let printed = '';
    child.stdout.on('data', (data) => {
      printed += data;
    });
    await new Promise((resolve) => child.once('close', resolve));
    return Number(printed);
  }

  it.each([
    ['the corpus', '\n'],
    ['the length of its only line', ' '],
  ])(
    'does not grow with %s',
    async (_, lineEnd) => {
      const [small, large] = [await peak(8, lineEnd), await peak(64, lineEnd)];
      expect(small).toBeGreaterThan(0);
      expect(large).toBeLessThan(1.25 * small);
    },
    120_000,
  );
});

describe('interruption', () => {
  // Some documents longer than a unit, so that runs also stop in the middle of one.
  const texts = corpus(4000).map((text, i) => (i % 1300 === 1 ? `${text} the chef ate .`.repeat(25_000) : text));
  const input = () =>
    folderWith({ 'a.txt': texts.slice(0, 2000).join('\n\n'), 'b.txt.gz': gzipSync(texts.slice(2000).join('\n\n')) });

  it('costs nothing that was finished, and the result is the same to the last byte', async () => {
    const folder = input();
    const whole = settings([folder], { heldOutFraction: 0.3, shardTokens: 100_000 });
    await prepareCorpus(whole);
    const expected = contents(whole.out);
    const stopped = settings([folder], { heldOutFraction: 0.3, shardTokens: 100_000 });
    const numShards = () =>
      existsSync(stopped.out) ? readdirSync(stopped.out).filter((name) => name.endsWith('.safetensors')).length : 0;
    let stops = 0;
    for (let finished = false; !finished; ) {
      const controller = new AbortController();
      const before = numShards();
      // Stops as soon as this run has finished a shard of its own.
      const stopAtShard = () => {
        if (numShards() > before) controller.abort();
      };
      const timer = setInterval(stopAtShard, 1);
      try {
        const { status } = await prepareCorpus({ ...stopped, signal: controller.signal });
        expect(status).toBe(stops > 0 ? 'continued' : 'prepared');
        finished = true;
      } catch (error) {
        expect((error as Error).name).toBe('AbortError');
        expect(existsSync(join(stopped.out, 'manifest.json'))).toBe(false);
        stops++;
      } finally {
        clearInterval(timer);
      }
    }
    expect(stops).toBeGreaterThan(1);
    expect(contents(stopped.out)).toEqual(expected);
  });

  it('in the middle of a line of the journal is survived; a damaged journal is named', async () => {
    const folder = input();
    const more = { heldOutFraction: 0.3, shardTokens: 100_000 };
    const whole = settings([folder], more);
    await prepareCorpus(whole);
    const stopped = settings([folder], more);
    const journal = join(stopped.out, 'progress.jsonl');
    const controller = new AbortController();
    const timer = setInterval(() => {
      if (existsSync(journal) && readFileSync(journal, 'utf8').split('\n').length > 3) controller.abort();
    }, 1);
    await expect(prepareCorpus({ ...stopped, signal: controller.signal })).rejects.toThrow(/abort/i);
    clearInterval(timer);
    const lines = readFileSync(journal, 'utf8').split('\n');
    writeFileSync(journal, lines.toSpliced(1, 1, '{"next":').join('\n'));
    await expect(prepareCorpus(stopped)).rejects.toThrow(/progress\.jsonl is damaged\. Delete the folder/);
    // The second segment is begun and not finished: its shards are there, and are written again.
    writeFileSync(journal, `${lines.slice(0, 2).join('\n')}\n${lines[2].slice(0, 40)}`);
    expect((await prepareCorpus(stopped)).status).toBe('continued');
    expect(contents(stopped.out)).toEqual(contents(whole.out));
  });

  it('by kill -9 is survived: the next runs continue to the same result', async () => {
    const folder = input();
    const more = { heldOutFraction: 0.3, shardTokens: 100_000 };
    const whole = settings([folder], more);
    await prepareCorpus(whole);
    const killed = settings([folder], more);
    const compiled = new URL('../../../dist/src/data/prepare/prepareCorpus.node.js', import.meta.url);
    const script = `import(${JSON.stringify(compiled.href)}).then((m) => m.prepareCorpus(${JSON.stringify(killed)}))`;
    for (let attempt = 0; attempt < 5; attempt++) {
      const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore' });
      const exited = new Promise((resolve) => child.once('exit', resolve));
      const timer = setTimeout(() => child.kill('SIGKILL'), 150 + 130 * attempt);
      await exited;
      clearTimeout(timer);
      const finals = existsSync(killed.out)
        ? readdirSync(killed.out).filter((name) => name.endsWith('.safetensors'))
        : [];
      for (const name of finals) {
        expect(readFileSync(join(killed.out, name)).equals(readFileSync(join(whole.out, name)))).toBe(true);
      }
    }
    await prepareCorpus(killed);
    expect(contents(killed.out)).toEqual(contents(whole.out));
  });
});
