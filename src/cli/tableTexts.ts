/** One text a row of a table, for commands that take a text or a table of them. */
import { existsSync } from 'node:fs';
import { readTable, tableFormat } from '../data/tables/readTable.node.js';
import { cellText, describeColumns, requireColumn, type Table } from '../data/tables/table.js';
import { DataError } from '../errors/errors.js';
import { columnsOf } from './columnsOption.js';
import type { OptionValues } from './command.js';

/** Whether the only word is the name of a table that is there. */
export function isNameOfTable(words: readonly string[], { text }: OptionValues): boolean {
  return words.length === 1 && text === undefined && existsSync(words[0]) && tableFormat(words[0]) !== undefined;
}

/** Columns that are looked for where none is named. */
const KNOWN_TEXTS = ['text', 'sentence', 'title', 'question'];

/** @throws DataError when the column is not there */
export async function textsOfTable(
  path: string,
  { columns }: OptionValues,
): Promise<{ table: Table; texts: string[] }> {
  const given = columnsOf(columns, ['text']);
  const table = await readTable(path, { wanted: Object.values(given) });
  const only = table.columns.length === 1 ? table.columns[0] : undefined;
  const column = given.text ?? KNOWN_TEXTS.find((name) => table.columns.includes(name)) ?? only;
  if (column === undefined) {
    throw new DataError(`${path} has no column called text ${describeColumns(table.columns)}`, {
      subject: path,
      found: table.columns,
      expected: 'a column of texts',
      advice: `Say which it is: --columns text=${table.columns[0] ?? 'NAME'}`,
    });
  }
  requireColumn(table, column, 'text');
  return { table, texts: table.rows.map((row) => cellText(row, column) ?? '') };
}
