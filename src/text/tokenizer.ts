import { DataError, SettingsError } from '../errors/errors.js';
import { addedTokenSettings, resolveAddedTokens, withoutBlankEnd } from './addedTokenFiles.js';
import type { AddedToken, AddedTokenInput } from './addedTokens.js';
import { contentHash } from './contentHash.js';
import { type Encoding, frameSequences, type SequencePieces, type TruncationStrategy } from './encoding.js';
import { normalize, stripsAccents } from './normalization.js';
import { PieceBuffer } from './pieceBuffer.js';
import { chunkReading, pieceReaders } from './pieceReader.js';
import { CallableTokenizer } from './tokenizerCall.js';
import {
  type TokenizerConfigOptions,
  tokenizerConfig,
  tokenizerJson,
  tokensFromVocabText,
  vocabularyFromTokenizerJson,
} from './tokenizerFiles.js';
import {
  addedTokensOf,
  additionalSpecialTokensOf,
  DEFAULT_SPECIAL_TOKENS,
  resolveTokenizerSettings,
  type SpecialTokens,
  type TokenizerOptions,
  type TokenizerSettings,
} from './tokenizerSettings.js';
import { CONTINUATION_PREFIX, WordPiece } from './wordpiece.js';
import { forEachWord } from './words.js';

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
  /**
   * Recognise special tokens written in the text, such as `[MASK]`. Default true; the fast path for corpora never does.
   * Words that were added to the vocabulary are found either way.
   */
  parseSpecialTokens?: boolean;
}

/**
 * BERT's tokenizer: normalisation, words, WordPiece. Same ids, offsets and word ids as the tokenizers package when loaded
 * from its `tokenizer.json`. Our own defaults keep what BERT's take apart: see docs/text.md.
 *
 * Not for texts beyond a few hundred MB at once: one text is one JavaScript string. Feed a corpus document by document or
 * cut it at whitespace; cutting there never changes the pieces.
 *
 * It is a function too: `tokenizer(['the chef', 'cooked'], { padding: true })` gives the rows that `Model.run` takes.
 */
export class WordPieceTokenizer extends CallableTokenizer {
  readonly settings: TokenizerSettings;
  /** Longest input in tokens that the tokenizer's files allow; undefined where they say nothing. */
  readonly maxLength?: number;
  /** The vocabulary in id order. */
  readonly tokens: readonly string[];
  readonly #ids: ReadonlyMap<string, number>;
  readonly #readers: ReturnType<typeof pieceReaders>;
  readonly #specialIds: ReadonlySet<number>;
  readonly #isContinuation: Uint8Array;
  #hash?: string;

