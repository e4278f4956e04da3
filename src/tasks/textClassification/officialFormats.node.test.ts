/** Files in the forms that data sets of the field are published in, made up row by row: read as they are, without an option. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { readTable } from '../../data/tables/readTable.node.js';
import { labelledTexts } from './examples.js';
import { OFFICIAL_FORMATS } from './officialFormats.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'official-'));
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

async function examplesOf(name: string, content: string | Uint8Array, columns: Record<string, string> = {}) {
  const path = join(FOLDER, name);
  writeFileSync(path, content);
  const table = await readTable(path, { wanted: Object.values(columns), formats: OFFICIAL_FORMATS });
  return labelledTexts(table, columns).map(({ place, ...example }) => ({ ...example, line: place.split(':').at(-1) }));
}

describe('official files of classification', () => {
  it("are GLUE's CoLA, without a line of names", async () => {
    const text = 'gj04\t1\t\tThe "weights" sank.\ngj04\t0\t*\tOne more him.';
    const wanted = [
      { text: 'The "weights" sank.', label: '1', line: '1' },
      { text: 'One more him.', label: '0', line: '2' },
    ];
    expect(await examplesOf('cola.tsv', text)).toEqual(wanted);
    expect(await examplesOf('cola-by-number.tsv', text, { text: '3', label: '1' })).toEqual(wanted);
  });

  it("are GLUE's MRPC, with a byte order mark and quotes that are none", async () => {
    const text = '\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t7\t8\tHe called it " odd " .\t" It was odd .\n';
    expect(await examplesOf('mrpc.tsv', text)).toEqual([
      { text: 'He called it " odd " .', pair: '" It was odd .', label: '1', line: '2' },
    ]);
  });

  it("are GLUE's pairs of any task, and KorNLI and KorSTS", async () => {
    const pair = { text: 'a b', pair: 'c d', line: '2' };
    for (const [name, names, cells, label] of [
      ['rte', 'index\tsentence1\tsentence2\tlabel', '0\ta b\tc d\tentailment', 'entailment'],
      ['qnli', 'index\tquestion\tsentence\tlabel', '0\ta b\tc d\tnot_entailment', 'not_entailment'],
      ['qqp', 'id\tquestion1\tquestion2\tis_duplicate', '0\ta b\tc d\t1', '1'],
      ['stsb', 'index\tgenre\tsentence1\tsentence2\tscore', '0\tnews\ta b\tc d\t4.750', '4.750'],
      ['kornli', 'sentence1\tsentence2\tgold_label', 'a b\tc d\tneutral', 'neutral'],
      ['korsts', 'genre\tid\tscore\tsentence1\tsentence2', 'x\t1\t5.000\ta b\tc d', '5.000'],
    ]) {
      expect(await examplesOf(`${name}.tsv`, `${names}\n${cells}\n`), name).toEqual([{ ...pair, label }]);
    }
  });

  it("are NSMC's ratings, tables that are called .txt, gzipped or not", async () => {
    const text = 'id\tdocument\tlabel\n1\t굳 ㅋ\t1\n2\t"재미없다\t0\n';
    const wanted = [
      { text: '굳 ㅋ', label: '1', line: '2' },
      { text: '"재미없다', label: '0', line: '3' },
    ];
    expect(await examplesOf('ratings_test.txt', text)).toEqual(wanted);
    expect(await examplesOf('ratings_train.txt.gz', gzipSync(text))).toEqual(wanted);
    await expect(examplesOf('notes.txt', 'plain text\n')).rejects.toThrow('has no ending that says what it is');
    await expect(examplesOf('cut.txt', `${text}${'3\tx\t1\n'.repeat(60)}4\ta\tb\t1\n`)).rejects.toThrow(
      'cut.txt:64 has 4 columns, expected 3: id, document, label',
    );
  });

  it('have names with spaces, carriage returns and byte order marks around them', async () => {
    const wanted = [{ text: 'fine', label: 'good', line: '2' }];
    expect(await examplesOf('a.csv', '\ufeff text , label \r\nfine,good\r\n')).toEqual(wanted);
    expect(await examplesOf('b.tsv', 'sentence \tlabel\r\nfine\tgood\r\n')).toEqual(wanted);
    expect(await examplesOf('c.csv', '\ufeff"text","label\r"\nfine,good\n')).toMatchObject([
      { text: 'fine', label: 'good' },
    ]);
    expect(await examplesOf('d.txt', '\ufefftext\t label\r\nfine\tgood\r\n')).toEqual(wanted);
    expect(await examplesOf('e.jsonl', '\ufeff{"text": "fine", "label": "good"}\r\n')).toMatchObject([
      { text: 'fine', label: 'good' },
    ]);
  });
});
