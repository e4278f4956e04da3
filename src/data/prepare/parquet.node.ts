/** Text columns of Parquet files, a row group at a time. */

import * as zlib from 'node:zlib';
import {
  type AsyncBuffer,
  asyncBufferFromFile,
  type Compressors,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
} from 'hyparquet';
import { DataError } from '../../errors/errors.js';
import { joinTexts, namedFields, textOf, valueAt } from './recordText.js';

/** Rows `rowStart` to `rowEnd` (exclusive) of the file. */
export interface RowGroupRange {
  readonly rowStart: number;
  readonly rowEnd: number;
}

export interface ParquetText {
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly rowGroups: readonly RowGroupRange[];
  readonly numRows: number;
}

/** @throws DataError when it is no Parquet file or has no such column */
export async function openParquet(path: string, field: string): Promise<ParquetText> {
  const file = await asyncBufferFromFile(path);
  let metadata: FileMetaData;
  try {
    metadata = await parquetMetadataAsync(file);
  } catch (cause) {
    throw new DataError(`${path} is not a complete Parquet file (${cause instanceof Error ? cause.message : cause})`, {
      subject: path,
      advice: 'Copy or download it again',
      cause,
    });
  }
  const columns = columnNames(parquetSchema(metadata));
  // A struct or list above the columns may be named too: what it holds is judged when it is read.
  if (fieldsIn(columns, field).length === 0) {
    throw new DataError(`${path} has no column "${field}"; it has ${columns.join(', ')}`, {
      subject: path,
      found: columns,
      expected: field,
      advice: 'Name the column that holds the text (--field)',
    });
  }
  const rowGroups: RowGroupRange[] = [];
  let row = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = row + Number(group.num_rows);
    rowGroups.push({ rowStart: row, rowEnd });
    row = rowEnd;
  }
  return { file, metadata, rowGroups, numRows: row };
}

/** Of the columns, those that a setting names. */
function fieldsIn(columns: readonly string[], field: string): string[] {
  return namedFields(field, (name) => columns.some((column) => column === name || column.startsWith(`${name}.`)));
}

type SchemaNode = ReturnType<typeof parquetSchema>;

/** Columns as a user names them: `meta.text` in a struct, `sentences` for a list of texts, whatever lies between. */
function columnNames(root: SchemaNode): string[] {
  return root.children.flatMap((child) => namesBelow(child, child.element.name));
}

function namesBelow(node: SchemaNode, name: string): string[] {
  const [only] = node.children;
  if (!only) return [name];
  const { converted_type: type, logical_type: logical } = node.element;
  // Lists are written with a group or two around each entry (Parquet's LogicalTypes.md), which are no names of the user's.
  if (type === 'LIST' || logical?.type === 'LIST') {
    const isEntry = only.children.length !== 1 || only.children[0].children.length > 0 ? undefined : only.children[0];
    return isEntry ? [name] : namesBelow(only.children.length === 1 ? only.children[0] : only, name);
  }
  return node.children.flatMap((child) => namesBelow(child, `${name}.${child.element.name}`));
}

/**
 * The texts of some rows; those that hold nothing (null, an empty list) are left out and counted.
 * @throws DataError when the data is damaged or a value is not text (file and row, from 0)
 */
export async function readParquetTexts(
  { file, metadata }: ParquetText,
  path: string,
  field: string,
  { rowStart, rowEnd }: RowGroupRange,
): Promise<{ texts: string[]; recordsWithoutText: number }> {
  const schema = parquetSchema(metadata);
  const fields = fieldsIn(columnNames(schema), field).map((name) => ({ name, column: columnOf(schema, name) }));
  const columns = [...new Set(fields.map(({ column }) => column))];
  const rows = await parquetReadObjects({ file, metadata, columns, rowStart, rowEnd, compressors }).catch((cause) => {
    throw new DataError(`${path}, rows ${rowStart} to ${rowEnd}: cannot be read (${cause.message})`, {
      subject: path,
      advice: 'The file is damaged or uses a compression that this version of Node has not; write it again',
      cause,
    });
  });
  const texts: string[] = [];
  rows.forEach((row, index) => {
    const found = joinTexts(
      fields.map(({ name, column }) => textOf(valueAt(row[column], name.slice(column.length + 1)), name)),
    );
    if ('text' in found) texts.push(found.text);
    if ('problem' in found) {
      throw new DataError(`${path}, row ${rowStart + index}: ${found.problem}`, {
        subject: path,
        advice: 'Name the column that holds the text (--field)',
      });
    }
  });
  return { texts, recordsWithoutText: rows.length - texts.length };
}

/** The column of the first level that a path begins with; names may have dots. */
function columnOf({ children }: SchemaNode, field: string): string {
  const names = children.map(({ element }) => element.name);
  return names.find((name) => name === field) ?? names.find((name) => field.startsWith(`${name}.`)) ?? field;
}

// Zstandard is in node:zlib from 22.15 on.
const { zstdDecompressSync } = zlib as { zstdDecompressSync?: (data: Uint8Array) => Uint8Array };
/** How columns are unpacked; Snappy comes with hyparquet. */
export const compressors: Compressors = {
  GZIP: (data) => zlib.gunzipSync(data),
  BROTLI: (data) => zlib.brotliDecompressSync(data),
  ...(zstdDecompressSync && { ZSTD: (data: Uint8Array) => zstdDecompressSync(data) }),
};
