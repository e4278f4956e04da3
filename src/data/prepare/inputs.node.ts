/** Which files are read: named files, and folders walked in sorted order. */

import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { DataError, SettingsError } from '../../errors/errors.js';
import { joinFirst } from '../../errors/joinFirst.js';
import type { EncodedFile } from './fileStream.node.js';
import {
  endingOf,
  type FoundFormat,
  formatOf,
  type InputFormat,
  isGzipName,
  KNOWN_ENDINGS,
} from './inputFormat.node.js';
import { kindOfFile, lookAt, reasonUnread, type SkippedFile, walkFolder } from './walk.node.js';

export type { InputKind } from './inputFormat.node.js';
export type { SkippedFile } from './walk.node.js';

export interface InputFile extends InputFormat, EncodedFile, Pick<FoundFormat, 'note'> {
  /** The file's name; for one found in a folder, its path from that folder. */
  readonly name: string;
  readonly bytes: number;
  /** Tells other contents apart without reading everything: SHA-256 of the length and of both ends. */
  readonly fingerprint: string;
}

export interface InputSettings {
  /** Where records have their text: a file found in a folder that has no such records is passed over. Default `text`. */
  readonly field?: string;
  /** Of text, JSON and tables. Default UTF-8. */
  readonly encoding?: string;
}

const FINGERPRINT_BYTES = 65_536;

/**
 * Lists the files of `inputs` in order. A named file is read whatever its ending (unknown ones as plain text, unless they
 * begin as JSON Lines); in a folder only known endings are, and the others are listed as skipped, with all that cannot be
 * read there.
 * @param own  folders of ours, for the result or a tokenizer: their vocab.txt is no text. Inside an input they are skipped
 * @throws DataError for a named file that is missing, empty or not readable, or when nothing is left to read
 * @throws SettingsError when an input is one of our own folders
 */
export async function listInputs(
  inputs: readonly string[],
  own: readonly string[] = [],
  settings: InputSettings = {},
): Promise<{ files: InputFile[]; skipped: SkippedFile[]; warnings: string[] }> {
  const files: InputFile[] = [];
  const skipped: SkippedFile[] = [];
  const ownFolders = new Set(own.map(realPath));
  for (const path of inputs) {
    if (isFolder(path)) {
      const found = await filesOfFolder(path, ownFolders, settings);
      files.push(...found.files);
      skipped.push(...found.skipped);
    } else files.push(await namedFile(path, settings));
  }
  if (files.length > 0) return { files, skipped, warnings: notesOf(files) };
  const passedOver = skipped.map(({ path, reason }) => `${path} (${reason})`);
  const found = passedOver.length ? `; there is ${joinFirst(passedOver, SHOWN)}` : '';
  throw new DataError(`No text to read in ${joinFirst(inputs, SHOWN) || 'an empty list of inputs'}${found}`, {
    subject: inputs.join(', '),
    found: passedOver,
    expected: `files ending in ${KNOWN_ENDINGS.join(', ')} or these with .gz`,
    advice:
      'Name files one by one to read other endings as plain text, and the field or column that holds the text (--field)',
  });
}

/** What deserves a warning, once for all files that it is true of. */
function notesOf(files: readonly InputFile[]): string[] {
  const notes = new Map<string, string[]>();
  for (const { path, note } of files) if (note !== undefined) notes.set(note, [...(notes.get(note) ?? []), path]);
  return [...notes].map(([note, paths]) => `${joinFirst(paths, SHOWN)} ${note}`);
}

/** @throws DataError for what is neither a file nor a folder */
function isFolder(path: string): boolean {
  const { info, ...nothing } = lookAt(path);
  if (!info) throw notThere(path, 'reason' in nothing ? nothing.reason : '');
  if (info.isDirectory()) return true;
  if (info.isFile()) return false;
  throw new DataError(`${path} is ${kindOfFile(info)}`, {
    subject: path,
    expected: 'a file that can be read more than once',
    advice: 'Write it into a file first',
  });
}

function notThere(path: string, reason: string): DataError {
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink();
  if (isLink) {
    return new DataError(`${path} is a link to ${readlinkSync(path)}, which cannot be read: ${reason}`, {
      subject: path,
      advice: 'Mend the link, or name the file itself',
    });
  }
  if (reason !== reasonUnread({ code: 'ENOENT' })) return unreadable(path, reason);
  return new DataError(`${path} does not exist`, { subject: path, advice: 'Check the name of the file or folder' });
}

