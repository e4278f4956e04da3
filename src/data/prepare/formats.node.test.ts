/** The same texts in every format that a corpus is met in give the same documents. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, describe, expect, it } from 'vitest';
import { listInputs } from './inputs.node.js';
import { JsonRecordLines } from './jsonRecords.node.js';
import { readUnits } from './readUnits.node.js';
import { UnitTexts } from './sampleTexts.node.js';
import { wholeFiles } from './slices.node.js';
import { UNIT_BYTES } from './unitLimits.js';

const ROOT = mkdtempSync(join(tmpdir(), 'pleiad-formats-'));
afterAll(() => rmSync(ROOT, { recursive: true, force: true }));

/** The texts of the records of a file, by the way that `prepare` and `vocab` read it, and how many had none. */
async function read(
  name: string,
  content: string | Uint8Array,
  {
    field = 'text',
    encoding,
    invalidUtf8 = 'error',
  }: { field?: string; encoding?: string; invalidUtf8?: 'error' | 'replace' } = {},
) {
  const path = join(ROOT, name);
  writeFileSync(path, content);
  const { files } = await listInputs([path], [], { field, encoding });
  const texts: string[] = [];
  const reader = new UnitTexts((text) => texts.push(text), { field, invalidUtf8 });
  let without = 0;
  let replaced = 0;
  for await (const { unit } of readUnits(wholeFiles(files, { documentPer: 'blankLine' }), { field, invalidUtf8 })) {
    const counts = await reader.read(unit);
    without += counts.recordsWithoutText;
    replaced += counts.replacedCharacters;
  }
  return { texts, without, replaced, kind: files[0].kind };
}

