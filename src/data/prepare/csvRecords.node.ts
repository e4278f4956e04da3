/** Tables of text: CSV and TSV, with the names of columns on the first line, as JSON Lines. */

import { isUtf8 } from 'node:buffer';
import { pipeline, Readable } from 'node:stream';
import type { Options } from 'csv-parse';
import { DataError } from '../../errors/errors.js';
import { namedFields } from './recordText.js';
import { NOT_UTF8_ADVICE } from './tokenizeUnit.js';
import { MAX_JSON_LINE_BYTES } from './unitLimits.js';

/** What separates columns, by what an ending promises: Excel writes semicolons where the comma is for decimals. */
const DELIMITERS: Readonly<Record<'csv' | 'tsv', readonly string[]>> = {
  csv: [',', ';', '\t', '|'],
  tsv: ['\t', ',', ';'],
};
export type TableEnding = keyof typeof DELIMITERS;

/** How a table is laid out. */
export interface TableLayout {
  readonly delimiter: string;
  /** Line of the names of columns, from 1: Excel may put `sep=;` before it. */
  readonly headerLine: number;
  /** Whether double quotes stand around cells. */
  readonly hasQuotes: boolean;
}

const SEPARATOR_LINE = /^\ufeff?sep=(.)\r?\n/i;

/**
 * Looks at the first line of a table: the delimiter is the one that gives a wanted column, else the one that gives most.
 * @param head    whole lines of the beginning of the table's text
 * @param wanted  names of columns
 */
export async function tableLayout(
  head: string,
  ending: TableEnding,
  ...wanted: readonly string[]
): Promise<{ layout: TableLayout; columns: string[] }> {
  const { parse } = await import('csv-parse/sync');
  const [line, said] = SEPARATOR_LINE.exec(head) ?? ['', undefined];
  const headerLine = line === '' ? 1 : 2;
  const text = head.slice(line.length).replace(/^\ufeff/, '');
  const isQuoted = hasQuotes(text);
  const found = (said === undefined ? DELIMITERS[ending] : [said]).map((delimiter) => {
    const layout = { delimiter, headerLine, hasQuotes: delimiter !== '\t' || isQuoted };
    const [columns = []] = parse(text, { ...parserOptions(layout), to: 1 }) as string[][];
    return { layout, columns: columns.map((name) => name.trim()) };
  });
  const withColumn = found.find(({ columns }) => wanted.some((column) => columns.includes(column)));
  return withColumn ?? found.reduce((a, b) => (b.columns.length > a.columns.length ? b : a));
}

/** A cell as CSV writes it: every quote in it is doubled. */
const QUOTED_CELL = /^"(?:[^"]|"")*"$/;

/**
 * Whether quotes stand around cells of a table with tabs. Excel and pandas write such; GLUE, KorSTS and most others of the
 * field have no quoting, and texts that begin with a quote of their own. Those have as many tabs in every line and cells
 * that no writer of CSV would have written so.
 */
function hasQuotes(text: string): boolean {
  const lines = text.split(/\r?\n/);
  const columns = lines[0].split('\t').length;
  let hasOther = false;
  for (const line of lines) {
    if (line === '') continue;
    const cells = line.split('\t');
    if (cells.length !== columns) return true;
    hasOther ||= cells.some((cell) => cell.startsWith('"') && !QUOTED_CELL.test(cell));
  }
  return !hasOther;
}

/** How the parser reads a table of a layout. */
export function parserOptions({ delimiter, hasQuotes }: Pick<TableLayout, 'delimiter' | 'hasQuotes'>) {
  return {
    delimiter,
    quote: hasQuotes ? '"' : null,
    record_delimiter: ['\r\n', '\n', '\r'],
    // A quote inside a field that does not begin with one is a character like any other.
    relax_quotes: true,
    // Left-out columns at the end of a row are empty; more than there are names mean that the row was cut wrongly.
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: MAX_JSON_LINE_BYTES,
  } satisfies Options;
}

/**
 * The column of a table (or several, a line each) as JSON Lines: a string each, null where there is no text. A row at a time.
 * @param chunks  the table's text in UTF-8
 * @throws DataError naming file and line for a row that cannot be read, a missing column, and bytes that are not UTF-8
 */
