/** Tables as they came in with columns added: what a command found out about each row. */
import { existsSync } from 'node:fs';
import { tableFormat } from '../data/tables/readTable.node.js';
import type { Table } from '../data/tables/table.js';
import { delimitedText, jsonLinesText } from '../data/tables/writeTable.js';
import type { OptionValues } from './command.js';
import { grouped } from './numbers.js';
import { Output } from './output.js';

/** Whether a command's words are the name of a table. */
export function isTableFile(words: readonly string[], { text }: OptionValues): boolean {
  return words.length === 1 && text === undefined && existsSync(words[0]) && tableFormat(words[0]) !== undefined;
}

/**
 * The table with further columns. Beside a column of the name, such as the true labels, the added one is `predicted_label`.
 * @param cells  by column; of each row its value
 */
export function withColumns(table: Table, cells: Readonly<Record<string, readonly unknown[]>>): Table {
  const added = Object.entries(cells).map(([name, values]) => ({ name: freeName(name, table.columns), values }));
  return {
    ...table,
    columns: [...table.columns, ...added.map(({ name }) => name)],
    rows: table.rows.map((row, i) => ({
      ...row,
      values: { ...row.values, ...Object.fromEntries(added.map(({ name, values }) => [name, values[i]])) },
    })),
  };
}

function freeName(name: string, columns: readonly string[]): string {
  if (!columns.includes(name)) return name;
  const predicted = `predicted_${name}`;
  let free = predicted;
  for (let number = 2; columns.includes(free); number++) free = `${predicted}_${number}`;
  return free;
}

/** In the format that it came in; of Parquet, which is no text, as CSV. */
export function tableText(path: string, table: Table): string {
  const format = tableFormat(path);
  if (format === 'json') return jsonLinesText(table);
  return delimitedText(table, format === 'tsv' ? '\t' : ',');
}

/** Inputs that run together, between two words of progress. */
const PART = 256;

/** Runs many inputs part by part; a person at the terminal sees how far it is, on standard error: the results may go to a file. */
export async function inParts<I, O>(
  inputs: readonly I[],
  run: (inputs: readonly I[]) => Promise<readonly O[]>,
  what = 'rows',
): Promise<O[]> {
  const progress = new Output({ json: true });
  const results: O[] = [];
  for (let from = 0; from < inputs.length; from += PART) {
    results.push(...(await run(inputs.slice(from, from + PART))));
    if (inputs.length > PART) progress.status(`${grouped(results.length)} of ${grouped(inputs.length)} ${what}`);
  }
  progress.endStatus();
  return results;
}
