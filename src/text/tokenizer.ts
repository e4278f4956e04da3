import { DataError, SettingsError } from '../errors.js';
import { ChunkCache, PIECE_STRIDE } from './chunkCache.js';
import { contentHash } from './contentHash.js';
import { type Encoding, frameSequences, type SequencePieces, type TruncationStrategy } from './encoding.js';
import { stripsAccents } from './normalization.js';
import { PieceBuffer } from './pieceBuffer.js';
import {
  type TokenizerConfigOptions,
  tokenizerConfig,
  tokenizerJson,
  tokensFromVocabText,
  vocabularyFromTokenizerJson,
} from './tokenizerFiles.js';
import {
  resolveTokenizerSettings,
  type SpecialTokens,
  type TokenizerOptions,
  type TokenizerSettings,
} from './tokenizerSettings.js';
import { CONTINUATION_PREFIX, WordPiece } from './wordpiece.js';
import { ChunkScanner } from './words.js';

/** How `encode` frames, truncates and counts. */
export interface EncodeOptions {
  /** A second text, such as the context that a question is asked about. */
  pair?: string;
  /** Add [CLS] and [SEP]. Default true. */
  addSpecialTokens?: boolean;
  /** Longest encoding in tokens, special tokens counted; needs a `truncation`. */
  maxLength?: number;
  /** Default 'longestFirst' when maxLength is given, otherwise 'none'. */
  truncation?: TruncationStrategy;
  /** Pieces that each further window repeats from the one before it. Default 0. */
  stride?: number;
  /** Pad to this many tokens. */
  padTo?: number;
  /** What offsets count: UTF-16 units, as JavaScript strings do (default), or Unicode code points, as Python does. */
  offsets?: 'utf16' | 'codePoint';
  /** Recognise special tokens written in the text, such as `[MASK]`. Default true; the fast path for corpora never does. */
  parseSpecialTokens?: boolean;
}

/**
 * BERT's tokenizer: normalisation, words, WordPiece. Same ids, offsets and word ids as the tokenizers package when loaded
 * from its `tokenizer.json`. Our own defaults keep what BERT's take apart: see docs/text.md.
 *
 * Not for texts beyond a few hundred MB at once: one text is one JavaScript string. Feed a corpus document by document or
 * cut it at whitespace; cutting there never changes the pieces.
 */
export class WordPieceTokenizer {
  readonly settings: TokenizerSettings;
  /** The vocabulary in id order. */
  readonly tokens: readonly string[];
  readonly #ids: ReadonlyMap<string, number>;
  readonly #scanner: ChunkScanner;
  readonly #chunks: ChunkCache;
  readonly #specialPattern: RegExp | undefined;
  readonly #specialIds: ReadonlySet<number>;
  readonly #isContinuation: Uint8Array;
  #hash?: string;

