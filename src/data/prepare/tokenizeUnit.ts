/** From a stretch of text to tokens: decode, split into documents, choose the split of each, tokenize. */

import { DataError } from '../../errors/errors.js';
import { PieceBuffer } from '../../text/pieceBuffer.js';
import type { SplitName } from '../shards.js';
import { type TagSpan, tokenSpans, writeTags } from '../tags.js';
import { blankLineEnds } from './blankLines.js';
import { pieceCut } from './cuts.js';
import { around, parseJsonLine } from './jsonLine.js';
import { recordTags, type TagOffsets } from './recordTags.js';
import { recordText } from './recordText.js';
import type { DocumentSplit, HashRange, TextUnit, TokenRun, UnitCounts, UnitTokens } from './unit.js';
import { firstInvalidUtf8 } from './utf8.js';

/** What a unit is tokenized with; `WordPieceTokenizer` satisfies it. */
export interface CorpusTokenizer {
  readonly vocabSize: number;
  appendIds(text: string, sink: PieceBuffer): void;
  /** Start and end (exclusive) of each piece in the text, [2n]; only needed for text with tags. */
  pieceOffsets?(text: string): ArrayLike<number>;
}

export interface TokenizeSettings {
  /** Sections whose hash (`sectionHash`) is below this are held out; 0 to 1. */
  readonly heldOutBelow: number;
  /** The field of a JSONL line or the Parquet column that holds the text. */
  readonly field: string;
  readonly invalidUtf8: 'error' | 'replace';
  /** Reads entities and phrases of JSONL records, counted so. Default: none are read. */
  readonly tags?: TagOffsets;
}

/** How often each id occurs, by split: float64 [vocabSize]. */
export type UnigramCounts = Readonly<Record<SplitName, Float64Array>>;

/**
 * What is held out or not as a whole: a document, or of a longer one sections of this many UTF-16 units. Chosen by whole
 * documents, the split of a few books would hold out a third of the text or nothing.
 */
export const SECTION_UNITS = 16_384;

/** An error about a record of a unit; where in its file that is, only the one who can read the file again knows. */
export class RecordError extends Error {
  constructor(
    message: string,
    /** Byte of the unit that the error is about. */
    readonly byteInUnit: number,
    /** The byte is the very place that is wrong, not only where the record begins. */
    readonly isExact: boolean,
  ) {
    super(message);
  }
}

/** The same error with its place in the file; line and column from 1. */
export function errorInFile(
  { message, isExact }: RecordError,
  file: string,
  { line, column }: { readonly line: number; readonly column: number },
  field: string,
): DataError {
  return new DataError(`${file}:${line}${isExact ? `:${column}` : ''} ${message}`, {
    subject: file,
    found: line,
    expected: `JSON records with text in "${field}"`,
    advice: isExact ? 'Mend the line' : 'Mend the record, or name the field that holds the text (--field)',
  });
}

/**
 * Collects a unit's documents by split. Neighbouring sections of a document that are in the same split stay one document,
 * so a long document is divided only around what is held out of it.
 */
export class UnitCollector {
  readonly #tokenizer: CorpusTokenizer;
  readonly #heldOutBelow: number;
  readonly #counts: UnigramCounts | undefined;
  readonly #allocate: (bytes: number) => ArrayBufferLike;
  readonly #runs: Record<SplitName, CollectedRun>;
  readonly #hasTags: boolean;
  #continuesIn: SplitName | undefined;
  /** Split of the last section with tokens of the last document. */
  #lastIn: SplitName | undefined;
  /** The last document is the one that an earlier unit began. */
  #lastIsHead = false;
  /** Split of the first section with tokens of the document being added. */
  #firstIn: SplitName | undefined;
  /** What of the document being added is in no section yet; undefined between documents. */
  #rest: string | undefined;
  /** No section of the document being added has been cut off. */
  #isUnbegun = true;
  #hashes: HashRange | undefined;

