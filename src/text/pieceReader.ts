/** The pieces of a text: added tokens where they stand, WordPiece between them. */
import { type AddedTokenSplitter, type SoughtToken, splitterFor } from './addedTokens.js';
import { ChunkCache, PIECE_STRIDE } from './chunkCache.js';
import type { SequencePieces } from './encoding.js';
import { normalize } from './normalization.js';
import type { PieceBuffer } from './pieceBuffer.js';
import { RunScanner } from './runScanner.js';
import type { TokenizerSettings } from './tokenizerSettings.js';
import type { WordPiece } from './wordpiece.js';
import { ChunkScanner } from './words.js';

/** Finds the parts of a text that can be tokenized one by one, and remembers their pieces. */
export interface ChunkReading {
  readonly scanner: ChunkScanner | RunScanner;
  readonly chunks: ChunkCache;
}

/** @param words  added tokens that are looked for in normalised text, by their content */
export function chunkReading(
  settings: TokenizerSettings,
  wordPiece: WordPiece,
  unkId: number,
  words: readonly SoughtToken[],
): ChunkReading {
  const addedWords = splitterFor(words.map((word) => ({ ...word, literal: normalize(word.literal, settings) })));
  // The spaces that normalisation sets around ideographs lie within a run of text; those of the word itself do not.
  const unspaced = { ...settings, handleChineseChars: false };
  const isSpaced = words.some(({ literal }) => /\s/.test(literal + normalize(literal, unspaced)));
  const scanner = addedWords ? new RunScanner(isSpaced) : new ChunkScanner(settings);
  return { scanner, chunks: new ChunkCache(settings, wordPiece, unkId, settings.maxCharsPerWord, addedWords) };
}

/** Reads texts: tokens that are looked for in raw text first, then chunk by chunk what lies between them. */
export class PieceReader {
  readonly #scanner: ChunkScanner | RunScanner;
  readonly #chunks: ChunkCache;
  readonly #rawTokens: AddedTokenSplitter | undefined;

  constructor({ scanner, chunks }: ChunkReading, rawTokens: readonly SoughtToken[]) {
    this.#scanner = scanner;
    this.#chunks = chunks;
    this.#rawTokens = splitterFor(rawTokens);
  }

  /** Appends ids and word starts. */
  appendIds(text: string, sink: PieceBuffer): void {
    const addText = (from: number, to: number) => this.#appendIdsOf(text, from, to, sink);
    const addToken = (id: number) => {
      sink.reserve(1);
      sink.ids[sink.length] = id;
      sink.wordStarts[sink.length++] = 1;
    };
    if (this.#rawTokens) this.#rawTokens.split(text, addText, addToken);
    else addText(0, text.length);
  }

  #appendIdsOf(text: string, from: number, to: number, sink: PieceBuffer): void {
    const scanner = this.#scanner;
    const chunks = this.#chunks;
    scanner.reset(text, from, to);
    while (scanner.next()) {
      chunks.lookUp(text, scanner);
      const { pieces, count } = chunks;
      sink.reserve(count);
      const { ids, wordStarts } = sink;
      let at = sink.length;
      let piece = chunks.at;
      for (let i = 0; i < count; i++, piece += PIECE_STRIDE) {
        ids[at] = pieces[piece] >> 1;
        wordStarts[at++] = pieces[piece] & 1;
      }
      sink.length = at;
    }
  }

  /** Everything about the pieces; an added token is a word of its own. */
  read(text: string): SequencePieces {
    const pieces: SequencePieces = { ids: [], offsets: [], wordIds: [] };
    let word = -1;
    const addText = (from: number, to: number) => {
      word = this.#appendPieces(text, from, to, word, pieces);
    };
    const addToken = (id: number, start: number, end: number) => {
      pieces.ids.push(id);
      pieces.offsets.push(start, end);
      pieces.wordIds.push(++word);
    };
    if (this.#rawTokens) this.#rawTokens.split(text, addText, addToken);
    else addText(0, text.length);
    return pieces;
  }

  /** Appends the pieces of text[from, to); returns the number of the last word. */
  #appendPieces(text: string, from: number, to: number, word: number, out: SequencePieces): number {
    const scanner = this.#scanner;
    const chunks = this.#chunks;
    scanner.reset(text, from, to);
    while (scanner.next()) {
      chunks.lookUp(text, scanner);
      const { pieces, count } = chunks;
      let at = chunks.at;
      for (let i = 0; i < count; i++, at += PIECE_STRIDE) {
        word += pieces[at] & 1;
        out.ids.push(pieces[at] >> 1);
        out.offsets.push(scanner.start + pieces[at + 1], scanner.start + pieces[at + 2]);
        out.wordIds.push(word);
      }
    }
    return word;
  }
}

/** As `SoughtToken`, and in which texts it is looked for. */
export interface ReaderToken extends SoughtToken {
  /** Not in corpora. */
  readonly special: boolean;
  /** In what normalisation makes of the text. */
  readonly normalized: boolean;
}

/** The reader of texts, which looks for all tokens, and that of corpora, where what is special is text like any other. */
export function pieceReaders(
  tokens: readonly ReaderToken[],
  readChunks: (normalized: readonly SoughtToken[]) => ChunkReading,
): { ofTexts: PieceReader; ofCorpora: PieceReader } {
  const words = tokens.filter(({ special }) => !special);
  const [ofAll, ofWords] = [tokens, words].map((some) => some.filter(({ normalized }) => normalized));
  const [rawOfAll, rawOfWords] = [tokens, words].map((some) => some.filter(({ normalized }) => !normalized));
  const reading = readChunks(ofWords);
  return {
    ofTexts: new PieceReader(ofAll.length === ofWords.length ? reading : readChunks(ofAll), rawOfAll),
    ofCorpora: new PieceReader(reading, rawOfWords),
  };
}