  private constructor(tokens: readonly string[], settings: TokenizerSettings) {
    this.tokens = tokens;
    this.settings = settings;
    this.#ids = indexVocabulary(tokens);
    this.#isContinuation = Uint8Array.from(tokens, (token) =>
      token.startsWith(CONTINUATION_PREFIX) && token.length > CONTINUATION_PREFIX.length ? 1 : 0,
    );
    for (const token of settings.additionalSpecialTokens) this.#required(token);
    const unkId = this.unkId;
    const wordPiece = new WordPiece(tokens, unkId, settings.maxCharsPerWord);
    this.#scanner = new ChunkScanner(settings);
    this.#chunks = new ChunkCache(settings, wordPiece, unkId, settings.maxCharsPerWord);
    const special = [...Object.values(settings.specialTokens), ...settings.additionalSpecialTokens].filter((token) =>
      this.#ids.has(token),
    );
    this.#specialIds = new Set(special.map((token) => this.#ids.get(token)!));
    this.#specialPattern = alternation(special);
  }

  /**
   * A tokenizer over a vocabulary in id order. The defaults are those of `VocabularyTrainer`; for a published vocabulary
   * give `PUBLISHED_NORMALIZATION`, or read its folder.
   * @throws DataError   when a token stands twice, or [UNK] or an additional special token is missing
   * @throws SettingsError for settings out of range
   */
  static fromVocabulary(tokens: readonly string[], settings?: TokenizerOptions): WordPieceTokenizer {
    return new WordPieceTokenizer(tokens, resolveTokenizerSettings(settings));
  }

  /** Reads `vocab.txt`: one token a line, the line number being the id. Defaults as those of `fromVocabulary`. */
  static fromVocabText(text: string, settings?: TokenizerOptions): WordPieceTokenizer {
    return WordPieceTokenizer.fromVocabulary(tokensFromVocabText(text), settings);
  }

  /**
   * Reads a parsed `tokenizer.json` of the tokenizers package. Its truncation and padding settings are not taken over:
   * `encode` is told each time.
   * @throws DataError naming the part that is not WordPiece with BERT's normalizer, pre-tokenizer and [CLS]/[SEP] frame
   */
  static fromTokenizerJson(json: unknown): WordPieceTokenizer {
    const { tokens, settings } = vocabularyFromTokenizerJson(json);
    return WordPieceTokenizer.fromVocabulary(tokens, settings);
  }

  get vocabSize(): number {
    return this.tokens.length;
  }

  get padId(): number {
    return this.#required(this.settings.specialTokens.pad);
  }

  get unkId(): number {
    return this.#required(this.settings.specialTokens.unk);
  }

  get clsId(): number {
    return this.#required(this.settings.specialTokens.cls);
  }

  get sepId(): number {
    return this.#required(this.settings.specialTokens.sep);
  }

  get maskId(): number {
    return this.#required(this.settings.specialTokens.mask);
  }

  /** Ids of all special tokens that the vocabulary holds. */
  get specialIds(): ReadonlySet<number> {
    return this.#specialIds;
  }

  /** @throws DataError when the id lies outside the vocabulary */
  idToToken(id: number): string {
    const token = this.tokens[id];
    if (token !== undefined) return token;
    throw new DataError(`token id ${id} lies outside the vocabulary`, {
      subject: 'token id',
      found: id,
      expected: `0 to ${this.tokens.length - 1}`,
      advice: `The vocabulary has ${this.tokens.length} tokens; use the one that the ids were made with.`,
    });
  }

  /** The token's id, or undefined when the vocabulary does not hold it. */
  tokenToId(token: string): number | undefined {
    return this.#ids.get(token);
  }

  /** Whether the piece continues a word (`##`). */
  isContinuation(id: number): boolean {
    return this.#isContinuation[id] === 1;
  }

  /** 32 hexadecimal digits that change with the vocabulary and with every setting; see contentHash.ts. */
  hash(): string {
    const s = this.settings;
    const strips = stripsAccents(s);
    const { pad, unk, cls, sep, mask } = s.specialTokens;
    // Only removing accents can tear Hangul.
    const tears = strips && s.tearHangul;
    const rules: unknown[] = [s.nfc, s.cleanText, s.handleChineseChars, s.lowercase, strips, tears, s.maxCharsPerWord];
    // What older tokenizers do not have is named only where it is on, so that their hashes stay.
    if (s.cleanText && s.keepFormat) rules.push('keepFormat');
    if (s.cutLongWords) rules.push('cutLongWords');
    this.#hash ??= contentHash(
      JSON.stringify([rules, [pad, unk, cls, sep, mask], s.additionalSpecialTokens, this.tokens]),
    );
    return this.#hash;
  }

  /**
   * Encodes a text or a pair for a model. Offsets point into the text as given, also where normalisation changed it; a
   * character that was removed belongs to no token.
   * @throws SettingsError for contradicting options; DataError when a special token that is needed is not in the vocabulary
   */
  encode(text: string, options: EncodeOptions = {}): Encoding {
    checkOptions(options);
    const { pair, addSpecialTokens = true, maxLength, stride = 0, padTo } = options;
    const truncation = options.truncation ?? (maxLength === undefined ? 'none' : 'longestFirst');
    const parse = options.parseSpecialTokens ?? true;
    const sequence = (part: string): SequencePieces => {
      const pieces = this.#encodeSequence(part, parse);
      return options.offsets === 'codePoint' ? inCodePoints(part, pieces) : pieces;
    };
    return frameSequences(
      sequence(text),
      pair === undefined ? undefined : sequence(pair),
      {
        clsId: addSpecialTokens ? this.clsId : undefined,
        sepId: addSpecialTokens ? this.sepId : undefined,
        idToToken: (id) => this.idToToken(id),
      },
      { maxLength, truncation, stride, padTo, padId: padTo === undefined ? undefined : this.padId },
    );
  }

  /** Piece ids alone, int32: no special tokens, none recognised in the text. The fast path for corpora. */
  encodeIds(text: string): Int32Array {
    const buffer = new PieceBuffer(text.length >> 1);
    this.appendIds(text, buffer);
    return buffer.ids.slice(0, buffer.length);
  }

  /** Appends the ids and word starts of `text` to `sink`, as `encodeIds`. */
  appendIds(text: string, sink: PieceBuffer): void {
    const scanner = this.#scanner;
    const chunks = this.#chunks;
    scanner.reset(text);
    while (scanner.next()) {
      chunks.lookUp(text, scanner);
      const { pieces, count } = chunks;
      sink.reserve(count);
      const { ids, wordStarts } = sink;
      let to = sink.length;
      let from = chunks.at;
      for (let i = 0; i < count; i++, from += PIECE_STRIDE) {
        ids[to] = pieces[from] >> 1;
        wordStarts[to++] = pieces[from] & 1;
      }
      sink.length = to;
    }
  }

  /** Start and end (exclusive) in the text of each piece that `encodeIds` gives, [2n]. */
  pieceOffsets(text: string): readonly number[] {
    return this.#encodeSequence(text, false).offsets;
  }

  /** Text for ids: words joined by spaces, `##` pieces to the word before them, no space before . , ? and !. */
  decode(ids: ArrayLike<number>, { skipSpecialTokens = true }: { skipSpecialTokens?: boolean } = {}): string {
    let text = '';
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i];
      const token = this.idToToken(id);
      if (skipSpecialTokens && this.#specialIds.has(id)) continue;
      if (this.isContinuation(id) && text !== '') text += token.slice(CONTINUATION_PREFIX.length);
      else if (text === '' || /^[.,?!]$/.test(token)) text += token;
      else text += ` ${token}`;
    }
    return text;
  }

  /** The vocabulary as `vocab.txt`. Write `toTokenizerConfig()` beside it: the casing is not in this file. */
  toVocabText(): string {
    return `${this.tokens.join('\n')}\n`;
  }

  /** The tokenizer as `tokenizer.json`, which the tokenizers package loads with the same results. */
  toTokenizerJson(): Record<string, unknown> {
    return tokenizerJson(this.tokens, this.settings);
  }

  /** The tokenizer's settings as `tokenizer_config.json`; the casing is always written. */
  toTokenizerConfig(options?: TokenizerConfigOptions): Record<string, unknown> {
    return tokenizerConfig(this.settings, options);
  }

  #encodeSequence(text: string, parseSpecialTokens: boolean): SequencePieces {
    const pieces: SequencePieces = { ids: [], offsets: [], wordIds: [] };
    let word = -1;
    let from = 0;
    if (parseSpecialTokens && this.#specialPattern) {
      for (const { index, 0: token } of text.matchAll(this.#specialPattern)) {
        word = this.#appendPieces(text, from, index, word, pieces);
        from = index + token.length;
        pieces.ids.push(this.#ids.get(token)!);
        pieces.offsets.push(index, from);
        pieces.wordIds.push(++word);
      }
    }
    this.#appendPieces(text, from, text.length, word, pieces);
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

  #required(token: string): number {
    const id = this.#ids.get(token);
    if (id !== undefined) return id;
    throw new DataError(`the vocabulary of ${this.tokens.length} tokens has no ${token}`, {
      subject: 'vocabulary',
      found: token,
      expected: `a line with ${token}`,
      advice: `Add ${token} to the vocabulary, or name the token that stands for it in the setting specialTokens.`,
    });
  }
}

