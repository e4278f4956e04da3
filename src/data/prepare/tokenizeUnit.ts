/** From a stretch of text to tokens: decode, split into documents, choose the split of each, tokenize. */

import { DataError } from '../../errors.js';
import type { PieceBuffer } from '../../text/pieceBuffer.js';
import type { TextUnit, TokenRun, UnitTokens } from './unit.js';
import { firstInvalidUtf8 } from './utf8.js';

/** What a unit is tokenized with; `WordPieceTokenizer` satisfies it. */
export interface CorpusTokenizer {
  readonly vocabSize: number;
  appendIds(text: string, sink: PieceBuffer): void;
}

export interface TokenizeSettings {
  readonly heldOutFraction: number;
  /** The field of a JSONL line or the Parquet column that holds the text. */
  readonly field: string;
  readonly invalidUtf8: 'error' | 'replace';
}

/** A document's split is decided by this many of its first UTF-16 units, so that a huge one need not be held. */
const HASHED_UNITS = 32_768;

/** An error about a line of a unit; which line of the file it is, only the one who counts all units knows. */
export class LineError extends Error {
  constructor(
    /** 0 for the unit's first line. */
    readonly lineInUnit: number,
    message: string,
  ) {
    super(message);
  }
}

/** Collects a unit's documents by split. */
export class UnitCollector {
  readonly #tokenizer: CorpusTokenizer;
  readonly #heldOutFraction: number;
  readonly #buffers: Record<'head' | 'train' | 'heldOut', { pieces: PieceBuffer; lengths: number[] }>;
  #last: { openIn: UnitTokens['openIn']; hasTokens: boolean } = { openIn: undefined, hasTokens: false };

  constructor(tokenizer: CorpusTokenizer, heldOutFraction: number, makeBuffer: () => PieceBuffer) {
    this.#tokenizer = tokenizer;
    this.#heldOutFraction = heldOutFraction;
    const entry = () => ({ pieces: makeBuffer(), lengths: [] as number[] });
    this.#buffers = { head: entry(), train: entry(), heldOut: entry() };
  }

