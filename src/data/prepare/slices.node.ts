/**
 * What of the input is prepared: all of it, or the part of one machine out of several.
 *
 * The files are laid end to end, and of their bytes each part has the same number, in order. Plain text and JSONL are cut
 * there, at the next document; Parquet between row groups. What can only be read from the front (gzip, CSV) or is one document
 * (a file each) belongs whole to the part in which it begins. So every machine finds its part by itself, from the sizes
 * of the files and a look at two places, and parts one after another are the input: the same documents in the same order.
 */

import { open } from 'node:fs/promises';
import { SettingsError } from '../../errors/errors.js';
import { DocumentCutFinder } from './cuts.js';
import type { InputFile } from './inputs.node.js';
import type { DocumentSplit } from './unit.js';

/** Part `index` (from 1) of `count`. */
export interface Part {
  readonly index: number;
  readonly count: number;
}

/** A stretch of a file between two documents. */
export interface InputSlice {
  readonly file: InputFile;
  readonly split: DocumentSplit;
  /** Byte of a plain file, row of a Parquet file, 0 in a compressed one. */
  readonly start: number;
  /** Byte or row before which to end; infinity for the end of the file, however long it proves to be. */
  readonly end: number;
  /** Bytes on disk, for the progress shown. */
  readonly diskBytes: number;
}

export interface SliceSettings {
  readonly documentPer: 'blankLine' | 'line' | 'file';
  readonly field: string;
}

const READ_BYTES = 1 << 16;

export function partText({ index, count }: Part): string {
  return `${index}/${count}`;
}

/** @throws SettingsError when it is not i/n, such as "2/8" */
export function parsePart(word: string): Part {
  const match = /^(\d+)\/(\d+)$/.exec(word);
  const part = { index: Number(match?.[1]), count: Number(match?.[2]) };
  if (match && part.index >= 1 && part.index <= part.count && Number.isSafeInteger(part.count)) return part;
  throw new SettingsError([`part is ${JSON.stringify(word)}; expected i/n with i from 1 to n, for instance 2/8`]);
}

export function wholeFiles(
  files: readonly InputFile[],
  { documentPer }: Pick<SliceSettings, 'documentPer'>,
): InputSlice[] {
  return files.map((file) => wholeFile(file, splitOf(file, documentPer)));
}

function wholeFile(file: InputFile, split: DocumentSplit): InputSlice {
  return { file, split, start: 0, end: Number.POSITIVE_INFINITY, diskBytes: file.bytes };
}

function splitOf(file: InputFile, documentPer: SliceSettings['documentPer']): DocumentSplit {
  if (file.kind !== 'text') return 'jsonl';
  return documentPer === 'file' ? 'none' : documentPer;
}

/** Whether reading can begin in the middle of a text file. */
export function isSeekable({ kind, gzip, encoding }: InputFile): boolean {
  return (kind === 'text' || kind === 'jsonl') && !gzip && encoding === undefined;
}

/** The slices of a part, none of them empty; together those of all parts are the files, each byte once. */
export async function slicesOfPart(
  files: readonly InputFile[],
  settings: SliceSettings,
  { index, count }: Part,
): Promise<InputSlice[]> {
  const allBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const [from, to] = [index - 1, index].map((parts) => Math.floor(allBytes * (parts / count)));
  const slices: InputSlice[] = [];
  let before = 0;
  for (const file of files) {
    // Of this file, in bytes on disk: may lie before its beginning and beyond its end.
    const range = { from: from - before, to: to - before };
    before += file.bytes;
    if (range.from >= file.bytes || range.to <= 0) continue;
    const split = splitOf(file, settings.documentPer);
    if (file.kind === 'parquet') slices.push(...(await rowsBetween(file, split, settings.field, range)));
    else if (!isSeekable(file) || split === 'none') {
      if (range.from <= 0) slices.push(wholeFile(file, split));
    } else slices.push(...(await documentsBetween(file, split, range)));
  }
  return slices;
}

interface ByteRange {
  readonly from: number;
  readonly to: number;
}

/** From the first cut after `from` to the first after `to`: a part begins where the one before it ends. */
async function documentsBetween(file: InputFile, split: DocumentSplit, { from, to }: ByteRange): Promise<InputSlice[]> {
  const [start, end] = [await cutAfter(file, split, from), await cutAfter(file, split, to)];
  return start < end ? [{ file, split, start, end, diskBytes: end - start }] : [];
}

/** Byte at which the first document begins whose blank line (or line end) before it lies wholly after `from`. */
async function cutAfter(file: InputFile, split: DocumentSplit, from: number): Promise<number> {
  if (from <= 0) return 0;
  const finder = new DocumentCutFinder(split);
  const opened = await open(file.path);
  try {
    const bytes = new Uint8Array(READ_BYTES);
    for (let at = from; at < file.bytes; ) {
      const { bytesRead } = await opened.read(bytes, 0, READ_BYTES, at);
      if (bytesRead === 0) break;
      const cut = finder.find(bytes.subarray(0, bytesRead));
      if (cut >= 0) return at + cut;
      at += bytesRead;
    }
    return file.bytes;
  } finally {
    await opened.close();
  }
}

/** The row groups that begin in the range, where their rows are thought of as spread evenly over the file. */
async function rowsBetween(
  file: InputFile,
  split: DocumentSplit,
  field: string,
  { from, to }: ByteRange,
): Promise<InputSlice[]> {
  const { openParquet } = await import('./parquet.node.js');
  const { rowGroups, numRows } = await openParquet(file.path, field);
  const own = rowGroups.filter(({ rowStart }) => {
    const begin = (rowStart / numRows) * file.bytes;
    return begin >= from && begin < to;
  });
  if (own.length === 0) return [];
  const [start, end] = [own[0].rowStart, own.at(-1)!.rowEnd];
  return [{ file, split, start, end, diskBytes: ((end - start) / numRows) * file.bytes }];
}
