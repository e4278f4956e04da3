import type { AddedTokenSplitter } from './addedTokens.js';
import type { NormalizationSettings } from './normalization.js';
import { normalizeAligned } from './normalization.js';
import type { WordPiece } from './wordpiece.js';
import { ChunkKind, forEachPart, forEachWord } from './words.js';

/** Numbers kept for each piece of a chunk: 2·id + (1 at a word's start), start, end (exclusive) within the chunk. */
export const PIECE_STRIDE = 3;

/** Longer chunks are seldom met again and are not remembered. */
const MAX_CACHED_LENGTH = 64;
/** Bounds of what is remembered: chunks, UTF-16 units of all of them, and numbers of their entries. */
const MAX_CHUNKS = 1 << 15;
const MAX_UNITS = 1 << 19;
const POOL_SIZE = 1 << 19;
/** Slots of the hash table, twice as many as chunks so that a search ends soon; each is a hash and an entry's place. */
const NUM_SLOTS = 2 * MAX_CHUNKS;
/** Numbers of an entry before its pieces: where its units begin, how many they are, how many pieces follow. */
const ENTRY_HEAD = 3;

/** Units `start` to `end` (exclusive) of a text that are tokenized apart from the rest, as a scanner finds them. */
export interface TextChunk {
  readonly start: number;
  readonly end: number;
  /** One of `ChunkKind`. */
  readonly kind: number;
  /** See ChunkScanner. */
  normalizedUnits(): string | undefined;
}

/**
 * The pieces of raw chunks, remembered. Natural text repeats its words, so normalising and matching become rare; when the
 * cache is full it starts over, which costs little for the same reason.
 *
 * A hash table in typed arrays of fixed size (4 MB), because the obvious Map from string to pieces needs a string a chunk:
 * tens of megabytes of short-lived and long-lived heap, which made the memory of `prepare` grow with its input.
 */
export class ChunkCache {
  /** Pieces of the chunk last looked up: `count` of them, PIECE_STRIDE numbers each, from `at` in `pieces`. */
  pieces: Int32Array;
  at = 0;
  count = 0;
  readonly #settings: NormalizationSettings;
  readonly #wordPiece: WordPiece;
  readonly #unkId: number;
  /** A word of more code points is one [UNK]. */
  readonly #unknownAbove: number;
  /** A word of more code points is cut into several. */
  readonly #cutAbove: number;
  readonly #addedWords: AddedTokenSplitter | undefined;
  /** Entries one after another; 0 is no entry's place. */
  readonly #pool = new Int32Array(POOL_SIZE);
  #poolLength = 1;
  /** The units of the remembered chunks. */
  readonly #units = new Uint16Array(MAX_UNITS);
  #unitsLength = 0;
  /** Open addressing with linear probing: hash and place in the pool (0: free) of each slot. */
  readonly #slots = new Int32Array(2 * NUM_SLOTS);
  #numChunks = 0;
  /** Places of the chunks of one UTF-16 unit, which need no search. 0 is "not met yet". */
  readonly #unitPlaces = new Int32Array(0x10000);

  /** @param addedWords  finds those that are looked for in normalised text, in chunks that have all of any */
  constructor(
    settings: NormalizationSettings,
    wordPiece: WordPiece,
    unkId: number,
    maxCharsPerWord: number,
    addedWords?: AddedTokenSplitter,
  ) {
    this.#addedWords = addedWords;
    this.#settings = settings;
    this.#wordPiece = wordPiece;
    this.#unkId = unkId;
    const longest = Number.POSITIVE_INFINITY;
    this.#unknownAbove = settings.cutLongWords ? longest : maxCharsPerWord;
    this.#cutAbove = settings.cutLongWords ? maxCharsPerWord : longest;
    this.pieces = this.#pool;
  }