  /** Adds a document; with `isHead`, the rest of one that an earlier unit began. */
  add(text: string, isHead = false): void {
    const where = isHead ? 'head' : isHeldOut(text, this.#heldOutFraction) ? 'heldOut' : 'train';
    const { pieces, lengths } = this.#buffers[where];
    const before = pieces.length;
    this.#tokenizer.appendIds(text, pieces);
    const added = pieces.length - before;
    if (added > 0 && !isHead) lengths.push(added);
    this.#last = { openIn: where, hasTokens: added > 0 };
  }

  /** Hands out what was collected, in arrays of their own, and starts afresh. */
  take(extra: { open: boolean; textBytes: number; lines: number; continues: boolean }): UnitTokens {
    const result: UnitTokens = {
      head: extra.continues ? this.#run('head') : undefined,
      train: this.#run('train'),
      heldOut: this.#run('heldOut'),
      openIn: extra.open ? this.#last.openIn : undefined,
      openHasTokens: extra.open && this.#last.hasTokens,
      textBytes: extra.textBytes,
      lines: extra.lines,
    };
    this.reset();
    return result;
  }

  /** Forgets everything, also after an error in the middle of a unit. */
  reset(): void {
    for (const buffer of Object.values(this.#buffers)) {
      buffer.pieces.clear();
      buffer.lengths = [];
    }
    this.#last = { openIn: undefined, hasTokens: false };
  }

  #run(name: 'head' | 'train' | 'heldOut'): TokenRun {
    const { pieces, lengths } = this.#buffers[name];
    const Tokens = this.#tokenizer.vocabSize <= 65_536 ? Uint16Array : Uint32Array;
    return {
      tokens: new Tokens(pieces.ids.subarray(0, pieces.length)),
      wordStarts: pieces.wordStarts.slice(0, pieces.length),
      lengths: Int32Array.from(lengths),
    };
  }
}

/**
 * @throws DataError for bytes that are not text (file and byte offset)
 * @throws LineError for a JSONL line without the field
 */
export function tokenizeTextUnit(unit: TextUnit, collector: UnitCollector, settings: TokenizeSettings): UnitTokens {
  const text = decode(unit, settings.invalidUtf8);
  let lines = 0;
  if (unit.split === 'jsonl') {
    for (const line of splitLines(text)) {
      const value = jsonText(line, lines++, settings.field);
      if (value !== undefined) collector.add(value);
    }
  } else {
    let isHead = unit.continues;
    for (const document of documents(text, unit.split)) {
      collector.add(document, isHead);
      isHead = false;
    }
  }
  return collector.take({ open: unit.open, continues: unit.continues, textBytes: unit.bytes.length, lines });
}

/**
 * Whether a document belongs to the held-out split: by a hash of its text, so that the same document always lands in
 * the same split, wherever it stands and however often.
 * FNV-1a over the first UTF-16 units of the trimmed text, finished with MurmurHash3's mixer for even high bits.
 */
export function isHeldOut(text: string, fraction: number): boolean {
  if (fraction <= 0) return false;
  const trimmed = text.trim();
  const length = Math.min(trimmed.length, HASHED_UNITS);
  let hash = 0x811c9dc5;
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ trimmed.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32 < fraction;
}

function decode({ bytes, file, offset }: TextUnit, invalidUtf8: 'error' | 'replace'): string {
  const zero = bytes.indexOf(0);
  if (zero >= 0) {
    throw new DataError(`${file} is not text: a zero byte at offset ${offset + zero}`, {
      subject: file,
      found: offset + zero,
      expected: 'UTF-8 text',
      advice: 'Leave binary files out; convert UTF-16 to UTF-8',
    });
  }
  let text: string;
  try {
    // The byte order mark is kept here, because only that of the file's first bytes is none of its text.
    text = new TextDecoder('utf-8', { fatal: invalidUtf8 === 'error', ignoreBOM: true }).decode(bytes);
  } catch {
    const at = offset + firstInvalidUtf8(bytes);
    throw new DataError(`${file} is not UTF-8 at byte offset ${at}`, {
      subject: file,
      found: at,
      expected: 'UTF-8 text',
      advice: 'Convert the file to UTF-8, or have such bytes replaced (invalidUtf8: replace)',
    });
  }
  return offset === 0 && text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

function documents(text: string, split: 'blankLine' | 'line' | 'none'): Iterable<string> {
  if (split === 'none') return [text];
  return split === 'line' ? splitLines(text) : splitBlankLines(text);
}

function* splitLines(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\n', start);
    yield text.slice(start, end < 0 ? text.length : end);
    start = end < 0 ? text.length : end + 1;
  }
}

function* splitBlankLines(text: string): Generator<string> {
  let start = 0;
  for (const { index, 0: blank } of text.matchAll(/\n[ \t\r\v\f]*\n/g)) {
    yield text.slice(start, index);
    start = index + blank.length;
  }
  yield text.slice(start);
}

/** The text of a JSONL line; undefined for a blank line. */
function jsonText(line: string, lineInUnit: number, field: string): string | undefined {
  if (line.trim() === '') return undefined;
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch {
    throw new LineError(lineInUnit, `is not JSON: ${preview(line)}`);
  }
  const isObject = typeof record === 'object' && record !== null;
  const value =
    isObject && Object.hasOwn(record as object, field) ? (record as Record<string, unknown>)[field] : undefined;
  if (typeof value === 'string') return value;
  const fields = isObject
    ? `; it has ${
        Object.keys(record as object)
          .slice(0, 8)
          .join(', ') || 'no fields'
      }`
    : '';
  throw new LineError(lineInUnit, `has no text in field "${field}"${fields}`);
}

function preview(line: string): string {
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
}
