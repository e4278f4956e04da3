/** Text columns of Parquet files, a row group at a time. */

import * as zlib from 'node:zlib';
import {
  type AsyncBuffer,
  asyncBufferFromFile,
  type Compressors,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
} from 'hyparquet';
import { DataError } from '../../../errors.js';

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
  // schema[0] is the root; its children that are no groups are the plain columns.
  const columns = metadata.schema.slice(1).map(({ name }) => name);
  if (!columns.includes(field)) {
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

/**
 * The texts of some rows; missing values (null) are left out.
 * @throws DataError when the data is damaged or a value is not text (file and row, from 0)
 */
export async function readParquetTexts(
  { file, metadata }: ParquetText,
  path: string,
  field: string,
  { rowStart, rowEnd }: RowGroupRange,
): Promise<string[]> {
  const rows = await parquetReadObjects({ file, metadata, columns: [field], rowStart, rowEnd, compressors }).catch(
    (cause) => {
      throw new DataError(`${path}, rows ${rowStart} to ${rowEnd}: cannot be read (${cause.message})`, {
        subject: path,
        advice: 'The file is damaged or uses a compression that this version of Node has not; write it again',
        cause,
      });
    },
  );
  const texts: string[] = [];
  rows.forEach((row, index) => {
    const value: unknown = row[field];
    if (typeof value === 'string') texts.push(value);
    else if (value !== null && value !== undefined) {
      throw new DataError(`${path}, row ${rowStart + index}: column "${field}" holds ${typeof value}, expected text`, {
        subject: path,
        advice: 'Name the column that holds the text (--field)',
      });
    }
  });
  return texts;
}

// Snappy comes with hyparquet; Zstandard is in node:zlib from 22.15 on.
const { zstdDecompressSync } = zlib as { zstdDecompressSync?: (data: Uint8Array) => Uint8Array };
const compressors: Compressors = {
  GZIP: (data) => zlib.gunzipSync(data),
  BROTLI: (data) => zlib.brotliDecompressSync(data),
  ...(zstdDecompressSync && { ZSTD: (data: Uint8Array) => zstdDecompressSync(data) }),
};
