/** What a file is, to be recognised again. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** What a file was when it was written. */
export interface FileRecord {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** SHA-256 and length of a file, in pieces: it may be larger than memory. */
export async function recordFile(path: string): Promise<FileRecord> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}
