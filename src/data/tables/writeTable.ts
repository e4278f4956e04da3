/** Rows as text again: what was read, with what was found out about it. */
import type { Table } from './table.js';

/** CSV or TSV by RFC 4180, with a line of names; a cell is quoted where it must be. */
export function delimitedText({ columns, rows }: Table, delimiter = ','): string {
  const cell = (value: unknown) => {
    const text =
      value === undefined || value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);
    const needsQuotes = text.includes(delimiter) || /["\r\n]/.test(text);
    return needsQuotes ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const line = (cells: readonly unknown[]) => `${cells.map(cell).join(delimiter)}\n`;
  return line(columns) + rows.map(({ values }) => line(columns.map((name) => values[name]))).join('');
}

/** JSON Lines, an object a row. */
export function jsonLinesText({ rows }: Table): string {
  return rows.map(({ values }) => `${JSON.stringify(values, bigintsAsNumbers)}\n`).join('');
}

const bigintsAsNumbers = (_: string, value: unknown) => (typeof value === 'bigint' ? Number(value) : value);
