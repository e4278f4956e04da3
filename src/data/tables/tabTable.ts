/** Tables with tabs and without quoting, whose text is in memory: what most data sets of the field are, whatever they are called. */
import { DataError } from '../../errors/errors.js';
import type { Table, TableRow } from './table.js';

/**
 * Reads a table. A quote is a character like any other.
 * @param names  of the columns, where the text has no line of them
 * @throws DataError naming the line that has more cells than there are columns
 */
export function tabTable(text: string, source: string, names?: readonly string[]): Table {
  const lines = linesOf(text);
  const columns = names ?? cellsOf(lines[0]).map((name) => name.trim());
  const rows: TableRow[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '' || (index === 0 && !names)) continue;
    const cells = cellsOf(line);
    const place = `${source}:${index + 1}`;
    if (cells.length > columns.length) {
      throw new DataError(`${place} has ${cells.length} columns, expected ${columns.length}: ${columns.join(', ')}`, {
        subject: place,
        found: cells.length,
        expected: `${columns.length} columns`,
        advice: 'Take the tab out of the text',
      });
    }
    rows.push({ values: Object.fromEntries(cells.map((cell, column) => [columns[column], cell])), place });
  }
  return { source, columns, rows };
}

/** The first lines of a text that has a table's, cell by cell; empty lines left out. */
export function firstRows(text: string, count: number): string[][] {
  const rows: string[][] = [];
  // Long enough for so many rows of any data set, and far less than a whole file.
  const head = linesOf(text.slice(0, count * 4096));
  if (text.length > count * 4096) head.pop();
  for (const line of head) {
    if (rows.length === count) break;
    if (line.trim() !== '') rows.push(cellsOf(line));
  }
  return rows;
}

const linesOf = (text: string) => text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/);
const cellsOf = (line: string) => line.split('\t');
