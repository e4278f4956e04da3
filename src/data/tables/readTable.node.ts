/** Task data from files: CSV, TSV, JSON Lines, JSON and Parquet, gzipped or not. A file is read whole. */
import { readFileSync, statSync } from 'node:fs';
import { extname } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { DataError } from '../../errors/errors.js';
import { guessUnreadable } from '../prepare/encodingGuess.node.js';
import { kindOfFile, reasonUnread } from '../prepare/walk.node.js';
import { delimitedTable } from './delimitedTable.node.js';
import { jsonTable } from './jsonTable.js';
import { parquetTable } from './parquetTable.node.js';
import type { Table, TextFormat } from './table.js';

export type TableFormat = 'csv' | 'tsv' | 'json' | 'parquet';

const FORMATS: Readonly<Record<string, TableFormat>> = {
  '.csv': 'csv',
  '.tsv': 'tsv',
  '.tab': 'tsv',
  '.jsonl': 'json',
  '.ndjson': 'json',
  '.json': 'json',
  '.parquet': 'parquet',
};

/** What a file's ending says that it is; `.gz` may follow. */
export function tableFormat(path: string): TableFormat | undefined {
  return FORMATS[extname(path.toLowerCase().replace(/\.gz$/, ''))];
}

export interface ReadTableOptions {
  /** Names of columns that will be asked for; numbers alone say that a CSV or TSV has no line of names. */
  readonly wanted?: readonly string[];
  /** What is tried before the file's ending is believed, the first that matches. */
  readonly formats?: readonly TextFormat[];
}

/**
 * Reads a file of rows with named columns.
 * @throws DataError naming file and line of what cannot be read
 */
export async function readTable(path: string, { wanted, formats = [] }: ReadTableOptions = {}): Promise<Table> {
  const ending = tableFormat(path);
  if (ending === undefined && formats.length === 0) throw unknownFormat(path);
  const bytes = unpacked(path, readBytes(path));
  if (ending === 'parquet') return parquetTable(bytes, path);
  const text = await decoded(path, bytes);
  // Whoever names columns by their numbers has looked at the file and means them.
  const isNumbered = ending !== undefined && wanted?.length && wanted.every((name) => /^\d+$/.test(name));
  const own = isNumbered ? undefined : formats.find((format) => format.matches(text, path.replace(/\.gz$/i, '')));
  const table = own ? own.parse(text, path) : await tableOfEnding(text, path, ending, wanted);
  if (table.rows.length > 0) return table;
  throw new DataError(`${path} has no rows`, {
    subject: path,
    expected: 'at least one row',
    advice: 'Check that it is the right file',
  });
}

/**
 * Reads several files as one table, one after another.
 * @throws DataError as `readTable`
 */
export async function readTables(paths: readonly string[], options: ReadTableOptions = {}): Promise<Table> {
  const tables: Table[] = [];
  for (const path of paths) tables.push(await readTable(path, options));
  if (tables.length === 1) return tables[0];
  return {
    source: paths.join(', '),
    columns: [...new Set(tables.flatMap(({ columns }) => columns))],
    rows: tables.flatMap(({ rows }) => rows),
  };
}

async function tableOfEnding(
  text: string,
  path: string,
  ending: Exclude<TableFormat, 'parquet'> | undefined,
  wanted?: readonly string[],
): Promise<Table> {
  if (ending === undefined) throw unknownFormat(path);
  return ending === 'json' ? jsonTable(text, path) : delimitedTable(text, path, ending, wanted);
}

function unknownFormat(path: string): DataError {
  return new DataError(`${path} has no ending that says what it is`, {
    subject: path,
    expected: `${Object.keys(FORMATS).join(', ')}, or one of these and .gz`,
    advice: 'Rename the file',
  });
}

function readBytes(path: string): Uint8Array {
  try {
    const info = statSync(path);
    if (info.isDirectory() || info.isSocket()) {
      throw new DataError(`${path} is ${info.isDirectory() ? 'a folder' : kindOfFile(info)}`, {
        subject: path,
        expected: 'a file of rows with named columns',
        advice: 'Give the name of one file',
      });
    }
    return readFileSync(path);
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const reason = isMissing ? 'does not exist' : `cannot be read (${reasonUnread(cause)})`;
    throw new DataError(`${path} ${reason}`, { subject: path, advice: 'Check its name', cause });
  }
}

/** Gzip is told by its first bytes, whatever the name. */
function unpacked(path: string, bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (cause) {
    throw new DataError(`${path} is a damaged or incomplete gzip file (${(cause as Error).message})`, {
      subject: path,
      advice: 'Copy or download it again',
      cause,
    });
  }
}

async function decoded(path: string, bytes: Uint8Array): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const guess = await guessUnreadable(path, bytes, { begins: true, takesEncoding: false });
    throw new DataError(`${path} is not UTF-8 text${guess ? `; it looks like ${guess.what}` : ''}`, {
      subject: path,
      expected: 'text in UTF-8',
      advice: guess?.advice ?? 'Convert it to UTF-8',
    });
  }
}