function unreadable(path: string, reason: string, cause?: unknown): DataError {
  return new DataError(`Cannot open ${path}: ${reason}`, { subject: path, advice: 'Allow reading it', cause });
}

async function namedFile(path: string, settings: InputSettings): Promise<InputFile> {
  const found = await describe(path, basename(path), settings).catch((cause) => {
    throw cause instanceof DataError ? cause : unreadable(path, reasonUnread(cause), cause);
  });
  if (!found) {
    throw new DataError(`${path} is empty`, { subject: path, found: 0, expected: 'text', advice: 'Leave it out' });
  }
  const { error, problem, ...file } = found;
  if (error) throw error;
  if (problem && file.kind === 'json' && !file.list && problem.startsWith('several')) {
    throw new DataError(`${path} has ${problem}`, {
      subject: path,
      expected: 'one list of records, or a record a line',
      advice: 'Write the one that is wanted into a file of its own',
    });
  }
  return file;
}

async function filesOfFolder(
  folder: string,
  own: ReadonlySet<string>,
  settings: InputSettings,
): Promise<{ files: InputFile[]; skipped: SkippedFile[] }> {
  if (own.has(realPath(folder))) {
    throw new SettingsError([
      `the input ${folder} is also a folder that is written to or holds the tokenizer; expected one of texts alone`,
    ]);
  }
  const walked = await walkFolder(folder, (real) => (own.has(real) ? 'the output or the tokenizer' : undefined));
  const files: InputFile[] = [];
  const skipped = [...walked.skipped];
  for (const name of walked.files) {
    const path = join(folder, name);
    const found = await describeFound(path, name, settings);
    if ('reason' in found) skipped.push({ path, reason: found.reason });
    else files.push(found);
  }
  return { files, skipped };
}

/** A file of a folder, or why it is passed over. */
async function describeFound(
  path: string,
  name: string,
  settings: InputSettings,
): Promise<InputFile | { readonly reason: string }> {
  if (!endingOf(name)) return { reason: 'unknown ending' };
  try {
    const found = await describe(path, name, settings);
    if (!found) return { reason: 'empty' };
    const { error: _, problem, ...file } = found;
    // JSON Lines and Parquet are nothing but records: one without text is an error, reported when it is reached.
    const mayBeOther = file.kind === 'csv' || endingOf(name)!.ending === 'json';
    return problem !== undefined && mayBeOther ? { reason: problem } : file;
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    return { reason: reasonUnread(cause, name) };
  }
}

/** The error for input that was read whole and has no word in it. */
export function noText(inputs: readonly string[], textBytes: number): DataError {
  return new DataError(`${joinFirst(inputs, SHOWN)}: there is no word in ${textBytes} bytes of text`, {
    subject: inputs.join(', '),
    found: textBytes,
    expected: 'at least one word',
    advice: 'Check the files, and the field or column that holds the text (--field)',
  });
}

/** Names in a message. */
const SHOWN = 3;

function realPath(path: string): string {
  return existsSync(path) ? realpathSync(path) : resolve(path);
}

/** @returns undefined for an empty file */
async function describe(
  path: string,
  name: string,
  { field = 'text', encoding }: InputSettings,
): Promise<(InputFile & FoundFormat) | undefined> {
  const known = endingOf(path);
  const gzip = known?.gzip ?? isGzipName(path);
  const handle = await open(path);
  let stamp: { bytes: number; fingerprint: string };
  try {
    const { size } = await handle.stat();
    if (size === 0) return undefined;
    stamp = { bytes: size, fingerprint: await fingerprint(handle, size) };
  } finally {
    await handle.close();
  }
  const isText = known?.ending !== 'parquet';
  const file = { path, gzip, ...(isText && encoding !== undefined && { encoding }) };
  return { name, ...file, ...stamp, ...(await formatOf(file, known?.ending, field)) };
}

async function fingerprint(file: FileHandle, size: number): Promise<string> {
  const hash = createHash('sha256').update(String(size));
  for (const position of [0, Math.max(0, size - FINGERPRINT_BYTES)]) {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(FINGERPRINT_BYTES), 0, FINGERPRINT_BYTES, position);
    hash.update(buffer.subarray(0, bytesRead));
  }
  return hash.digest('hex');
}
