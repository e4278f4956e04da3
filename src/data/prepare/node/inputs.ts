/** Which files are read: named files, and folders walked in sorted order. */

import { createHash } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { DataError, SettingsError } from '../../../errors.js';
import { fewOf } from '../../../fewOf.js';

export type InputKind = 'text' | 'jsonl' | 'parquet';

export interface InputFile {
  readonly path: string;
  /** The file's name; for one found in a folder, its path from that folder. */
  readonly name: string;
  readonly kind: InputKind;
  readonly gzip: boolean;
  readonly bytes: number;
  /** Tells other contents apart without reading everything: SHA-256 of the length and of both ends. */
  readonly fingerprint: string;
}

export interface SkippedFile {
  readonly path: string;
  readonly reason: string;
}

const KINDS: Record<string, InputKind> = {
  txt: 'text',
  text: 'text',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  parquet: 'parquet',
};
const FINGERPRINT_BYTES = 65_536;

/**
 * Lists the files of `inputs` in order. A named file is read whatever its ending (unknown ones as plain text); in a
 * folder only known endings are, and the others are listed as skipped.
 * @param own  folders of ours, for the result or a tokenizer: their vocab.txt is no text. Inside an input they are skipped
 * @throws DataError for a missing or empty named file, or when nothing is left to read
 * @throws SettingsError when an input is one of our own folders
 */
export async function listInputs(
  inputs: readonly string[],
  own: readonly string[] = [],
): Promise<{ files: InputFile[]; skipped: SkippedFile[] }> {
  const files: InputFile[] = [];
  const skipped: SkippedFile[] = [];
  const ownFolders = new Set(own.map(realPath));
  for (const path of inputs) {
    const info = await stat(path).catch(() => undefined);
    if (!info) {
      throw new DataError(`${path} does not exist`, { subject: path, advice: 'Check the name of the file or folder' });
    }
    if (!info.isDirectory()) {
      files.push(await describe(path, basename(path), kindOf(path) ?? { kind: 'text', gzip: path.endsWith('.gz') }));
      continue;
    }
    if (ownFolders.has(realPath(path))) {
      throw new SettingsError([
        `the input ${path} is also a folder that is written to or holds the tokenizer; expected one of texts alone`,
      ]);
    }
    const isOwn = (folder: string) => {
      if (!ownFolders.has(realPath(folder))) return false;
      skipped.push({ path: folder, reason: 'the output or the tokenizer' });
      return true;
    };
    for (const name of await walk(path, isOwn)) {
      const kind = kindOf(name);
      const file = join(path, name);
      if (!kind) skipped.push({ path: file, reason: 'unknown ending' });
      else if ((await stat(file)).size === 0) skipped.push({ path: file, reason: 'empty' });
      else files.push(await describe(file, name, kind));
    }
  }
  if (files.length > 0) return { files, skipped };
  const passedOver = skipped.map(({ path, reason }) => `${path} (${reason})`);
  const found = passedOver.length ? `; there is ${fewOf(passedOver, SHOWN)}` : '';
  throw new DataError(`No text to read in ${fewOf(inputs, SHOWN) || 'an empty list of inputs'}${found}`, {
    subject: inputs.join(', '),
    found: passedOver,
    expected: `files ending in ${Object.keys(KINDS).join(', ')} or these with .gz`,
    advice: 'Name files one by one to read other endings as plain text',
  });
}

/** The error for input that was read whole and has no word in it. */
export function noText(inputs: readonly string[], textBytes: number): DataError {
  return new DataError(`${fewOf(inputs, SHOWN)}: there is no word in ${textBytes} bytes of text`, {
    subject: inputs.join(', '),
    found: textBytes,
    expected: 'at least one word',
    advice: 'Check the files, and the field or column that holds the text (--field)',
  });
}

/** Names in a message. */
const SHOWN = 3;

function kindOf(path: string): { kind: InputKind; gzip: boolean } | undefined {
  const gzip = path.endsWith('.gz');
  const ending = (gzip ? path.slice(0, -3) : path).split('.').at(-1)!.toLowerCase();
  const kind = Object.hasOwn(KINDS, ending) ? KINDS[ending] : undefined;
  return kind && !(gzip && kind === 'parquet') ? { kind, gzip } : undefined;
}

function realPath(path: string): string {
  return existsSync(path) ? realpathSync(path) : resolve(path);
}

/**
 * Paths of all files below `folder`, from it, sorted by UTF-16 unit; names that begin with a dot are left out, and folders
 * that are to be passed over.
 */
async function walk(folder: string, passOver: (folder: string) => boolean, prefix = ''): Promise<string[]> {
  const entries = await readdir(join(folder, prefix), { withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.')) continue;
    const name = prefix ? `${prefix}/${entry.name}` : entry.name;
    const isFolder = entry.isSymbolicLink() ? (await stat(join(folder, name))).isDirectory() : entry.isDirectory();
    if (!isFolder) found.push(name);
    else if (!passOver(join(folder, name))) found.push(...(await walk(folder, passOver, name)));
  }
  return found;
}

async function describe(path: string, name: string, kind: { kind: InputKind; gzip: boolean }): Promise<InputFile> {
  const file = await open(path).catch((cause) => {
    throw new DataError(`Cannot open ${path}: ${cause.message}`, { subject: path, cause });
  });
  try {
    const { size } = await file.stat();
    if (size === 0) {
      throw new DataError(`${path} is empty`, { subject: path, found: 0, expected: 'text', advice: 'Leave it out' });
    }
    return { path, name, ...kind, bytes: size, fingerprint: await fingerprint(file, size) };
  } finally {
    await file.close();
  }
}

async function fingerprint(file: FileHandle, size: number): Promise<string> {
  const hash = createHash('sha256').update(String(size));
  for (const position of [0, Math.max(0, size - FINGERPRINT_BYTES)]) {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(FINGERPRINT_BYTES), 0, FINGERPRINT_BYTES, position);
    hash.update(buffer.subarray(0, bytesRead));
  }
  return hash.digest('hex');
}
