/** Rows with named columns from every kind of file, and what is said of those that cannot be read. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { readTable } from './readTable.node.js';
import { cellText, requireColumn, type TextFormat } from './table.js';
import { delimitedText, jsonLinesText } from './writeTable.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'tables-'));
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(FOLDER, name);
  writeFileSync(path, content);
  return path;
}
const valuesOf = async (path: string, wanted?: string[]) =>
  (await readTable(path, { wanted })).rows.map(({ values }) => values);

const ROWS = [
  { Review: 'a film, and "how"', Stars: '5' },
  { Review: 'two\nlines', Stars: '1' },
];

describe('a table', () => {
  it('is read from CSV with quotes, semicolons and a byte order mark', async () => {
    const path = file('a.csv', '\ufeffReview;Stars\r\n"a film, and ""how""";5\r\n"two\nlines";1\r\n');
    expect(await valuesOf(path)).toEqual(ROWS);
    const { columns, rows } = await readTable(path);
    expect(columns).toEqual(['Review', 'Stars']);
    expect(rows.map(({ place }) => place)).toEqual([`${path}:2`, `${path}:3`]);
  });

  it('is read from TSV without quoting, whose texts have quotes of their own', async () => {
    const path = file('b.tsv', 'sentence\tlabel\n"good , he said\t1\nno quote\t0\n');
    expect(await valuesOf(path)).toEqual([
      { sentence: '"good , he said', label: '1' },
      { sentence: 'no quote', label: '0' },
    ]);
  });

  it('without a line of names is read by numbers, from 0', async () => {
    const path = file('cola.tsv', "gj04\t1\t\tOur friends won't buy it.\ngj04\t0\t*\tOne more him.\n");
    const rows = await valuesOf(path, ['3', '1']);
    expect(rows).toEqual([
      { 0: 'gj04', 1: '1', 2: '', 3: "Our friends won't buy it." },
      { 0: 'gj04', 1: '0', 2: '*', 3: 'One more him.' },
    ]);
    expect(await valuesOf(path, ['text'])).toHaveLength(1); // its first line is taken for names
  });

  it('whose line of names has numbers is read by those names', async () => {
    expect(await valuesOf(file('years.csv', '2023,2024\na,b\n'), ['2024'])).toEqual([{ 2023: 'a', 2024: 'b' }]);
  });

  it.each([
    ['lines.jsonl', ROWS.map((row) => JSON.stringify(row)).join('\n')],
    ['array.json', JSON.stringify(ROWS, null, 2)],
    ['list.json', JSON.stringify({ version: '1', data: ROWS })],
  ])('is read from %s', async (name, content) => {
    expect(await valuesOf(file(name, content))).toEqual(ROWS);
  });

  it('of one line of JSON Lines is that row, also where it holds a list', async () => {
    const row = { text: 'x', entities: [{ text: 'y' }] };
    expect(await valuesOf(file('one.jsonl', `${JSON.stringify(row)}\n`))).toEqual([row]);
    expect(await valuesOf(file('one.json', JSON.stringify(row)))).toEqual([{ text: 'y' }]);
  });

  it('is read from Parquet', async () => {
    const [first] = await valuesOf('test/cases/jsonl-null-text/null.parquet').catch((error) => [error]);
    expect(Object.keys(first as object)).toContain('text');
  });

  it('is read packed with gzip, whatever its name', async () => {
    const content = gzipSync('Review,Stars\nx,5\n');
    for (const name of ['c.csv.gz', 'packed.csv']) {
      expect(await valuesOf(file(name, content))).toEqual([{ Review: 'x', Stars: '5' }]);
    }
  });

  it('is read by a format of a task, before its ending is believed', async () => {
    const format: TextFormat = {
      name: 'words',
      matches: (text, path) => text.startsWith('# words') && path.endsWith('.words'),
      parse: (text, source) => ({
        source,
        columns: ['text'],
        rows: text.split(' ').map((word, i) => ({ values: { text: word }, place: `${source}, word ${i}` })),
      }),
    };
    const path = file('a.words.gz', gzipSync('# words x'));
    const { rows } = await readTable(path, { formats: [format] });
    expect(rows.map(({ values }) => values.text)).toEqual(['#', 'words', 'x']);
    await expect(readTable(file('b.words', 'x'), { formats: [format] })).rejects.toThrow('has no ending that says');
    expect(await readTable(file('e.csv', 'a\n1\n'), { formats: [format] })).toMatchObject({ columns: ['a'] });
  });

  it('is written again as it was read', async () => {
    const path = file('again.csv', 'Review,Stars\n"a film, and ""how""",5\n"two\nlines",1\n');
    const table = await readTable(path);
    expect(delimitedText(table)).toBe('Review,Stars\n"a film, and ""how""",5\n"two\nlines",1\n');
    expect(await valuesOf(file('again.jsonl', jsonLinesText(table)))).toEqual(ROWS);
  });
});

describe('a table that cannot be read', () => {
  const refused = (path: string) => expect(readTable(path)).rejects;

  it('is told with file, line and what is there', async () => {
    const wide = file('wide.csv', 'a,b\n1,2\n1,2,3\n');
    await refused(wide).toThrow(`${wide}:3 has 3 columns, the first line names 2`);
    const open = file('open.csv', 'a,b\n"x,2\n');
    await refused(open).toThrow(/open\.csv:\d+ cannot be read as a table/);
    const json = file('bad.jsonl', '{"a": 1}\n{"a": }\n');
    await refused(json).toThrow(`${json}:2:7 is not JSON`);
    const list = file('lists.jsonl', '{"a": 1}\n[1, 2]\n');
    await refused(list).toThrow(`${list}:2 is no object with named fields`);
    await refused(file('none.csv', 'a,b\n')).toThrow('has no rows');
    await refused(file('x.parquet', 'no parquet')).toThrow('is not a complete Parquet file');
    await refused(file('cut.csv.gz', gzipSync('a,b\n1,2\n').subarray(0, 20))).toThrow('damaged or incomplete gzip');
    await refused(file('utf16.csv', Buffer.from('\ufeffa,b\n1,2\n', 'utf16le'))).toThrow('is not UTF-8 text');
    await refused(join(FOLDER, 'missing.csv')).toThrow('does not exist');
    await refused(FOLDER).toThrow('has no ending that says what it is');
    await refused(file('notes.docx', 'x')).toThrow('has no ending that says what it is');
  });

  it('names the columns that there are, and the nearest', async () => {
    const table = await readTable(file('d.csv', 'id,Review,Stars,id\n1,x,5,2\n'));
    expect(() => requireColumn(table, 'Reviews', 'text')).toThrow(
      'has no column "Reviews"; did you mean "Review"? (it has id, Review, Stars, id)',
    );
    expect(() => requireColumn(table, 'id', 'text')).toThrow('names column "id" 2 times');
  });

  it('has cells that are text or numbers', () => {
    const row = { place: 'x.jsonl:1', values: { a: 1, b: true, c: null, d: [1], e: 5n } };
    expect(['a', 'b', 'c', 'e', 'f'].map((name) => cellText(row, name))).toEqual([
      '1',
      'true',
      undefined,
      '5',
      undefined,
    ]);
    expect(() => cellText(row, 'd')).toThrow('x.jsonl:1 has a list in column "d"');
  });
});
