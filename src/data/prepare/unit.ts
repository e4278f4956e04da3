/** A unit of work: a stretch of input that one worker turns into tokens, and what comes back. */

import type { SplitName } from '../shards.js';

/** How a unit's text falls into documents; `none`: it is one document, or a part of one. */
export type DocumentSplit = 'blankLine' | 'line' | 'none' | 'jsonl';

/** A stretch of text or JSONL. */
export interface TextUnit {
  readonly kind: 'text';
  /** File name for messages. */
  readonly file: string;
  readonly split: DocumentSplit;
  readonly bytes: Uint8Array;
  /** Where the bytes begin in the (decompressed) file. */
  readonly offset: number;
  /** The first document began in the unit before this one. */
  readonly continues: boolean;
  /** The last document goes on in the next unit. */
  readonly open: boolean;
  /** The file is in another encoding and was made UTF-8 here, so that each U+FFFD stands for bytes that could not be read. */
  readonly isTranscoded?: boolean;
}

/** Rows of one row group of a Parquet file; the worker reads them itself. */
export interface ParquetUnit {
  readonly kind: 'parquet';
  readonly file: string;
  readonly path: string;
  readonly rowStart: number;
  readonly rowEnd: number;
}

export type Unit = TextUnit | ParquetUnit;

/** Documents laid end to end. */
export interface TokenRun {
  readonly tokens: Uint16Array | Uint32Array;
  readonly wordStarts: Uint8Array;
  /** Bytes of `TAG_BITS`; absent when no tags are asked for. */
  readonly tags?: Uint8Array;
  /** Tokens of each document, none of them 0. */
  readonly lengths: Int32Array;
}

export interface HashRange {
  readonly least: number;
  readonly greatest: number;
}

/** What is counted of a unit, or of all. */
export interface UnitCounts {
  /** Bytes of text, decompressed. */
  readonly textBytes: number;
  /** Records that hold null where the text should be, and are left out. */
  readonly recordsWithoutText: number;
  /** U+FFFD put in for bytes that are no text. */
  readonly replacedCharacters: number;
}

export interface UnitTokens extends UnitCounts {
  readonly train: TokenRun;
  readonly heldOut: TokenRun;
  /** The first document of this run goes on from the unit before, if that one's open document is in the same split. */
  readonly continuesIn?: SplitName;
  /** Split of the unfinished last document, when it has tokens; `unchanged`: nothing in the unit ended or added to it. */
  readonly openIn?: SplitName | 'unchanged';
  /** Least and greatest hash of the sections, by which splits are chosen (tokenizeUnit.ts); absent without sections. */
  readonly hashes?: HashRange;
  /** Holds all arrays of both runs; whoever has used them may give it back for another unit. */
  readonly buffer: ArrayBufferLike;
}
