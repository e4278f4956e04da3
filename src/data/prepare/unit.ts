/** A unit of work: a stretch of input that one worker turns into tokens, and what comes back. */

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
  /** Tokens of each document, none of them 0; empty for `head`, which is no document of its own. */
  readonly lengths: Int32Array;
}

export interface UnitTokens {
  /** What continues the document that the unit before left open; it belongs to whichever split that document is in. */
  readonly head?: TokenRun;
  readonly train: TokenRun;
  readonly heldOut: TokenRun;
  /** Where the unfinished last document is; `head` when the whole unit is a part of one document. */
  readonly openIn?: 'head' | 'train' | 'heldOut';
  /** Of the open document, whether it has any tokens yet in this unit. */
  readonly openHasTokens: boolean;
  readonly textBytes: number;
  /** Lines of a JSONL unit. */
  readonly lines: number;
}
