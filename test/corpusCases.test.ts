/** What a corpus looks like in the wild: each case of test/cases on the command line, as its README says. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openShards, readManifest } from '../src/data/shards.node.js';
import { WordPieceTokenizer } from '../src/text/tokenizer.js';
import { saveTokenizer } from '../src/text/tokenizer.node.js';

const MAIN = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const CASES = fileURLToPath(new URL('./cases/', import.meta.url));
const ROOT = mkdtempSync(join(tmpdir(), 'pleiad-corpus-'));
const at = (...names: string[]) => join(ROOT, ...names);
afterAll(() => rmSync(ROOT, { recursive: true, force: true }));

const SENTENCES = [
  'The cook ate the meal in the old house by the river.',
  'We went home in a new boat, and the dog sat on the mat.',
  'He saw a tree and a cat; the cat saw him and went up the tree.',
];
const words = [
  ...new Set(
    SENTENCES.join(' ')
      .toLowerCase()
      .match(/\w+|[.,;]/g),
  ),
];
const tokenizer = WordPieceTokenizer.fromVocabulary([
  '[PAD]',
  '[UNK]',
  '[CLS]',
  '[SEP]',
  '[MASK]',
  ...words,
  'some',
  'words',
]);
beforeAll(() => saveTokenizer(tokenizer, at('vocab')));

interface Ran {
  readonly code: number;
  readonly stderr: string;
  // biome-ignore lint/suspicious/noExplicitAny: what a command prints
  readonly json: any;
}

function pleiad(...args: string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args, '--json'], { cwd: ROOT }, (error, stdout, stderr) => {
      const last = stdout.trimEnd().split('\n').at(-1) ?? '';
      resolve({
        code: error ? Number(error.code) : 0,
        stderr,
        json: last.startsWith('{') ? JSON.parse(last) : undefined,
      });
    });
  });
}

let folders = 0;
async function prepare(input: string, ...more: string[]): Promise<Ran & { out: string; documents: string[] }> {
  const out = more.includes('--out') ? more[more.indexOf('--out') + 1] : at(`shards-${folders++}`);
  const tokenizerFlags = more.includes('--tokenizer') ? [] : ['--tokenizer', at('vocab')];
  const ran = await pleiad(
    'prepare',
    input,
    '--out',
    out,
    '--held-out-fraction',
    '0',
    '--workers',
    '1',
    ...tokenizerFlags,
    ...more,
  );
  return { ...ran, out, documents: existsSync(join(out, 'manifest.json')) ? await documentsOf(out) : [] };
}

async function documentsOf(folder: string): Promise<string[]> {
  const { train, close } = await openShards(folder);
  const documents = Array.from({ length: train.numDocuments }, (_, i) => {
    const [start, end] = [train.documentOffsets[i], train.documentOffsets[i + 1]];
    const ids = new Int32Array(end - start);
    train.read(start, end, ids, new Uint8Array(end - start), 0);
    return tokenizer.decode(ids, { skipSpecialTokens: false });
  });
  close();
  return documents;
}

const plain = (text: string) => tokenizer.decode(tokenizer.encodeIds(text));
const THREE = SENTENCES.map(plain);

describe('links-in-a-corpus-folder', () => {
  it('are skipped and named where they lead to nothing or back; the texts are read once', async () => {
    for (const name of ['a', 'b']) {
      mkdirSync(at(name));
      writeFileSync(at(name, 'one.txt'), 'some words');
    }
    symlinkSync('gone.txt', at('a', 'dead.txt'));
    symlinkSync('.', at('b', 'self'));
    const a = await prepare('a');
    expect(a).toMatchObject({
      code: 0,
      documents: ['some words'],
      json: { skipped: [{ path: 'a/dead.txt', reason: 'a link to nothing' }] },
    });
    const b = await prepare('b');
    expect(b).toMatchObject({
      code: 0,
      documents: ['some words'],
      json: { skipped: [{ path: 'b/self', reason: 'a link to a folder that holds it' }] },
    });
    for (const name of ['a', 'b']) {
      const vocab = await pleiad('vocab', name, '--out', at(`vocab-of-${name}`), '--size', '40');
      expect(vocab).toMatchObject({ code: 0, json: { distinctWords: 2, textBytes: 10 } });
      expect(vocab.json.skipped).toHaveLength(1);
    }
  });
});

describe('records', () => {
  it.each<[string, string, number, number]>([
    ['jsonl-named-json', 'export.json', 3, 0],
    ['jsonl-named-json', 'array.json', 3, 0],
    ['jsonl-bom-in-the-middle', 'two-files-put-together.jsonl', 6, 0],
    ['jsonl-null-text', 'null.jsonl', 6, 1],
    ['jsonl-null-text', 'null.parquet', 3, 1],
    ['jsonl-nan', 'nan.jsonl', 2, 0],
    ['wide-blank-lines', 'wide-blank.txt', 3, 0],
    ['wide-blank-lines', 'nbsp-blank.txt', 3, 0],
  ])('%s: %s gives %i documents, the texts alone', async (name, file, documents, recordsWithoutText) => {
    const ran = await prepare(join(CASES, name, file));
    expect(ran.stderr).not.toContain('unexpected');
    expect(ran).toMatchObject({ code: 0, json: { train: { documents }, recordsWithoutText } });
    const { length } = ran.documents;
    expect(ran.documents.toSorted()).toEqual(Array.from({ length }, (_, i) => THREE[i % 3]).toSorted());
    if (recordsWithoutText > 0) expect(ran.stderr).toContain('left out 1 record without a text in "text"');
    const vocab = await pleiad('vocab', join(CASES, name, file), '--out', at(`vocab-${folders}`), '--size', '200');
    expect(vocab).toMatchObject({ code: 0, json: { recordsWithoutText } });
    expect(vocab.json.distinctWords).toBeLessThanOrEqual(words.length);
  });

  it('parquet-nested-text: the columns are named as they are asked for, and read', async () => {
    const file = join(CASES, 'parquet-nested-text', 'nested.parquet');
    const without = await prepare(file);
    expect(without.code).toBe(1);
    expect(without.json.error.message).toBe(
      `${file} has no column "text"; it has id, meta.text. Name the column that holds the text (--field)`,
    );
    const ran = await prepare(file, '--field', 'meta.text');
    expect(ran).toMatchObject({ code: 0, documents: THREE });
  });

  it('that cannot be read are named by file, line, place and reason', async () => {
    writeFileSync(at('bad.jsonl'), `{"text": "a"}\n\ufeff{"text": "${'b'.repeat(90)}", "n": nan}\n`);
    const { code, json } = await prepare('bad.jsonl');
    expect(code).toBe(1);
    expect(json.error.message).toBe(
      'bad.jsonl:2:109 is not JSON: expected a value, found nan in …bbbbbbbbbbbbbbbbbbbb", "n": nan}. Mend the line'.replace(
        '…bbbbbbbbbbbbbbbbbbbb',
        `…${'b'.repeat(22)}`,
      ),
    );
    writeFileSync(at('bad.json'), '[\n {"text": "é"},\n {"text":\n  "b" "c"}\n]');
    expect((await prepare('bad.json')).json.error.message).toContain(
      'bad.json:4:7 is not JSON: expected a comma or }, found "',
    );
    writeFileSync(at('number.json.gz'), gzipSync('[\n{"text": "a"},\n\n  {"text": 3}]'));
    expect((await prepare('number.json.gz')).json.error.message).toContain(
      'number.json.gz:4 has no text in field "text": it holds a number',
    );
  });
});

describe('text-that-the-vocabulary-does-not-know', () => {
  it('is warned about with the share and the likely cause', async () => {
    const folder = join(CASES, 'text-that-the-vocabulary-does-not-know');
    const { json, stderr, code } = await prepare(join(folder, 'korean.txt'), '--tokenizer', folder);
    expect(code).toBe(0);
    const warning =
      '12 of 15 tokens are [UNK] (80 %): they are mostly in Hangul script, of which the vocabulary has nothing; it is of another language. Use a vocabulary that was made of such text, or make one with `pleiad vocab`';
    expect(json.warnings).toContain(warning);
    expect(stderr).toContain(`warning: ${warning}\n`);
  });
});

describe('a remedy', () => {
  it.each<[string, string | Uint8Array, string[], (() => void)?]>([
    ['another field', '{"body":"the cat"}\n', ['--field', 'body']],
    ['replacing bytes', '{"text":"the cat \xff"}\n', ['--invalid-utf8', 'replace']],
    ['an encoding', '{"text":"the cat \xff"}\n', ['--encoding', 'latin1']],
    ['a mended line', '{"text":"the cat"\n', []],
    ['another fraction', '{"text":3}\n', ['--held-out-fraction', '0.5']],
  ])('is not in the way of itself: %s', async (remedy, content, flags) => {
    const file = at('remedy.jsonl');
    const out = at(`remedy-${folders++}`);
    writeFileSync(file, Buffer.from(content as string, 'latin1'));
    expect((await prepare(file, '--out', out)).code).toBe(1);
    if (remedy === 'a mended line' || remedy === 'another fraction') writeFileSync(file, '{"text":"the cat"}\n');
    expect(await prepare(file, '--out', out, ...flags)).toMatchObject({ code: 0, json: { status: 'prepared' } });
  });

  it('begins anew where shards were finished before the line that is wrong; an interrupted run is protected', async () => {
    const record = (i: number) => `{"text":"the cat saw the tree ${'and the dog '.repeat(i % 5)}"}\n`;
    const good = Array.from({ length: 9000 }, (_, i) => record(i)).join('');
    const out = at('failed-late');
    writeFileSync(at('late.jsonl'), `${good}{"text" 1}\n`);
    const flags = ['--out', out, '--shard-tokens', '20000'];
    expect((await prepare('late.jsonl', ...flags)).code).toBe(1);
    expect(existsSync(join(out, 'train-00000.safetensors'))).toBe(true);
    writeFileSync(at('late.jsonl'), `${good}{"text": "a cat"}\n`);
    expect(await prepare('late.jsonl', ...flags)).toMatchObject({
      code: 0,
      json: { status: 'prepared', train: { documents: 9001 } },
    });
    // A finished folder is protected as before.
    const refused = await prepare('late.jsonl', ...flags, '--field', 'body');
    expect(refused.json.error.message).toContain('was prepared otherwise: --field was text and is now body');
  });

  it('is offered for text in another encoding, which is then read', async () => {
    const korean = Buffer.from(
      'b3b0c0ba20c1fdbfa1bcad20bdc4bbe7b8a620c7dfb4d92e0a0abfecb8aeb4c220bbf520b9e8b8a620c5b8b0ed20c1fdbfa120b0acb4d92e0a',
      'hex',
    );
    writeFileSync(at('cp949.txt'), korean);
    const failed = await prepare('cp949.txt');
    expect(failed.json.error.message).toBe(
      'cp949.txt is not UTF-8 at byte offset 0; it looks like EUC-KR. Give --encoding euc-kr, or convert it: iconv -f CP949 -t UTF-8 cp949.txt > cp949.utf8.txt',
    );
    const out = failed.out;
    const ran = await prepare('cp949.txt', '--encoding', 'cp949', '--out', out);
    expect(ran).toMatchObject({
      code: 0,
      json: { status: 'prepared', train: { documents: 2 }, replacedCharacters: 0 },
    });
    expect(readManifest(out).identity.encoding).toBe('euc-kr');
    const vocab = await pleiad('vocab', 'cp949.txt', '--encoding', 'euc-kr', '--out', at('vocab-ko'), '--size', '60');
    expect(vocab.code).toBe(0);
    expect(readFileSync(at('vocab-ko', 'vocab.txt'), 'utf8')).toContain('\n집\n');
    const replaced = await prepare('cp949.txt', '--invalid-utf8', 'replace');
    const places = new TextDecoder().decode(korean).match(/\ufffd/g)!.length;
    expect(replaced.json.replacedCharacters).toBe(places);
    expect(replaced.stderr).toContain(`put U+FFFD in ${places} places that could not be read`);
    expect((await prepare('cp949.txt', '--encoding', 'klingon')).json.error.message).toContain(
      '--encoding is "klingon"; expected a label',
    );
  });

  it('is named where --out is a file, and where it holds a vocabulary already', async () => {
    writeFileSync(at('FILE'), 'x');
    for (const args of [['a'], ['--merge']]) {
      const flags = args[0] === '--merge' ? [] : ['--tokenizer', at('vocab')];
      const ran = await pleiad('prepare', ...args, ...flags, '--out', 'FILE');
      expect([ran.code, ran.json.error.message]).toEqual([
        2,
        'the folder for the shards is FILE, which is a file; expected a folder, new or begun before',
      ]);
    }
    expect((await pleiad('vocab', 'a', '--out', 'FILE')).code).toBe(2);
    const before = readFileSync(at('vocab', 'vocab.txt'), 'utf8');
    const refused = await pleiad('vocab', 'a', '--out', 'vocab', '--size', '40');
    expect([refused.code, refused.json.error.message]).toEqual([
      2,
      '--out vocab holds a vocabulary already (tokenizer.json, vocab.txt, tokenizer_config.json); give another folder, or --overwrite to replace it',
    ]);
    expect(readFileSync(at('vocab', 'vocab.txt'), 'utf8')).toBe(before);
    mkdirSync(at('old'));
    writeFileSync(at('old', 'vocab.txt'), 'old');
    expect((await pleiad('vocab', 'a', '--out', 'old', '--size', '40', '--overwrite')).code).toBe(0);
    expect(readFileSync(at('old', 'vocab.txt'), 'utf8')).toContain('[MASK]');
  });
});

describe('--file', () => {
  it('reads gzip whatever its name, and says what a file is that is no text', async () => {
    writeFileSync(at('book.txt.gz'), gzipSync('\ufeffthe cat saw the tree'));
    writeFileSync(at('book.txt'), gzipSync('the cat saw the tree'));
    for (const name of ['book.txt.gz', 'book.txt']) {
      const ran = await pleiad('mask', '--file', name, '--tokenizer', at('vocab'));
      expect([ran.code, ran.json?.tokens]).toEqual([0, ['[CLS]', 'the', 'cat', 'saw', 'the', 'tree', '[SEP]']]);
    }
    writeFileSync(at('wide.txt'), Buffer.from('\ufeffthe cat', 'utf16le'));
    expect((await pleiad('mask', '--file', 'wide.txt')).json.error.message).toContain(
      '--file wide.txt is not UTF-8 text; it looks like UTF-16LE. Convert it: iconv',
    );
    expect((await pleiad('mask', '--file', 'no.txt')).json.error.message).toContain('--file no.txt does not exist');
    expect((await pleiad('mask', '--file', 'a')).json.error.message).toContain('--file a is a folder');
  });
});