  private constructor(vocabulary: readonly string[], settings: TokenizerSettings, maxLength?: number) {
    super();
    this.maxLength = maxLength;
    const tokens = withoutRepetitions(vocabulary);
    this.tokens = tokens;
    this.settings = settings;
    this.#ids = new Map(tokens.map((token, id) => [token, id]));
    this.#isContinuation = Uint8Array.from(tokens, (token) =>
      token.startsWith(CONTINUATION_PREFIX) && token.length > CONTINUATION_PREFIX.length ? 1 : 0,
    );
    for (const token of settings.additionalSpecialTokens) this.#required(token);
    for (const { content } of settings.addedTokens) this.#required(content);
    const sought = addedTokensOf(settings)
      .filter(({ content }) => this.#ids.has(content))
      .map((token) => ({ ...token, literal: token.content, id: this.#ids.get(token.content)! }));
    this.#specialIds = new Set(sought.filter(({ special }) => special).map(({ id }) => id));
    const { unkId } = this;
    const wordPiece = new WordPiece(tokens.slice(0, settings.wordPieceSize), unkId, settings.maxCharsPerWord);
    this.#readers = pieceReaders(sought, (words) => chunkReading(settings, wordPiece, unkId, words));
  }

  /**
   * A tokenizer over a vocabulary in id order. The defaults are those of `VocabularyTrainer`; for a published vocabulary
   * give `PUBLISHED_NORMALIZATION`, or read its folder. An empty token takes an id and is met by no text; of a token that
   * stands several times, the last id counts and the others are as empty.
   * @throws DataError   when [UNK], an additional special token or an added token is missing
   * @throws SettingsError for settings out of range
   */
  static fromVocabulary(
    tokens: readonly string[],
    settings?: TokenizerOptions,
    { maxLength }: { readonly maxLength?: number } = {},
  ): WordPieceTokenizer {
    return new WordPieceTokenizer(tokens, resolveTokenizerSettings(settings), maxLength);
  }

  /**
   * Reads `vocab.txt`: one token a line, the line number being the id. Empty lines at its end are none. Defaults as those of
   * `fromVocabulary`.
   */
  static fromVocabText(text: string, settings?: TokenizerOptions): WordPieceTokenizer {
    return WordPieceTokenizer.fromVocabulary(withoutBlankEnd(tokensFromVocabText(text)), settings);
  }

  /**
   * Reads a parsed `tokenizer.json` of the tokenizers package. Its truncation and padding settings are not taken over:
   * `encode` is given it each time.
   * @throws DataError naming the part that is not WordPiece with BERT's normalizer, pre-tokenizer and [CLS]/[SEP] frame
   */
  static fromTokenizerJson(json: unknown): WordPieceTokenizer {
    const { tokens: pieces, settings, entries } = vocabularyFromTokenizerJson(json);
    const { tokens, added, ...size } = resolveAddedTokens(pieces, entries);
    const five = Object.values({ ...DEFAULT_SPECIAL_TOKENS, ...settings.specialTokens });
    return WordPieceTokenizer.fromVocabulary(tokens, { ...settings, ...size, ...addedTokenSettings(added, five) });
  }

  get vocabSize(): number {
    return this.tokens.length;
  }

  /** Ids that a text can get lie below this: what is behind are empty tokens. */
  get numUsedIds(): number {
    return this.tokens.findLastIndex((token) => token !== '') + 1;
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
    return token === '' ? undefined : this.#ids.get(token);
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
      JSON.stringify([
        rules,
        [pad, unk, cls, sep, mask],
        additionalSpecialTokensOf(s),
        this.tokens,
        ...this.#hashedWords(),
      ]),
    );
    return this.#hash;
  }

  /** What of the added tokens decides on the ids of a corpus: its words, and nothing where there are none. */
  #hashedWords(): unknown[] {
    const { addedTokens, wordPieceSize = this.tokens.length } = this.settings;
    const idOf = ({ content }: AddedToken) => this.#ids.get(content)!;
    const words = addedTokens.filter(({ special }) => !special).sort((a, b) => idOf(a) - idOf(b));
    const behind = this.tokens.slice(wordPieceSize);
    if (words.length === 0 && !behind.some((token) => isOneWord(token, this.settings))) return [];
    // The whitespace that a word takes along changes no ids.
    return [words.map(({ content, normalized, singleWord }) => [content, normalized, singleWord]), wordPieceSize];
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
      const pieces = (parse ? this.#readers.ofTexts : this.#readers.ofCorpora).read(part);
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

  /**
   * Piece ids alone, int32: no special tokens, none recognised in the text. The fast path for corpora. Words that were
   * added to the vocabulary are pieces of it and are found.
   */
  encodeIds(text: string): Int32Array {
    const buffer = new PieceBuffer(text.length >> 1);
    this.appendIds(text, buffer);
    return buffer.ids.slice(0, buffer.length);
  }

  /** Appends the ids and word starts of `text` to `sink`, as `encodeIds`. */
  appendIds(text: string, sink: PieceBuffer): void {
    this.#readers.ofCorpora.appendIds(text, sink);
  }

  /** Start and end (exclusive) in the text of each piece that `encodeIds` gives, [2n]. */
  pieceOffsets(text: string): readonly number[] {
    return this.#readers.ofCorpora.read(text).offsets;
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

  /** The vocabulary as `vocab.txt`. Write `toTokenizerConfig()` beside it: neither casing nor added tokens are in this file. */
  toVocabText(): string {
    return `${this.tokens.slice(0, this.settings.wordPieceSize).join('\n')}\n`;
  }

  /** The tokenizer as `tokenizer.json`, which the tokenizers package loads with the same results. */
  toTokenizerJson(): Record<string, unknown> {
    return tokenizerJson(this.tokens, this.settings);
  }

  /** The tokenizer's settings as `tokenizer_config.json`; the casing is always written. */
  toTokenizerConfig(options?: TokenizerConfigOptions): Record<string, unknown> {
    return tokenizerConfig(this.tokens, this.settings, options);
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

/**
 * The vocabulary with every token once, where its last id is, as the published tokenizers read one (BERT's load_vocab);
 * ids that no text meets are the empty text.
 */
function withoutRepetitions(tokens: readonly string[]): readonly string[] {
  const last = new Map(tokens.map((token, id) => [token, id]));
  return last.size === tokens.length ? tokens : tokens.map((token, id) => (last.get(token) === id ? token : ''));
}

/** Whether WordPiece could meet the token, were it one of its pieces. */
function isOneWord(token: string, settings: TokenizerSettings): boolean {
  const piece = token.startsWith(CONTINUATION_PREFIX) ? token.slice(CONTINUATION_PREFIX.length) : token;
  if (normalize(piece, settings) !== piece) return false;
  let isWhole = false;
  forEachWord(piece, (start, end) => {
    isWhole ||= start === 0 && end === piece.length;
  });
  return isWhole;
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
export type { TokenizedText, TokenizedTexts, TokenizeOptions } from './tokenizerCall.js';
export type { AddedToken, AddedTokenInput, SpecialTokens, TokenizerOptions, TokenizerSettings };
