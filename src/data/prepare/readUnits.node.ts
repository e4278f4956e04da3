/** Reads the input files once, front to back, and cuts them into units of bounded size. */

import { closeSync, openSync, readSync } from 'node:fs';
import { DataError } from '../../errors/errors.js';
import { documentCut, forcedCut } from './cuts.js';
import { openFileStream } from './fileStream.node.js';
import type { InputFile } from './inputs.node.js';
import { type InputSlice, isSeekable } from './slices.node.js';
import type { Unit } from './unit.js';
import { MAX_JSON_LINE_BYTES, UNIT_BYTES } from './unitLimits.js';

export { MAX_JSON_LINE_BYTES, UNIT_BYTES };

/** A place in the input at which a unit begins. */
export interface Position {
  /** Index of the slice; without parts, of the file. */
  readonly file: number;
  /** Byte of the decompressed text, or row of a Parquet file. */
  readonly offset: number;
  /** The next unit goes on with the document of the one before. */
  readonly continues: boolean;
}

export interface PlacedUnit {
  readonly unit: Unit;
  /** Where the unit after this one begins. */
  readonly next: Position;
  /** Bytes on disk up to the end of this unit, for the progress shown. */
  readonly diskBytes: number;
}

/** Tokens of a unit of text seldom take more; those of a long JSONL line or a Parquet row group may, and are not kept. */
const MAX_SPARE_BYTES = 4 * UNIT_BYTES;

/**
 * Buffers that go round: those of `UNIT_BYTES` with the text of units, and those with their tokens. Given back when they
 * are done with, instead of waiting for the collector, which lets tens of megabytes of them pile up.
 */
export class UnitBuffers {
  readonly #free: ArrayBufferLike[] = [];
  readonly #spare: ArrayBufferLike[] = [];

  take(): Buffer {
    const free = this.#free.pop();
    return free ? Buffer.from(free) : newBuffer(UNIT_BYTES);
  }

  giveBack({ buffer }: Uint8Array): void {
    if (buffer.byteLength === UNIT_BYTES) this.#free.push(buffer);
  }

  /** A buffer that tokens were in, of any size. */
  takeSpare(): ArrayBufferLike | undefined {
    return this.#spare.pop();
  }

  giveBackSpare(buffer: ArrayBufferLike): void {
    if (buffer.byteLength > 0 && buffer.byteLength <= MAX_SPARE_BYTES) this.#spare.push(buffer);
  }
}

/** Memory that worker threads share. A `Buffer`, because it looks for a byte with the processor's wide instructions. */
function newBuffer(bytes: number): Buffer {
  return Buffer.from(new SharedArrayBuffer(bytes));
}

/** How the text of records and of other encodings is found. */
export interface ReadSettings {
  readonly field: string;
  readonly invalidUtf8: 'error' | 'replace';
}

/** All units from `start` on; their cuts depend on the input alone, so every run makes the same ones. */
export async function* readUnits(
  slices: readonly InputSlice[],
  settings: ReadSettings,
  start: Position = { file: 0, offset: 0, continues: false },
  buffers = new UnitBuffers(),
): AsyncGenerator<PlacedUnit> {
  let diskBefore = slices.slice(0, start.file).reduce((sum, { diskBytes }) => sum + diskBytes, 0);
  for (let index = start.file; index < slices.length; index++) {
    const slice = slices[index];
    const isFirst = index === start.file;
    const offset = Math.max(slice.start, isFirst ? start.offset : 0);
    const units =
      slice.file.kind === 'parquet'
        ? parquetUnits(slice, settings.field, offset)
        : textUnits(slice, settings, { offset, continues: isFirst && start.continues }, buffers);
    for await (const { unit, end, continues, fraction } of units) {
      yield {
        unit,
        next: { file: index, offset: end, continues },
        diskBytes: diskBefore + Math.min(1, fraction) * slice.diskBytes,
      };
    }
    diskBefore += slice.diskBytes;
  }
}

interface FileUnit {
  unit: Unit;
  end: number;
  continues: boolean;
  /** Part of the slice that was read for it. */
  fraction: number;
}

async function* parquetUnits(
  { file, start, end }: InputSlice,
  field: string,
  firstRow: number,
): AsyncGenerator<FileUnit> {
  const { openParquet } = await import('./parquet.node.js');
  const { rowGroups, numRows } = await openParquet(file.path, field);
  for (const { rowStart, rowEnd } of rowGroups) {
    if (rowStart < firstRow || rowStart >= end || rowStart === rowEnd) continue;
    yield {
      unit: { kind: 'parquet', file: file.path, path: file.path, rowStart, rowEnd },
      end: rowEnd,
      continues: false,
      fraction: (rowEnd - start) / (Math.min(end, numRows) - start),
    };
  }
}