const csvCell = (text: string) => (/[",;\t\r\n]|^\s|^$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const rawCell = (text: string) => text.replace(/[\t\r\n]/g, ' ');

type Writer = (texts: readonly string[]) => string;
const FORMATS: Readonly<Record<string, [name: string, write: Writer]>> = {
  'JSON Lines': ['a.jsonl', (texts) => texts.map((text) => JSON.stringify({ id: 1, text })).join('\n')],
  'JSON Lines with Windows line ends': [
    'a.ndjson',
    (texts) => texts.map((text) => `${JSON.stringify({ text })}\r\n`).join(''),
  ],
  'JSON Lines with marks': ['a.jsonl', (texts) => texts.map((text) => `\ufeff${JSON.stringify({ text })}\n`).join('')],
  'JSON Lines under .json': [
    'a.json',
    (texts) => texts.map((text) => `${JSON.stringify({ text, score: 1 })}\n`).join(''),
  ],
  'JSON Lines under an ending that nobody knows': [
    'a.dump',
    (texts) => texts.map((text) => `${JSON.stringify({ text })}\n`).join(''),
  ],
  'an array': ['a.json', (texts) => JSON.stringify(texts.map((text) => ({ text, list: [{ text: 'no' }, '}]'] })))],
  'an array over lines': [
    'a.json',
    (texts) =>
      `\ufeff${JSON.stringify(
        texts.map((text) => ({ text })),
        null,
        2,
      )}\n`,
  ],
  'an array under .jsonl': [
    'a.jsonl',
    (texts) =>
      JSON.stringify(
        texts.map((text) => ({ text })),
        null,
        1,
      ),
  ],
  'an array of texts': ['a.json', (texts) => JSON.stringify(texts)],
  'arrays one after another': ['a.json', (texts) => texts.map((text) => JSON.stringify([{ text }])).join('\n')],
  'records over lines': [
    'a.json',
    (texts) => texts.map((text) => JSON.stringify({ text, n: { m: [] } }, null, '\t')).join('\n'),
  ],
  'records over lines under .jsonl': [
    'a.jsonl',
    (texts) => texts.map((text) => JSON.stringify({ text }, null, 2)).join('\n'),
  ],
  'a list in an object': [
    'a.json',
    (texts) =>
      JSON.stringify({ version: '[{"text":1}]', more: { data: [] }, data: texts.map((text) => ({ text })), end: [1] }),
  ],
  'a list in an object over lines': [
    'a.json',
    (texts) => JSON.stringify({ 'd"ata': texts.map((text) => ({ text })), n: {} }, null, 2),
  ],
  CSV: ['a.csv', (texts) => ['id,text,n', ...texts.map((text, i) => `${i},${csvCell(text)},"x, y"`)].join('\n')],
  'CSV of Excel in Europe': [
    'a.csv',
    (texts) => `\ufeffsep=;\r\nid;text\r\n${texts.map((text, i) => `${i};${csvCell(text)}\r\n`).join('')}`,
  ],
  'CSV with semicolons': [
    'a.csv',
    (texts) => ['text;n', ...texts.map((text) => `"${text.replaceAll('"', '""')}";1,5`)].join('\r\n'),
  ],
  // With a tab in a cell of several lines too, nobody could tell it from a table without quoting.
  'TSV with quotes': ['a.tsv', (texts) => ['id\ttext', ...texts.map((text, i) => `${i}\t${csvCell(text)}`)].join('\n')],
};

/** Texts with what formats are made of in them. */
const text = fc
  .array(
    fc.constantFrom(
      'words',
      '한국',
      '"',
      '""',
      ',',
      ';',
      '\t',
      '{',
      '}',
      '[',
      ']',
      '\\',
      '\\n',
      ':',
      "'",
      '\n',
      ' ',
      '😀',
      '\ufffd',
      'NaN',
      '\u2028',
    ),
    {
      minLength: 1,
      maxLength: 12,
    },
  )
  .map((parts) => `a ${parts.join('')} z`);

describe('a corpus', () => {
  it.each(Object.entries(FORMATS))('as %s gives its texts alone', async (_, [name, write]) => {
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 5 }), async (any) => {
        const texts = name === 'a.tsv' ? any.map((each) => each.replaceAll('\t', ' ')) : any;
        const expected = { texts, without: 0 };
        expect(await read(name, write(texts))).toMatchObject(expected);
        expect(await read(`${name}.gz`, gzipSync(write(texts)))).toMatchObject(expected);
      }),
      { numRuns: 25 },
    );
  });

  it.each(Object.entries(FORMATS))('as %s of several units gives its texts alone', async (_, [name, write]) => {
    const texts = Array.from({ length: 3000 }, (_, i) => `a ${i} ${'"한국, 국" '.repeat(i % 40)}`.trimEnd());
    expect(Buffer.byteLength(write(texts))).toBeGreaterThan(2 * UNIT_BYTES);
    expect((await read(name, write(texts))).texts).toEqual(texts);
  });

  it('as TSV without quoting keeps quotes as they are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 5 }), async (texts) => {
        const raw = ['"At first', ...texts.map(rawCell), 'said "so", he'];
        const tsv = ['text\tn', ...raw.map((cell) => `${cell}\t1`)].join('\n');
        expect((await read('raw.tsv', tsv)).texts).toEqual(raw);
      }),
      { numRuns: 25 },
    );
  });

  it.each<[string, string, string | Uint8Array, { field?: string }?]>([
    ['JSON Lines', 'n.jsonl', '{"text":"a"}\n{"text":null}\n{"text":[]}\nnull\n{"text":NaN}\n{"text":"b"}'],
    ['an array', 'n.json', '[{"text":"a"},{"text":null},{"text":[null]},null,{"text":-Infinity},{"text":"b"}]'],
    ['CSV', 'n.csv', 'id,text\n1,a\n2,\n3,""\n4\n5,,\n6,b\n'.replace('5,,', '5,')],
    ['Parquet', 'n.parquet', parquetOf('text', ['a', null, null, null, null, 'b'])],
    [
      'a field inside another',
      'm.jsonl',
      '{"m":{"t":"a"}}\n{"m":{"t":null}}\n{"m":null}\n{"m":[]}\n{"m":[{"t":null}]}\n{"m":{"t":"b"}}',
      { field: 'm.t' },
    ],
  ])('leaves out and counts records without a text: %s', async (_, name, content, options) => {
    expect(await read(name, content, options)).toMatchObject({ texts: ['a', 'b'], without: 4 });
  });

  it.each<[string, string, string, string, string[]]>([
    ['a path', '{"meta":{"text":"a"}}', 'a.jsonl', 'meta.text', ['a']],
    ['a name with dots', '{"meta.text":"a","meta":{"text":"b"}}', 'a.jsonl', 'meta.text', ['a']],
    [
      'a path through lists',
      '{"data":[{"title":"t","paragraphs":[{"context":"a"},{"context":"b"}]}]}',
      'a.json',
      'paragraphs.context',
      ['a\nb'],
    ],
    ['a list of texts', '{"text":["a",null,"b"]}', 'a.jsonl', 'text', ['a\nb']],
    ['a column with spaces', '"#1 String"\tx\nab\tc\n', 'a.tsv', '#1 String', ['ab']],
  ])('gives the text of %s', async (_, content, name, field, texts) => {
    expect((await read(name, content, { field })).texts).toEqual(texts);
  });

  it('as tables that were put together has no names of columns among its texts', async () => {
    const [a, b] = ['id,text\n1,a\n2,b\n', '\ufeff"id","text"\n3,c\n'];
    expect((await read('both.csv', a + b + a)).texts).toEqual(['a', 'b', 'c', 'a', 'b']);
  });

  it('as a table of one column needs no quotes', async () => {
    expect((await read('one.csv', 'text\nhello, world; again\n"a ""b"", c"\n')).texts).toEqual([
      'hello, world; again',
      'a "b", c',
    ]);
  });

  it('as a list beside others is told by its field', async () => {
    const json = JSON.stringify({ authors: [{ name: 'n' }], documents: [{ text: 'a' }, { text: 'b' }] });
    expect((await read('beside.json', json)).texts).toEqual(['a', 'b']);
    expect((await read('beside.json', json, { field: 'name' })).texts).toEqual(['n']);
    const record = '{"body":"a","entities":[{"start":1}]}';
    await expect(read('one.jsonl', record)).rejects.toThrow('has no text in field "text"; it has body, entities.start');
  });

  it('has several columns as one document, a line each, in every format; those that a file has not are left out', async () => {
    const field = 'question,sentence1,sentence2';
    const rows = [
      { id: 1, sentence1: 'a, b', sentence2: 'c' },
      { id: 2, sentence1: '', sentence2: '다' },
    ];
    const expected = ['a, b\nc', '다'];
    const csv = 'id,sentence1,sentence2\n1,"a, b",c\n2,,다\n';
    const tsv = 'id\tsentence1\tsentence2\n1\ta, b\tc\n2\t\t다\n';
    const withNull = rows.map((row) => ({ ...row, sentence1: row.sentence1 || null }));
    const jsonl = withNull.map((row) => `${JSON.stringify(row)}\n`).join('');
    const columns = (['sentence1', 'sentence2'] as const).map((name) => ({
      name,
      data: withNull.map((row) => row[name]),
      type: 'STRING' as const,
      nullable: true,
    }));
    const parquet = new Uint8Array(parquetWriteBuffer({ columnData: columns }));
    const files = [
      ['pairs.csv', csv],
      ['pairs.tsv', tsv],
      ['pairs.jsonl', jsonl],
      ['pairs.json', JSON.stringify(withNull)],
      ['pairs.parquet', parquet],
    ] as const;
    for (const [name, content] of files) expect((await read(name, content, { field })).texts, name).toEqual(expected);
    await expect(read('pairs.csv', csv, { field: 'a,b' })).rejects.toThrow('has no column "a,b"; its first line reads');
    await expect(read('pairs.jsonl', jsonl, { field: 'a,b' })).rejects.toThrow('has no text in field "a,b"');
    // A name with a comma in it is one column.
    expect((await read('comma.tsv', 'a,b\tc\nx\ty\n', { field: 'a,b' })).texts).toEqual(['x']);
  });

  it('of SQuAD has contexts, and questions too where they are named', async () => {
    const paragraph = (context: string, ...questions: string[]) => ({
      context,
      qas: questions.map((question, i) => ({ id: String(i), question, answers: [{ text: 'x', answer_start: 0 }] })),
    });
    const data = [
      { title: 'A', paragraphs: [paragraph('one', 'q1?', 'q2?'), paragraph('two', 'q3?')] },
      { title: 'B', paragraphs: [paragraph('three', 'q4?')] },
    ];
    const squad = JSON.stringify({ version: '1.1', data });
    expect((await read('squad.json', squad, { field: 'paragraphs.context' })).texts).toEqual(['one\ntwo', 'three']);
    const both = await read('squad.json', squad, { field: 'text,paragraphs.context,paragraphs.qas.question' });
    expect(both.texts).toEqual(['one\ntwo\nq1?\nq2?\nq3?', 'three\nq4?']);
  });

  it('of Parquet gives lists and structs', async () => {
    const schema = [
      { name: 'root', num_children: 1 },
      { name: 'meta', repetition_type: 'OPTIONAL', num_children: 1 },
      { name: 'texts', repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST' },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      { name: 'element', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL', converted_type: 'UTF8' },
    ] as const;
    const data = [{ texts: ['a', 'b'] }, { texts: [] }, null, { texts: ['c'] }];
    const parquet = new Uint8Array(
      parquetWriteBuffer({ schema: schema as never, columnData: [{ name: 'meta', data }] }),
    );
    const found = await read('list.parquet', parquet, { field: 'meta.texts' });
    expect(found).toMatchObject({ texts: ['a\nb', 'c'], without: 2 });
    await expect(read('list.parquet', parquet)).rejects.toThrow('has no column "text"; it has meta.texts');
    await expect(read('list.parquet', parquet, { field: 'meta' })).rejects.toThrow(
      'row 0: has no text in field "meta": it holds an object with meta.texts',
    );
  });

  it.each<[string, string, string | Uint8Array, string]>([
    [
      'a table without the column',
      'e.csv',
      'id,body\n1,a\n',
      'e.csv has no column "text"; its first line reads: id, body. Name the column',
    ],
    ['a table without names of columns', 'e.tsv', 'the chef\tate\n', 'its first line reads: the chef, ate.'],
    [
      'a table with a cell too many',
      'e.csv',
      'text,n\na,1\na, b,1\n',
      'e.csv:3 has 3 columns, the first line names 2. Put text',
    ],
    ['a quote without an end', 'e.csv', 'text,n\n"a,1\nb,1\n', 'e.csv:3 cannot be read as a table: Quote Not Closed'],
    [
      'a table that is not UTF-8',
      'e.csv',
      Buffer.from('text\na\n\xe9t\xe9\n', 'latin1'),
      'e.csv:3 is not UTF-8 in column "text"',
    ],
    [
      'an array that has no end',
      'e.json',
      '[{"text":"a"},\n{"text":"b"}',
      'e.json ends before its list of records does (no ])',
    ],
    [
      'several lists',
      'e.json',
      '{"train":[{"text":"a"}],"test":[{"text":"b"}]}',
      'e.json has several lists of records: train, test',
    ],
    [
      'two kinds of bytes for one character',
      'e.json',
      Uint8Array.of(0x5b, 0, 0x31, 0, 0x5d, 0, 0x0a, 0, 0x20, 0),
      'e.json is not text: a zero byte at offset 1',
    ],
  ])('names %s', async (_, name, content, message) => {
    await expect(read(name, content)).rejects.toThrow(message);
  });

  it('with something replaced says how often', async () => {
    const invalidUtf8 = 'replace' as const;
    const latin1 = Buffer.from('text,n\n\xe9t\xe9,1\n\ufffd,2\n', 'latin1');
    expect(await read('r.csv', latin1, { invalidUtf8 })).toMatchObject({
      texts: ['\ufffdt\ufffd', '\ufffd'],
      replaced: 3,
    });
    const text = Buffer.concat([Buffer.from('a \ufffd b'), Buffer.of(0xff), Buffer.from(' c')]);
    expect(await read('r.txt', text, { invalidUtf8 })).toMatchObject({ texts: ['a \ufffd b\ufffd c'], replaced: 1 });
    const korean = Buffer.concat([Buffer.from([0xb0, 0xa1, 0x0a]), Buffer.of(0xff), Buffer.from(' a')]);
    expect(await read('k.txt', korean, { encoding: 'euc-kr', invalidUtf8 })).toMatchObject({
      texts: ['가\n\ufffd a'],
      replaced: 1,
    });
    await expect(read('k.txt', korean, { encoding: 'euc-kr' })).rejects.toThrow(
      'k.txt:2 has bytes that are no text in euc-kr',
    );
  });

  it('is read the same in whatever pieces it comes', () => {
    const json = '\ufeff{"a":"]","rows":[ {"text":"x\\"}]"} ,\n{"text":["y"]}, "z"],"b":[1]}\n{"rows":[{"n":1}]}';
    const bytes = new TextEncoder().encode(json);
    const whole = new JsonRecordLines('rows').push(bytes.slice());
    expect(whole.length).toBe(bytes.length);
    const lines = new TextDecoder()
      .decode(whole)
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
    expect(lines).toEqual(['{"text":"x\\"}]"}', '{"text":["y"]}', '"z"', '{"n":1}']);
    for (let at = 0; at <= bytes.length; at++) {
      const scanner = new JsonRecordLines('rows');
      const parts = [bytes.slice(0, at), bytes.slice(at)].map((part) => Buffer.from(scanner.push(part)));
      expect(Buffer.concat(parts).equals(Buffer.from(whole))).toBe(true);
      scanner.end('a.json');
    }
  });
});