function indexVocabulary(tokens: readonly string[]): Map<string, number> {
  const ids = new Map<string, number>();
  tokens.forEach((token, id) => {
    const earlier = ids.get(token);
    if (earlier !== undefined) {
      throw new DataError(`vocabulary: ${JSON.stringify(token)} has the ids ${earlier} and ${id}`, {
        subject: 'vocabulary',
        found: token,
        expected: 'every token once',
        advice: 'Remove one of them, in the model as well if it was trained with both.',
      });
    }
    ids.set(token, id);
  });
  return ids;
}

/** Matches any of the tokens, the longest first where one begins another. */
function alternation(tokens: readonly string[]): RegExp | undefined {
  if (tokens.length === 0) return undefined;
  const longestFirst = [...tokens].sort((a, b) => b.length - a.length);
  return new RegExp(longestFirst.map((token) => token.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'), 'gu');
}

function checkOptions(options: EncodeOptions): void {
  const problems: string[] = [];
  for (const name of ['maxLength', 'stride', 'padTo'] as const) {
    const value = options[name];
    if (value !== undefined && (!Number.isInteger(value) || value < 0)) {
      problems.push(`${name} is ${value}; expected a whole number of at least 0`);
    }
  }
  if (options.truncation && options.truncation !== 'none' && options.maxLength === undefined) {
    problems.push(`truncation is '${options.truncation}' without maxLength; give both`);
  }
  if (problems.length > 0) throw new SettingsError(problems);
}

/** The same pieces with offsets that count Unicode code points of `text`. */
function inCodePoints(text: string, pieces: SequencePieces): SequencePieces {
  if (!/[\ud800-\udbff]/.test(text)) return pieces;
  // codePoints[i]: code points before UTF-16 unit i.
  const codePoints = new Int32Array(text.length + 1);
  for (let i = 0; i < text.length; i++) {
    const isSecondHalf = i > 0 && text.codePointAt(i - 1)! > 0xffff;
    codePoints[i + 1] = codePoints[i] + (isSecondHalf ? 0 : 1);
  }
  return { ...pieces, offsets: pieces.offsets.map((offset) => codePoints[offset]) };
}

export { DEFAULT_NORMALIZATION, type NormalizationSettings, PUBLISHED_NORMALIZATION } from './normalization.js';
export { PieceBuffer } from './pieceBuffer.js';
export type { SpecialTokens, TokenizerOptions, TokenizerSettings };