  /**
   * @param more.counts    where the tokens of all units that are taken are counted
   * @param more.allocate  makes the memory of results. Default: ordinary buffers
   * @param more.hasTags   whether the results have tags, for which the tokenizer must give offsets
   */
  constructor(
    tokenizer: CorpusTokenizer,
    heldOutBelow: number,
    more: { counts?: UnigramCounts; allocate?: (bytes: number) => ArrayBufferLike; hasTags?: boolean } = {},
  ) {
    this.#tokenizer = tokenizer;
    this.#heldOutBelow = heldOutBelow;
    this.#counts = more.counts;
    this.#allocate = more.allocate ?? ((bytes) => new ArrayBuffer(bytes));
    this.#hasTags = more.hasTags ?? false;
    const run = () => ({ pieces: new PieceBuffer(), lengths: [], spans: [] });
    this.#runs = { train: run(), heldOut: run() };
  }

  /**
   * Adds a document, or with `goesOn` the next stretch of one whose end is still to come.
   * @param isHead  it is the rest of a document that an earlier unit began
   * @param spans   tagged spans of a document that is given whole, in UTF-16 units; one that runs over the end of a
   *                section becomes two
   */
  add(text: string, { isHead = false, goesOn = false, spans = [] as readonly TagSpan[] } = {}): void {
    if (this.#rest === undefined) {
      this.#lastIn = undefined;
      this.#lastIsHead = isHead;
    }
    let rest = (this.#rest ?? '') + text;
    let start = 0;
    const addSection = (section: string) => {
      this.#addSection(section, spans.length > 0 ? spansWithin(spans, start, start + section.length) : spans);
      start += section.length;
    };
    // Where sections are cut depends on the document alone, not on how many blank lines a unit has before it.
    if (this.#isUnbegun && !isHead) {
      const { length } = rest;
      rest = rest.trimStart();
      start = length - rest.length;
    }
    // In pieces of at most `SECTION_UNITS`, cut after a line end or a space where the second half of one has any.
    while (rest.length > SECTION_UNITS) {
      const end = sectionCut(rest.slice(0, SECTION_UNITS));
      addSection(rest.slice(0, end));
      this.#isUnbegun = false;
      rest = rest.slice(end);
    }
    this.#rest = rest;
    if (goesOn) return;
    addSection(rest);
    this.#rest = undefined;
    this.#isUnbegun = true;
    if (isHead) this.#continuesIn = this.#firstIn;
    this.#firstIn = undefined;
  }

  #addSection(section: string, tagged: readonly TagSpan[]): void {
    const hash = sectionHash(section);
    const split = hash < this.#heldOutBelow ? 'heldOut' : 'train';
    const { pieces, lengths, spans } = this.#runs[split];
    const before = pieces.length;
    this.#tokenizer.appendIds(section, pieces);
    const added = pieces.length - before;
    if (added === 0) return;
    if (tagged.length > 0) {
      for (const { kind, start, end } of tokenSpans(tagged, this.#tokenizer.pieceOffsets!(section))) {
        spans.push({ kind, start: before + start, end: before + end });
      }
    }
    if (this.#lastIn === split) lengths[lengths.length - 1] += added;
    else lengths.push(added);
    this.#firstIn ??= split;
    this.#lastIn = split;
    const { least, greatest } = this.#hashes ?? { least: hash, greatest: hash };
    this.#hashes = { least: Math.min(least, hash), greatest: Math.max(greatest, hash) };
  }

  /**
   * Hands out what was collected and starts afresh.
   * @param spare  a buffer for the result, used when it is large enough
   */
  take(extra: { open: boolean } & UnitCounts, spare?: ArrayBufferLike): UnitTokens {
    const { train, heldOut } = this.#runs;
    const tokenBytes = this.#tokenizer.vocabSize <= 65_536 ? 2 : 4;
    // Beside its id, a token takes a byte for its word start and one for its tags.
    const bytesEach = tokenBytes + (this.#hasTags ? 2 : 1);
    const heldOutAt = bytesOf(train, bytesEach);
    const bytes = heldOutAt + bytesOf(heldOut, bytesEach);
    const buffer = spare && spare.byteLength >= bytes ? spare : this.#allocate(roomFor(bytes));
    const result: UnitTokens = {
      train: writeRun(train, { buffer, at: 0, tokenBytes, hasTags: this.#hasTags, counts: this.#counts?.train }),
      heldOut: writeRun(heldOut, {
        buffer,
        at: heldOutAt,
        tokenBytes,
        hasTags: this.#hasTags,
        counts: this.#counts?.heldOut,
      }),
      continuesIn: this.#continuesIn,
      openIn: extra.open ? (this.#lastIn ?? (this.#lastIsHead ? 'unchanged' : undefined)) : undefined,
      hashes: this.#hashes,
      buffer,
      textBytes: extra.textBytes,
      recordsWithoutText: extra.recordsWithoutText,
      replacedCharacters: extra.replacedCharacters,
    };
    this.reset();
    return result;
  }

  /** Forgets everything, also after an error in the middle of a unit. */
  reset(): void {
    for (const run of Object.values(this.#runs)) {
      run.pieces.clear();
      run.lengths.length = 0;
      run.spans.length = 0;
    }
    this.#continuesIn = undefined;
    this.#firstIn = undefined;
    this.#rest = undefined;
    this.#isUnbegun = true;
    this.#lastIn = undefined;
    this.#lastIsHead = false;
    this.#hashes = undefined;
  }
}

interface CollectedRun {
  readonly pieces: PieceBuffer;
  readonly lengths: number[];
  /** Tagged spans, in pieces. */
  readonly spans: TagSpan[];
}

/** The parts of spans that lie in units start..end of a text, counted from start. */
function spansWithin(spans: readonly TagSpan[], start: number, end: number): TagSpan[] {
  return spans
    .filter((span) => span.start < end && span.end > start)
    .map((span) => ({ ...span, start: Math.max(0, span.start - start), end: Math.min(end, span.end) - start }));
}

/** Bytes of a run in a buffer: int32 lengths, then all that is kept of each token; a multiple of 4. */
function bytesOf({ pieces, lengths }: CollectedRun, bytesEach: number): number {
  return 4 * lengths.length + 4 * Math.ceil((pieces.length * bytesEach) / 4);
}

function writeRun(
  { pieces, lengths, spans }: CollectedRun,
  to: {
    readonly buffer: ArrayBufferLike;
    readonly at: number;
    readonly tokenBytes: 2 | 4;
    readonly hasTags: boolean;
    readonly counts?: Float64Array;
  },
): TokenRun {
  const { buffer, at, tokenBytes, counts } = to;
  const { length } = pieces;
  const tokensAt = at + 4 * lengths.length;
  const wordStartsAt = tokensAt + tokenBytes * length;
  const run = {
    lengths: new Int32Array(buffer, at, lengths.length),
    tokens: tokenBytes === 2 ? new Uint16Array(buffer, tokensAt, length) : new Uint32Array(buffer, tokensAt, length),
    wordStarts: new Uint8Array(buffer, wordStartsAt, length),
    ...(to.hasTags && { tags: new Uint8Array(buffer, wordStartsAt + length, length) }),
  };
  if (run.tags) {
    // The buffer may have been used before.
    run.tags.fill(0);
    writeTags(run.tags, spans);
  }
  run.lengths.set(lengths);
  run.wordStarts.set(pieces.wordStarts.subarray(0, length));
  if (counts) copyAndCount(pieces, run.tokens, counts);
  else run.tokens.set(pieces.ids.subarray(0, length));
  return run;
}

/** In one pass: copying to narrower numbers goes one by one anyway, so the counting costs next to nothing here. */
function copyAndCount({ ids, length }: PieceBuffer, tokens: Uint16Array | Uint32Array, counts: Float64Array): void {
  for (let i = 0; i < length; i++) {
    const id = ids[i];
    tokens[i] = id;
    counts[id]++;
  }
}

/** Powers of two, so that the buffer of one unit nearly always serves the next. */
function roomFor(bytes: number): number {
  return bytes === 0 ? 0 : 2 ** Math.ceil(Math.log2(bytes));
}

/** Where to cut a section off: at most at the end of `window`. */
function sectionCut(window: string): number {
  for (const separator of ['\n', ' ']) {
    const at = window.lastIndexOf(separator);
    if (at >= window.length / 2) return at + 1;
  }
  const last = window.charCodeAt(window.length - 1);
  const cutsPair = last >= 0xd800 && last <= 0xdbff;
  return cutsPair ? window.length - 1 : window.length;
}

/**
 * @throws DataError for bytes that are not text (file and byte offset)
 * @throws RecordError for a JSONL line without the field
 */
export function tokenizeTextUnit(
  unit: TextUnit,
  collector: UnitCollector,
  settings: Pick<TokenizeSettings, 'field' | 'invalidUtf8' | 'tags'>,
  spare?: ArrayBufferLike,
): UnitTokens {
  const counts = { textBytes: unit.bytes.length, recordsWithoutText: 0, replacedCharacters: 0 };
  let lines = 0;
  let line = '';
  let isHead = unit.continues;
  for (const { text, goesOn } of documents(unit, settings.invalidUtf8, counts)) {
    if (unit.split !== 'jsonl') {
      collector.add(text, { isHead, goesOn });
      if (!goesOn) isHead = false;
      continue;
    }
    line += text;
    if (goesOn) continue;
    const document = jsonDocument(line, settings);
    if (document && 'problem' in document) throw recordError(document, line, lines, unit);
    if (document && 'missing' in document) counts.recordsWithoutText++;
    else if (document) collector.add(document.text, { spans: document.spans });
    lines++;
    line = '';
  }
  return collector.take({ open: unit.open, ...counts }, spare);
}

function recordError({ problem, at }: RecordProblem, line: string, linesBefore: number, unit: TextUnit): RecordError {
  const { bytes, offset } = unit;
  // The mark at the beginning of a file is not in the line.
  let start = offset === 0 && linesBefore === 0 && bytes[0] === 0xef && bytes[1] === 0xbb ? 3 : 0;
  for (let i = 0; i < linesBefore; i++) start = bytes.indexOf(NEWLINE, start) + 1;
  // A record of an array is not at the beginning of its line.
  while (at === undefined && start < bytes.length - 1 && (bytes[start] === SPACE || bytes[start] === TAB)) start++;
  const inLine = at === undefined ? 0 : new TextEncoder().encode(line.slice(0, at)).length;
  return new RecordError(problem, start + inLine, at !== undefined);
}

const NEWLINE = 0x0a;
const SPACE = 0x20;
const TAB = 0x09;

/**
 * Chooses the split of a section: a hash of its text from 0 to below 1, so that the same text always lands in the same
 * split, wherever it stands and however often.
 * FNV-1a over the UTF-16 units of the trimmed text, finished with MurmurHash3's mixer for even high bits.
 */
export function sectionHash(text: string): number {
  let hash = fnv1a(text.trim());
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** A function of its own, and int32 throughout: V8 optimises a long loop while it runs, and gives that up for what follows. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

/** Whether a document of at most `SECTION_UNITS`, or a section of a longer one, is held out. */
export function isHeldOut(text: string, fraction: number): boolean {
  return sectionHash(text) < fraction;
}

/** A document (a line of JSONL), or a stretch of one that goes on with the next. */
interface Stretch {
  readonly text: string;
  readonly goesOn: boolean;
}

function* documents(
  unit: TextUnit,
  invalidUtf8: 'error' | 'replace',
  counts: { replacedCharacters: number },
): Generator<Stretch> {
  const split = SPLITTERS[unit.split];
  for (const piece of decodedPieces(unit, invalidUtf8, counts)) {
    let start = 0;
    for (const [end, next] of split(piece.text)) {
      yield { text: piece.text.slice(start, end), goesOn: false };
      start = next;
    }
    // Lines have no document after their last end; between blank lines there is one, be it empty.
    const rest = piece.text.slice(start);
    if (rest !== '' || piece.goesOn || unit.split === 'blankLine' || unit.split === 'none') {
      yield { text: rest, goesOn: piece.goesOn };
    }
  }
}

/** Ends of documents in a text, each with the start of the next. */
type Splitter = (text: string) => Iterable<[end: number, next: number]>;

const SPLITTERS: Record<DocumentSplit, Splitter> = {
  blankLine: blankLineEnds,
  line: splitLines,
  jsonl: splitLines,
  none: () => [],
};

function* splitLines(text: string): Generator<[number, number]> {
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', end + 1)) yield [end, end + 1];
}

/** The documents of a plain text, as `documentPer: blankLine` has them. */
export function* splitBlankLines(text: string): Generator<string> {
  let start = 0;
  for (const [end, next] of blankLineEnds(text)) {
    yield text.slice(start, end);
    start = next;
  }
  yield text.slice(start);
}

/**
 * Bytes decoded at a time. As one string, a unit would be among V8's large objects: any that is in use while the nursery
 * is collected leaves it for good, and tens of megabytes of them pile up before the next full collection.
 */
const PIECE_BYTES = 1 << 15;

/** The text of a unit in pieces. */
function* decodedPieces(
  { bytes, file, offset, isTranscoded = false }: TextUnit,
  invalidUtf8: 'error' | 'replace',
  counts: { replacedCharacters: number },
): Generator<Stretch> {
  const zero = bytes.indexOf(0);
  if (zero >= 0) {
    throw zeroByte(file, offset + zero);
  }
  const isCounted = isTranscoded || invalidUtf8 === 'replace';
  // The byte order mark is kept by the decoder, because only that of the file's first bytes is none of its text.
  const decoder = new TextDecoder('utf-8', { fatal: invalidUtf8 === 'error', ignoreBOM: true });
  for (let at = 0; at < bytes.length; ) {
    const rest = bytes.subarray(at);
    const end = rest.length <= PIECE_BYTES ? bytes.length : at + pieceCut(rest.subarray(0, PIECE_BYTES));
    let text: string;
    try {
      text = decoder.decode(bytes.subarray(at, end));
    } catch {
      const invalid = offset + firstInvalidUtf8(bytes);
      throw new DataError(`${file} is not UTF-8 at byte offset ${invalid}`, {
        subject: file,
        found: invalid,
        expected: 'UTF-8 text',
        advice: NOT_UTF8_ADVICE,
      });
    }
    if (isCounted) counts.replacedCharacters += replacements(text, isTranscoded ? undefined : bytes.subarray(at, end));
    if (offset + at === 0 && text.charCodeAt(0) === 0xfeff) text = text.slice(1);
    yield { text, goesOn: end < bytes.length };
    at = end;
  }
}

/** The error for a file with a zero byte, which no text has. */
export function zeroByte(file: string, offset: number): DataError {
  return new DataError(`${file} is not text: a zero byte at offset ${offset}`, {
    subject: file,
    found: offset,
    expected: 'UTF-8 text',
    advice: NOT_TEXT_ADVICE,
  });
}

/** What to do about a file that is binary or UTF-16; one who can look into the file knows better. */
export const NOT_TEXT_ADVICE = 'Leave binary files out; name the encoding of others (--encoding utf-16le)';
/** What to do about a file of another encoding; as above. */
export const NOT_UTF8_ADVICE =
  'Convert the file to UTF-8, name its encoding (--encoding), or have such bytes replaced (--invalid-utf8 replace)';

/** U+FFFD in a text beyond those that are in its bytes. @param bytes  absent where none can be */
function replacements(text: string, bytes: Uint8Array | undefined): number {
  let count = 0;
  for (let at = text.indexOf('\ufffd'); at >= 0; at = text.indexOf('\ufffd', at + 1)) count++;
  if (count === 0 || !bytes) return count;
  for (let at = bytes.indexOf(0xef); at >= 0; at = bytes.indexOf(0xef, at + 1)) {
    if (bytes[at + 1] === 0xbf && bytes[at + 2] === 0xbd) count--;
  }
  return count;
}

/** @param at  UTF-16 unit of the line that is wrong; absent for the record as a whole */
interface RecordProblem {
  readonly problem: string;
  readonly at?: number;
}

/** The text of a JSONL line, and what is tagged in it when tags are read; undefined for a blank line. */
function jsonDocument(
  line: string,
  { field, tags }: Pick<TokenizeSettings, 'field' | 'tags'>,
): { text: string; spans?: TagSpan[] } | { missing: true } | RecordProblem | undefined {
  // Files that were put together may have a byte order mark at the beginning of any line.
  const marks = line.startsWith('\ufeff') ? 1 : 0;
  const json = line.slice(marks);
  if (json.trim() === '') return undefined;
  const parsed = parseJsonLine(json);
  if ('problem' in parsed) {
    const { at, reason } = parsed.problem;
    return { problem: `is not JSON: ${reason} in ${around(json, at)}`, at: at + marks };
  }
  const document = recordText(parsed.value, field);
  if (!('text' in document) || !tags || typeof parsed.value !== 'object') return document;
  const spans = recordTags(parsed.value as Record<string, unknown>, document.text, tags);
  return 'problem' in spans ? spans : { ...document, spans };
}