export async function* csvRecordLines(
  chunks: AsyncIterable<Uint8Array>,
  file: string,
  layout: TableLayout,
  column: string,
  invalidUtf8: 'error' | 'replace',
): AsyncGenerator<Uint8Array, void, void> {
  const { parse } = await import('csv-parse');
  // As Latin-1 every byte is a character, and comes out as it went in: what is not UTF-8 is reported here, not replaced.
  const { headerLine } = layout;
  const parser = parse({ ...parserOptions(layout), encoding: 'latin1', from_line: headerLine, info: true });
  const source = Readable.from(withoutMark(chunks));
  // An error of the source ends the parser with it, where it is thrown to who iterates.
  pipeline(source, parser, () => {});
  let places: number[] = [];
  let columns: string[] = [];
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let line = headerLine;
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      const begins = line;
      line = info.lines + 1;
      if (places.length === 0) {
        columns = record.map((name) => utf8Of(name).toString().trim());
        places = namedFields(column, (name) => columns.includes(name)).map((name) => columns.indexOf(name));
        if (places.length === 0) throw noColumn(file, column, columns);
        continue;
      }
      if (isHeaderAgain(record, columns)) continue;
      // With one column there is nothing to separate.
      if (columns.length === 1 && record.length > 1) record.splice(0, record.length, record.join(layout.delimiter));
      if (record.length > columns.length) throw tooManyCells(file, begins, record.length, columns.length);
      for (const at of places) {
        const isBad = invalidUtf8 === 'error' && !isUtf8(utf8Of(record[at] ?? ''));
        if (isBad) throw notUtf8(file, begins, columns[at]);
      }
      const cells = places.map((at) => record[at] ?? '').filter((cell) => cell !== '');
      const json = `${cells.length === 0 ? 'null' : JSON.stringify(cells.join('\n'))}\n`;
      pending.push(Buffer.from(json, 'latin1'));
      pendingBytes += json.length;
      if (pendingBytes < CHUNK_BYTES) continue;
      yield Buffer.concat(pending);
      pending = [];
      pendingBytes = 0;
    }
  } catch (error) {
    throw rowError(error, file);
  } finally {
    source.destroy();
    parser.destroy();
  }
  if (places.length === 0) throw noColumn(file, column, columns);
  yield Buffer.concat(pending);
}

const CHUNK_BYTES = 1 << 16;

/** Files that were put together have the names of columns again, perhaps behind another byte order mark. */
function isHeaderAgain(record: readonly string[], columns: readonly string[]): boolean {
  if (record.length !== columns.length) return false;
  return record.every((cell, i) => {
    const isFirst = i === 0 && cell.startsWith(MARK_AS_LATIN1);
    const name = isFirst ? cell.slice(MARK_AS_LATIN1.length).replace(/^"(.*)"$/, '$1') : cell;
    return utf8Of(name).toString().trim() === columns[i];
  });
}

const MARK_AS_LATIN1 = '\xef\xbb\xbf';

async function* withoutMark(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const chunk of chunks) {
    const hasMark = isFirst && chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf;
    yield hasMark ? chunk.subarray(3) : chunk;
    isFirst = false;
  }
}

function utf8Of(latin1: string): Buffer {
  return Buffer.from(latin1, 'latin1');
}

/** The error for a table without the wanted column. */
export function noColumn(file: string, column: string, columns: readonly string[]): DataError {
  const found = columns.map((name) => (name.length > 40 ? `${name.slice(0, 40)}…` : name)).join(', ');
  return new DataError(`${file} has no column "${column}"; its first line reads: ${found}`, {
    subject: file,
    found: columns,
    expected: column,
    advice:
      'Name the column that holds the text (--field), or put a line with the names of columns first. To read the file as plain text, name it .txt',
  });
}

/** The error for a row that was most likely cut wrongly. */
export function tooManyCells(file: string, line: number, cells: number, columns: number): DataError {
  return new DataError(`${file}:${line} has ${cells} columns, the first line names ${columns}`, {
    subject: file,
    found: line,
    expected: `${columns} columns`,
    advice: 'Put text that has the separator in it into double quotes, and double the quotes in it',
  });
}

/** The error for a cell that is not UTF-8. */
export function notUtf8(file: string, line: number, column: string): DataError {
  return new DataError(`${file}:${line} is not UTF-8 in column "${column}"`, {
    subject: file,
    found: line,
    expected: 'UTF-8 text',
    advice: NOT_UTF8_ADVICE,
  });
}

/** The parser's own error with the file in it. */
export function rowError(error: unknown, file: string): unknown {
  const { code, message, lines } = error as { code?: string; message: string; lines?: number };
  if (error instanceof DataError || !code?.startsWith('CSV_')) return error;
  const reason =
    code === 'CSV_MAX_RECORD_SIZE'
      ? `a row of more than ${MAX_JSON_LINE_BYTES >> 20} MiB; a quote before it may have no end`
      : message;
  return new DataError(`${file}${lines === undefined ? '' : `:${lines}`} cannot be read as a table: ${reason}`, {
    subject: file,
    found: lines,
    expected: 'rows whose quotes have an end',
    advice: 'Mend the row: text with quotes in it stands in double quotes, and its own quotes are doubled',
    cause: error,
  });
}