describe('a folder', () => {
  it('passes over tables and JSON that have no such text, and reads those that have', async () => {
    const folder = mkdtempSync(join(ROOT, 'folder-'));
    const files: Record<string, string> = {
      'a.csv': 'text\na\n',
      'b.csv': 'body\nb\n',
      'c.json': '[{"text":"c"}]',
      'config.json': '{"hidden_size": 4, "layers": [{"n": 1}]}',
      'd.json': '{"text":"d"}',
      'e.json': 'not json',
      'f.txt': 'f',
    };
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    const listed = await listInputs([folder]);
    expect(listed.files.map(({ name }) => name)).toEqual(['a.csv', 'c.json', 'd.json', 'f.txt']);
    expect(listed.skipped.map(({ path, reason }) => `${path.slice(folder.length + 1)}: ${reason}`)).toEqual([
      'b.csv: no column "text"',
      'config.json: no text in field "text"',
      'e.json: no JSON records',
    ]);
  });

  it('with records under a plain ending is warned about', async () => {
    const folder = mkdtempSync(join(ROOT, 'folder-'));
    writeFileSync(join(folder, 'a.txt'), '{"text":"a"}\n{"text":"b"}\n');
    writeFileSync(join(folder, 'b.txt'), '{curly} words are no records\n');
    const { files, warnings } = await listInputs([folder]);
    expect(files.map(({ kind }) => kind)).toEqual(['text', 'text']);
    expect(warnings).toEqual([
      `${join(folder, 'a.txt')} begins as JSON Lines and is read as plain text; name it .jsonl to have the text of its records alone`,
    ]);
  });
});

function parquetOf(name: string, data: (string | null)[]): Uint8Array {
  return new Uint8Array(parquetWriteBuffer({ columnData: [{ name, data, type: 'STRING', nullable: true }] }));
}
