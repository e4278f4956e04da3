/** The text of a file from its beginning: unpacked, and in UTF-8 whatever its encoding. */

import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { DataError } from '../../errors/errors.js';
import { openDecoder } from './encodings.node.js';
import { reasonUnread } from './walk.node.js';

/** What says how the bytes of a file are to be read. */
export interface EncodedFile {
  readonly path: string;
  readonly gzip: boolean;
  /** Label of another encoding than UTF-8, as `encodingLabel` gives it. */
  readonly encoding?: string;
}

export interface FileStream {
  readonly chunks: AsyncGenerator<Uint8Array, void, void>;
  /** Bytes of the file on disk that were read. */
  bytesRead(): number;
  close(): Promise<void>;
}

const READ_BYTES = 1 << 16;

/**
 * Opens a file that is read from the front, as it must be when it is packed or in another encoding.
 * @param invalid  what becomes of bytes that are no text in that encoding. Those that are not UTF-8 are left as they are
 */
export function openFileStream(file: EncodedFile, invalid: 'error' | 'replace' = 'replace'): FileStream {
  const raw = createReadStream(file.path, { highWaterMark: READ_BYTES });
  const gunzip = file.gzip ? createGunzip({ chunkSize: READ_BYTES }) : undefined;
  if (gunzip) {
    raw.on('error', (error) => gunzip.destroy(error));
    raw.pipe(gunzip);
  }
  const bytes = namedErrors(gunzip ?? raw, file);
  return {
    chunks: file.encoding === undefined ? bytes : transcoded(bytes, file.path, file.encoding, invalid),
    bytesRead: () => raw.bytesRead,
    async close() {
      await bytes.return();
      raw.destroy();
      gunzip?.destroy();
    },
  };
}

async function* namedErrors(
  chunks: AsyncIterable<Uint8Array>,
  { path, gzip }: EncodedFile,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* chunks;
  } catch (cause) {
    // The system's own codes are about the file, those of zlib about what is in it.
    const isSystem = (cause as NodeJS.ErrnoException).syscall !== undefined;
    if (!gzip || isSystem) {
      throw new DataError(`${path} cannot be read: ${reasonUnread(cause)}`, { subject: path, cause });
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DataError(`${path} is a damaged or incomplete gzip file (${reason})`, {
      subject: path,
      expected: 'a complete gzip file',
      advice: 'Copy or download it again',
      cause,
    });
  }
}

/** In UTF-8. An encoding of old has no U+FFFD of its own, so each stands for bytes that are no text in it. */
async function* transcoded(
  chunks: AsyncIterable<Uint8Array>,
  path: string,
  encoding: string,
  invalid: 'error' | 'replace',
): AsyncGenerator<Uint8Array, void, void> {
  const decoder = openDecoder(encoding);
  const encoder = new TextEncoder();
  let line = 1;
  const take = (text: string): Uint8Array => {
    const bad = invalid === 'error' ? text.indexOf('\ufffd') : -1;
    if (bad >= 0) throw notInEncoding(path, encoding, line + newlinesIn(text.slice(0, bad)));
    if (invalid === 'error') line += newlinesIn(text);
    return encoder.encode(text);
  };
  for await (const chunk of chunks) {
    const text = decoder.write(chunk);
    if (text !== '') yield take(text);
  }
  const rest = decoder.end();
  if (rest !== '') yield take(rest);
}

function newlinesIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

function notInEncoding(path: string, encoding: string, line: number): DataError {
  return new DataError(`${path}:${line} has bytes that are no text in ${encoding}`, {
    subject: path,
    found: line,
    expected: `text in ${encoding}`,
    advice: 'Name another encoding (--encoding), or have such bytes replaced (--invalid-utf8 replace)',
  });
}

/** The beginning of a file's text, at most `most` bytes and what came with them. */
export async function headOf(
  file: EncodedFile,
  most: number,
  from = 0,
): Promise<{ bytes: Uint8Array; isWhole: boolean }> {
  const { chunks, close } = openFileStream(file);
  const parts: Uint8Array[] = [];
  let at = 0;
  let isWhole = true;
  try {
    for await (const chunk of chunks) {
      if (at >= from + most) {
        isWhole = false;
        break;
      }
      if (at + chunk.length > from) parts.push(chunk.subarray(Math.max(0, from - at)));
      at += chunk.length;
    }
  } finally {
    await close();
  }
  return { bytes: Buffer.concat(parts), isWhole };
}

/** Line and column, from 1, of a byte of the text; columns are characters, and byte order marks are none. */
export async function placeInFile(file: EncodedFile, offset: number): Promise<{ line: number; column: number }> {
  const { chunks, close } = openFileStream(file);
  const place = { line: 1, column: 1 };
  let at = 0;
  let before = 0;
  try {
    for await (const chunk of chunks) {
      for (let i = 0; i < chunk.length && at < offset; i++, at++) {
        const byte = chunk[i];
        if (byte === NEWLINE) {
          place.line++;
          place.column = 1;
        } else if ((byte & 0xc0) !== 0x80) place.column++;
        before = ((before << 8) | byte) & 0xffffff;
        if (before === BYTE_ORDER_MARK) place.column--;
      }
      if (at >= offset) break;
    }
  } finally {
    await close();
  }
  return place;
}

const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = 0xefbbbf;
