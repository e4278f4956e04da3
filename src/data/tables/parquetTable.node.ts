/** Tables of Parquet files. */
import { type AsyncBuffer, parquetMetadataAsync, parquetReadObjects, parquetSchema } from 'hyparquet';
import { DataError } from '../../errors/errors.js';
import { compressors } from '../prepare/parquet.node.js';
import type { Table } from './table.js';

/** @throws DataError when it is no whole Parquet file */
export async function parquetTable(bytes: Uint8Array, source: string): Promise<Table> {
  const whole = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  const file: AsyncBuffer = { byteLength: whole.byteLength, slice: (start, end) => whole.slice(start, end) };
  try {
    const metadata = await parquetMetadataAsync(file);
    const columns = parquetSchema(metadata).children.map(({ element }) => element.name);
    const records = await parquetReadObjects({ file, metadata, compressors });
    return { source, columns, rows: records.map((values, row) => ({ values, place: `${source}, row ${row}` })) };
  } catch (cause) {
    throw new DataError(
      `${source} is not a complete Parquet file (${cause instanceof Error ? cause.message : cause})`,
      {
        subject: source,
        expected: 'a Parquet file',
        advice: 'Copy or download it again',
        cause,
      },
    );
  }
}
