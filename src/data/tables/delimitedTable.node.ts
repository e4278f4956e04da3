/** CSV and TSV whose text is in memory, with a line of names or without. */
import { parserOptions, rowError, type TableEnding, tableLayout, tooManyCells } from '../prepare/csvRecords.node.js';
import type { Table, TableRow } from './table.js';

interface ParsedRow {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

/**
 * Reads a table. When all that is wanted is numbers, and the first line does not name all of them, there is no line of
 * names, as in GLUE's CoLA, and columns are numbered from 0, as pandas numbers them.
 * @throws DataError naming file and line for a row that cannot be read
 */
export async function delimitedTable(
  text: string,
  source: string,
  ending: TableEnding,
  wanted: readonly string[] = [],
): Promise<Table> {
  const { parse } = await import('csv-parse/sync');
  const { layout, columns: first } = await tableLayout(text, ending, ...wanted);
  const parsed = (() => {
    try {
      const options = { ...parserOptions(layout), from_line: layout.headerLine, info: true };
      return parse(text.replace(/^\ufeff/, ''), options) as unknown as ParsedRow[];
    } catch (error) {
      throw rowError(error, source);
    }
  })();
  const areNumbers = wanted.length > 0 && wanted.every((name) => /^\d+$/.test(name));
  // A first row may have one of the numbers in a cell, such as the label.
  const isNumbered = areNumbers && !wanted.every((name) => first.includes(name));
  const columns = isNumbered ? numbersUpTo(parsed) : first;
  const rows: TableRow[] = [];
  let line = layout.headerLine;
  for (const [index, { record, info }] of parsed.entries()) {
    const begins = line;
    line = info.lines + 1;
    if (index === 0 && !isNumbered) continue;
    // With one column there is nothing to separate.
    const cells = columns.length === 1 ? [record.join(layout.delimiter)] : record;
    if (cells.length > columns.length) throw tooManyCells(source, begins, cells.length, columns.length);
    const values: Record<string, string> = {};
    for (const [i, name] of columns.entries()) if (cells[i] !== undefined) values[name] ??= cells[i];
    rows.push({ values, place: `${source}:${begins}` });
  }
  return { source, columns, rows };
}

function numbersUpTo(rows: readonly ParsedRow[]): string[] {
  const length = rows.reduce((most, { record }) => Math.max(most, record.length), 0);
  return Array.from({ length }, (_, column) => String(column));
}
