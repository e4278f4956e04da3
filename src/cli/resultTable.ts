/** Results of many inputs as a table on standard output: JSON Lines, CSV or TSV. */
import { tableFormat } from '../data/tables/readTable.node.js';
import type { Table } from '../data/tables/table.js';
import { delimitedText, jsonLinesText } from '../data/tables/writeTable.js';
import type { OptionDefinition } from './command.js';
import { Output } from './output.js';

export const RESULT_FORMATS = ['jsonl', 'csv', 'tsv'] as const;
export type ResultFormat = (typeof RESULT_FORMATS)[number];

export const FORMAT_OPTION: OptionDefinition = {
  flags: '--format <name>',
  description:
    'how results are written: jsonl, csv or tsv. Default: of a table its own format, else as shown to people.',
  choices: RESULT_FORMATS,
};

/** The format of a table's file; of Parquet, which is no text, CSV. */
export function formatOfTable(path: string): ResultFormat {
  const format = tableFormat(path);
  if (format === 'json') return 'jsonl';
  return format === 'tsv' ? 'tsv' : 'csv';
}

export function resultText(table: Table, format: ResultFormat): string {
  return format === 'jsonl' ? jsonLinesText(table) : delimitedText(table, format === 'tsv' ? '\t' : ',');
}

/**
 * A table with further columns. One whose name is taken becomes `predicted_name`.
 * @param values  of each row, by the names in `added`
 */
export function withColumns(
  table: Table,
  added: readonly string[],
  values: readonly Readonly<Record<string, unknown>>[],
): Table {
  const names = added.map((name) => freeName(name, table.columns));
  const rows = table.rows.map((row, i) => ({
    ...row,
    values: { ...row.values, ...Object.fromEntries(added.map((name, j) => [names[j], values[i][name]])) },
  }));
  return { ...table, columns: [...table.columns, ...names], rows };
}

function freeName(name: string, columns: readonly string[]): string {
  if (!columns.includes(name)) return name;
  const predicted = `predicted_${name}`;
  let free = predicted;
  for (let number = 2; columns.includes(free); number++) free = `${predicted}_${number}`;
  return free;
}

/** Rows of one column, for texts that came as lines. */
export function tableOfTexts(column: string, texts: readonly string[], source: string): Table {
  const rows = texts.map((text, i) => ({ values: { [column]: text }, place: `${source}:${i + 1}` }));
  return { source, columns: [column], rows };
}

/** Where progress of work goes whose result is data on standard output: to standard error. */
export function progressBeside(): Output {
  return new Output({ json: true });
}