async function* textUnits(
  slice: InputSlice,
  settings: ReadSettings,
  start: { readonly offset: number; readonly continues: boolean },
  buffers: UnitBuffers,
): AsyncGenerator<FileUnit> {
  const { file, split } = slice;
  let { offset, continues } = start;
  const source = openText(slice, settings, offset);
  const isTranscoded = file.encoding !== undefined;
  let buffer = buffers.take();
  let used = 0;

  /** Takes the first `cut` bytes out of the buffer, as a unit. */
  function take(cut: number, open: boolean): FileUnit {
    const bytes = buffer.subarray(0, cut);
    const left = buffer.subarray(cut, used);
    const unit: FileUnit = {
      unit: {
        kind: 'text',
        file: file.path,
        split,
        bytes,
        offset,
        continues,
        open,
        ...(isTranscoded && { isTranscoded }),
      },
      end: offset + cut,
      continues: open,
      fraction: source.fraction(offset + cut),
    };
    // A grown buffer is cut as if it were small again, so that cuts do not depend on how the file was read.
    buffer = left.length > UNIT_BYTES ? newBuffer(left.length) : buffers.take();
    buffer.set(left);
    used = left.length;
    offset += cut;
    continues = open;
    return unit;
  }

  try {
    for (;;) {
      used += await source.fill(buffer.subarray(used));
      if (used < buffer.length) break;
      while (used === buffer.length) {
        const cut = documentCut(buffer, split);
        if (cut > 0) yield take(cut, false);
        else if (split !== 'jsonl') yield take(forcedCut(buffer), true);
        else buffer = grow(buffer, file, offset);
      }
    }
    if (used > 0 || continues) yield take(used, false);
  } finally {
    await source.close();
  }
}

function grow(buffer: Buffer, file: InputFile, offset: number): Buffer {
  if (buffer.length >= MAX_JSON_LINE_BYTES) {
    const what = file.kind === 'jsonl' ? 'a line' : 'a record';
    throw new DataError(
      `${file.path} has ${what} of more than ${MAX_JSON_LINE_BYTES >> 20} MiB at byte offset ${offset}`,
      {
        subject: file.path,
        found: offset,
        expected: 'one JSON record a line',
        advice: 'A JSON record is parsed whole; give texts of this size as plain text',
      },
    );
  }
  const grown = newBuffer(buffer.length * 2);
  grown.set(buffer);
  return grown;
}

interface TextSource {
  /** Reads on until `bytes` is full or the text ends; how many bytes there were. */
  fill(bytes: Uint8Array): number | Promise<number>;
  /** Part of the slice that was read when the text is at this offset. */
  fraction(offset: number): number;
  close(): void | Promise<void>;
}

function openText(slice: InputSlice, settings: ReadSettings, offset: number): TextSource {
  return isSeekable(slice.file) ? plainSource(slice, offset) : streamSource(slice.file, settings, offset);
}

/**
 * Reads synchronously: a unit from the page cache takes some 40 µs, while a promise through the thread pool takes a core
 * from a worker twice more, to hand the read over and to hear of it. Workers have units ahead where a disk is slower.
 */
function plainSource({ file, start, end, diskBytes }: InputSlice, offset: number): TextSource {
  let descriptor: number | undefined;
  return {
    fill(bytes) {
      descriptor ??= openSync(file.path, 'r');
      const wanted = Math.min(bytes.length, end - offset);
      let filled = 0;
      while (filled < wanted) {
        const got = readSync(descriptor, bytes, filled, wanted - filled, offset);
        if (got === 0) break;
        filled += got;
        offset += got;
      }
      return filled;
    },
    fraction: (at) => (at - start) / diskBytes,
    close: () => {
      if (descriptor !== undefined) closeSync(descriptor);
    },
  };
}

/**
 * A file that is packed, in another encoding or not a record a line cannot be entered in the middle: what was done before
 * `offset` is read again and dropped.
 */
function streamSource(file: InputFile, settings: ReadSettings, offset: number): TextSource {
  const stream = openFileStream(file, settings.invalidUtf8);
  const chunks = recordChunks(file, settings, stream.chunks);
  let toSkip = offset;
  let chunk: Uint8Array = new Uint8Array(0);
  return {
    async fill(bytes) {
      let filled = 0;
      while (filled < bytes.length) {
        if (chunk.length === 0) {
          const { value, done } = await chunks.next();
          if (done) break;
          chunk = value.subarray(Math.min(toSkip, value.length));
          toSkip -= value.length - chunk.length;
        }
        const part = chunk.subarray(0, bytes.length - filled);
        bytes.set(part, filled);
        filled += part.length;
        chunk = chunk.subarray(part.length);
      }
      return filled;
    },
    fraction: () => stream.bytesRead() / file.bytes,
    async close() {
      await chunks.return();
      await stream.close();
    },
  };
}

/** The text of a file; of records that are not a line each, such lines. Their modules are loaded where there are any. */
async function* recordChunks(
  file: InputFile,
  { field, invalidUtf8 }: ReadSettings,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  if (file.kind === 'json') {
    const { jsonRecordLines } = await import('./jsonRecords.node.js');
    yield* jsonRecordLines(chunks, file.path, file.list);
  } else if (file.kind === 'csv') {
    const { csvRecordLines } = await import('./csvRecords.node.js');
    yield* csvRecordLines(chunks, file.path, file.layout!, field, invalidUtf8);
  } else yield* chunks;
}
