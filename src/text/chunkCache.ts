import type { NormalizationSettings } from './normalization.js';
import { normalizeAligned } from './normalization.js';
import { unsliced } from './unsliced.js';
import type { WordPiece } from './wordpiece.js';
import { ChunkKind, type ChunkScanner, forEachWord } from './words.js';

/** Numbers kept for each piece of a chunk: 2·id + (1 at a word's start), start, end (exclusive) within the chunk. */
export const PIECE_STRIDE = 3;

/** Longer chunks are seldom met again and are not remembered. */
const MAX_CACHED_LENGTH = 64;
/** Bounds of the memory a cache takes: about 6 MB of keys at most and 4 MB of pieces. */
const MAX_CACHED_CHUNKS = 65_536;
const POOL_SIZE = 1 << 20;

/**
 * The pieces of raw chunks, remembered. Natural text repeats its words, so normalising and matching become rare; when the
 * cache is full it starts over, which costs little for the same reason.
 */
export class ChunkCache {
  /** Pieces of the chunk last looked up: `count` of them, PIECE_STRIDE numbers each, from `at` in `pieces`. */
  pieces: Int32Array;
  at = 0;
  count = 0;
  readonly #settings: NormalizationSettings;
  readonly #wordPiece: WordPiece;
  readonly #unkId: number;
  readonly #maxCharsPerWord: number;
  /** Where a chunk's count stands in the pool; its pieces follow. */
  readonly #positions = new Map<string, number>();
  readonly #pool = new Int32Array(POOL_SIZE);
  #poolLength = 0;
  /** The same for chunks of one UTF-16 unit, which need no string. 0 is "not met yet". */
  readonly #unitPositions = new Int32Array(0x10000);

  constructor(settings: NormalizationSettings, wordPiece: WordPiece, unkId: number, maxCharsPerWord: number) {
    this.#settings = settings;
    this.#wordPiece = wordPiece;
    this.#unkId = unkId;
    this.#maxCharsPerWord = maxCharsPerWord;
    this.pieces = this.#pool;
    this.#clear();
  }

  /** Looks up the scanner's current chunk of `text`, tokenizing it if it is not remembered. */
  lookUp(text: string, chunk: ChunkScanner): void {
    const length = chunk.end - chunk.start;
    if (length === 1) {
      const unit = text.charCodeAt(chunk.start);
      const position = this.#unitPositions[unit] || this.#remember(text[chunk.start], chunk);
      this.#unitPositions[unit] = position;
      this.#point(position);
    } else if (length <= MAX_CACHED_LENGTH) {
      const raw = text.slice(chunk.start, chunk.end);
      this.#point(this.#positions.get(raw) ?? this.#rememberString(raw, chunk));
    } else if (chunk.kind === ChunkKind.word && length > this.#maxCharsPerWord) {
      // A 10 MB "word" is one [UNK] without a look at its characters: normalising never makes a plain chunk shorter.
      this.pieces = Int32Array.of(2 * this.#unkId + 1, 0, length);
      this.at = 0;
      this.count = 1;
    } else {
      this.pieces = new Int32Array(this.#tokenize(text.slice(chunk.start, chunk.end), chunk));
      this.at = 0;
      this.count = this.pieces.length / PIECE_STRIDE;
    }
  }

  #point(position: number): void {
    this.pieces = this.#pool;
    this.at = position + 1;
    this.count = this.#pool[position];
  }

  #rememberString(raw: string, chunk: ChunkScanner): number {
    if (this.#positions.size >= MAX_CACHED_CHUNKS) this.#clear();
    const position = this.#remember(raw, chunk);
    this.#positions.set(unsliced(raw), position);
    return position;
  }

  #remember(raw: string, chunk: ChunkScanner): number {
    const pieces = this.#tokenize(raw, chunk);
    if (this.#poolLength + pieces.length + 1 > POOL_SIZE) this.#clear();
    const position = this.#poolLength;
    this.#pool[position] = pieces.length / PIECE_STRIDE;
    this.#pool.set(pieces, position + 1);
    this.#poolLength += pieces.length + 1;
    return position;
  }

  #clear(): void {
    this.#positions.clear();
    this.#unitPositions.fill(0);
    this.#poolLength = 1;
  }

  #tokenize(raw: string, chunk: ChunkScanner): number[] {
    const result: number[] = [];
    const word = chunk.kind === ChunkKind.word ? chunk.normalizedUnits() : undefined;
    if (word !== undefined) {
      this.#wordPiece.split(word, result);
      for (let i = 0; i < result.length; i += PIECE_STRIDE) result[i] = 2 * result[i] + (i === 0 ? 1 : 0);
      return result;
    }
    const { text, starts, ends } = normalizeAligned(raw, this.#settings);
    const pieces: number[] = [];
    forEachWord(text, (wordStart, wordEnd) => {
      pieces.length = 0;
      this.#wordPiece.split(text.slice(wordStart, wordEnd), pieces);
      for (let i = 0; i < pieces.length; i += PIECE_STRIDE) {
        const start = wordStart + pieces[i + 1];
        const end = wordStart + pieces[i + 2];
        result.push(2 * pieces[i] + (i === 0 ? 1 : 0), starts[start], ends[end - 1]);
      }
    });
    return result;
  }
}