  /** Looks up the scanner's current chunk of `text`, tokenizing it if it is not remembered. */
  lookUp(text: string, chunk: TextChunk): void {
    const length = chunk.end - chunk.start;
    if (length === 1) {
      const unit = text.charCodeAt(chunk.start);
      this.#unitPlaces[unit] ||= this.#remember(text, chunk);
      this.#point(this.#unitPlaces[unit]);
    } else if (length <= MAX_CACHED_LENGTH) {
      this.#point(this.#search(text, chunk));
    } else if (chunk.kind === ChunkKind.word && length > this.#unknownAbove) {
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

  #point(place: number): void {
    this.pieces = this.#pool;
    this.at = place + ENTRY_HEAD;
    this.count = this.#pool[place + 2];
  }

  /** The place of the chunk's entry, which is made when there is none. */
  #search(text: string, chunk: TextChunk): number {
    const slots = this.#slots;
    const hash = hashUnits(text, chunk.start, chunk.end);
    for (let slot = hash & (NUM_SLOTS - 1); slots[2 * slot + 1] !== 0; slot = (slot + 1) & (NUM_SLOTS - 1)) {
      if (slots[2 * slot] === hash && this.#isAt(slots[2 * slot + 1], text, chunk)) return slots[2 * slot + 1];
    }
    const place = this.#remember(text, chunk);
    // Remembering may have emptied the table, so the free slot is looked for afterwards.
    let slot = hash & (NUM_SLOTS - 1);
    while (slots[2 * slot + 1] !== 0) slot = (slot + 1) & (NUM_SLOTS - 1);
    slots[2 * slot] = hash;
    slots[2 * slot + 1] = place;
    return place;
  }

  #isAt(place: number, text: string, { start, end }: TextChunk): boolean {
    const units = this.#units;
    const first = this.#pool[place];
    if (this.#pool[place + 1] !== end - start) return false;
    for (let i = start; i < end; i++) if (units[first + i - start] !== text.charCodeAt(i)) return false;
    return true;
  }

  #remember(text: string, chunk: TextChunk): number {
    const { start, end } = chunk;
    const pieces = this.#tokenize(text.slice(start, end), chunk);
    const length = end - start;
    const isFull =
      this.#numChunks >= MAX_CHUNKS ||
      this.#unitsLength + length > MAX_UNITS ||
      this.#poolLength + ENTRY_HEAD + pieces.length > POOL_SIZE;
    if (isFull) this.#clear();
    const place = this.#poolLength;
    this.#pool[place] = this.#unitsLength;
    this.#pool[place + 1] = length;
    this.#pool[place + 2] = pieces.length / PIECE_STRIDE;
    this.#pool.set(pieces, place + ENTRY_HEAD);
    for (let i = start; i < end; i++) this.#units[this.#unitsLength++] = text.charCodeAt(i);
    this.#poolLength += ENTRY_HEAD + pieces.length;
    this.#numChunks++;
    return place;
  }

  #clear(): void {
    this.#slots.fill(0);
    this.#unitPlaces.fill(0);
    this.#numChunks = 0;
    this.#unitsLength = 0;
    this.#poolLength = 1;
  }

  #tokenize(raw: string, chunk: TextChunk): number[] {
    const result: number[] = [];
    const pieces: number[] = [];
    const word = chunk.kind === ChunkKind.word ? chunk.normalizedUnits() : undefined;
    if (word !== undefined) {
      forEachPart(word, this.#cutAbove, (start, end) => {
        pieces.length = 0;
        this.#wordPiece.split(end - start === word.length ? word : word.slice(start, end), pieces);
        for (let i = 0; i < pieces.length; i += PIECE_STRIDE) {
          result.push(2 * pieces[i] + (i === 0 ? 1 : 0), start + pieces[i + 1], start + pieces[i + 2]);
        }
      });
      return result;
    }
    const { text, starts, ends } = normalizeAligned(raw, this.#settings);
    const appendWord = (wordStart: number, wordEnd: number) => {
      pieces.length = 0;
      this.#wordPiece.split(text.slice(wordStart, wordEnd), pieces);
      for (let i = 0; i < pieces.length; i += PIECE_STRIDE) {
        const start = wordStart + pieces[i + 1];
        const end = wordStart + pieces[i + 2];
        result.push(2 * pieces[i] + (i === 0 ? 1 : 0), starts[start], ends[end - 1]);
      }
    };
    if (!this.#addedWords) {
      forEachWord(text, appendWord, this.#cutAbove);
      return result;
    }
    this.#addedWords.split(
      text,
      (from, to) =>
        forEachWord(text.slice(from, to), (start, end) => appendWord(from + start, from + end), this.#cutAbove),
      (id, start, end) => result.push(2 * id + 1, starts[start], ends[end - 1]),
    );
    return result;
  }
}

/** FNV-1a over UTF-16 units; the upper bits, which depend on all units best, are folded into the lower ones used. */
function hashUnits(text: string, start: number, end: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash ^ (hash >>> 15);
}
