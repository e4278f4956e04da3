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

export interface UnitTokens {
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
  readonly textBytes: number;
  /** Lines of a JSONL unit. */
  readonly lines: number;
}
