/** Files of text that options name: one way to read them all, packed with gzip or not. */
import { readFileSync, statSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { guessUnreadable } from '../data/prepare/encodingGuess.node.js';
import { kindOfFile, reasonUnread } from '../data/prepare/walk.node.js';
import { DataError } from '../errors/errors.js';

/**
 * The text of a file, without the byte order mark at its beginning. Gzip is recognised by its first bytes, whatever the name.
 * @param flag  the option that names it, for messages
 * @throws DataError when it is missing, damaged or not UTF-8, with what it most likely is
 */
export async function readTextFile(flag: string, path: string): Promise<string> {
  const bytes = unpacked(flag, path, readBytes(flag, path));
  const zero = bytes.indexOf(0);
  try {
    if (zero < 0) return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // The error below says what it is instead.
  }
  const guess = await guessUnreadable(path, bytes, { begins: true, takesEncoding: false });
  throw new DataError(`${flag} ${path} is not UTF-8 text${guess ? `; it looks like ${guess.what}` : ''}`, {
    subject: path,
    expected: 'text in UTF-8',
    advice: guess?.advice ?? 'Convert it to UTF-8',
  });
}

function readBytes(flag: string, path: string): Uint8Array {
  try {
    const info = statSync(path);
    if (info.isDirectory()) {
      throw new DataError(`${flag} ${path} is a folder`, {
        subject: path,
        advice: 'Give the name of one file of text',
      });
    }
    // A pipe, as of the shell's <(…), can be read once, which is enough here.
    if (info.isSocket()) throw new DataError(`${flag} ${path} is ${kindOfFile(info)}`, { subject: path });
    return readFileSync(path);
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const reason = isMissing ? 'does not exist' : `cannot be read (${reasonUnread(cause)})`;
    throw new DataError(`${flag} ${path} ${reason}`, { subject: path, advice: 'Check its name', cause });
  }
}

function unpacked(flag: string, path: string, bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (cause) {
    throw new DataError(`${flag} ${path} is a damaged or incomplete gzip file (${(cause as Error).message})`, {
      subject: path,
      advice: 'Copy or download it again',
      cause,
    });
  }
}
