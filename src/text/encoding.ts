import { SettingsError } from '../errors/errors.js';

/** Where a text pair that is too long gives way. As in the tokenizers package. */
export type TruncationStrategy = 'none' | 'longestFirst' | 'onlyFirst' | 'onlySecond';

/** The pieces of one text, before special tokens and truncation. */
export interface SequencePieces {
  ids: number[];
  /** Start and end (exclusive) of each piece in the original text, in pairs. */
  offsets: number[];
  wordIds: number[];
}

/** A run of pieces from..to (exclusive) of a sequence. */
interface Window {
  from: number;
  to: number;
}

/** What framing a sequence or a pair needs to know about the tokenizer. */
export interface Frame {
  /** Undefined when no special tokens are added. */
  clsId?: number;
  sepId?: number;
  idToToken(id: number): string;
}

/**
 * A text, or a pair of texts, as a model takes it. All arrays have one entry a token (n of them), `offsets` two.
 * Special tokens that were added, and padding, have offsets 0,0, word id -1 and sequence id -1.
 */
export class Encoding {
  readonly #idToToken: (id: number) => string;
  #tokens?: string[];

  constructor(
    /** int32 [n] */
    readonly ids: Int32Array,
    /** int32 [n]: 0 for the first text, 1 for the second and the [SEP] after it */
    readonly typeIds: Int32Array,
    /** int32 [n]: 1 for tokens, 0 for padding */
    readonly attentionMask: Int32Array,
    /** int32 [n]: 1 for added special tokens and padding; a special token written in the text has 0 */
    readonly specialTokensMask: Int32Array,
    /** int32 [2n]: start and end (exclusive) in the text that the token comes from */
    readonly offsets: Int32Array,
    /** int32 [n]: number of the word in its text, from 0; -1 for special tokens */
    readonly wordIds: Int32Array,
    /** int32 [n]: 0 first text, 1 second, -1 special tokens */
    readonly sequenceIds: Int32Array,
    /** The further windows when the text was truncated, in the order of the tokenizers package. */
    readonly overflow: Encoding[],
    idToToken: (id: number) => string,
  ) {
    this.#idToToken = idToToken;
  }

  /** Number of tokens, padding included. */
  get length(): number {
    return this.ids.length;
  }

  /** The pieces as text, looked up when first asked for. */
  get tokens(): string[] {
    this.#tokens ??= Array.from(this.ids, this.#idToToken);
    return this.#tokens;
  }
}

/** How to frame, truncate and pad. */
export interface FrameOptions {
  /** Longest encoding in tokens, special tokens counted. */
  maxLength?: number;
  truncation: TruncationStrategy;
  /** Pieces that a window repeats from the one before it. */
  stride: number;
  /** Pads every window to this many tokens. */
  padTo?: number;
  padId?: number;
}

/**
 * Puts special tokens around one sequence ([CLS] A [SEP]) or two ([CLS] A [SEP] B [SEP]), cutting what is too long into
 * windows: the first is the result, the others its `overflow`.
 * @throws SettingsError when there is no room for text, the stride leaves no step, or the sequence that has to give way is too short
 */
export function frameSequences(
  first: SequencePieces,
  second: SequencePieces | undefined,
  frame: Frame,
  options: FrameOptions,
): Encoding {
  const [keepFirst, keepSecond] = keptLengths(first.ids.length, second?.ids.length, frame, options);
  const firstWindows = windows(first.ids.length, keepFirst, options.stride);
  const secondWindows = second ? windows(second.ids.length, keepSecond, options.stride) : [undefined];
  const build = (a: Window, b: Window | undefined, overflow: Encoding[]) =>
    buildEncoding(first, a, second, b, frame, options, overflow);
  // Order of the tokenizers package: first the later windows of A with all of B's, then A's first window with B's later ones.
  const overflow: Encoding[] = [];
  for (const a of firstWindows.slice(1)) for (const b of secondWindows) overflow.push(build(a, b, []));
  for (const b of secondWindows.slice(1)) overflow.push(build(firstWindows[0], b, []));
  return build(firstWindows[0], secondWindows[0], overflow);
}

/** How many pieces of each sequence a window holds. */
function keptLengths(
  numFirst: number,
  numSecond: number | undefined,
  frame: Frame,
  options: FrameOptions,
): [number, number] {
  const { maxLength, truncation } = options;
  const hasPair = numSecond !== undefined;
  const numSpecial = frame.clsId === undefined ? 0 : hasPair ? 3 : 2;
  const total = numFirst + (numSecond ?? 0) + numSpecial;
  if (maxLength === undefined || truncation === 'none' || total <= maxLength) return [numFirst, numSecond ?? 0];
  const room = maxLength - numSpecial;
  const excess = total - maxLength;
  if (truncation === 'longestFirst' && hasPair) return shareRoom(numFirst, numSecond, room);
  if (truncation === 'onlySecond') {
    if (!hasPair) throw new SettingsError(["truncation is 'onlySecond', but there is no second text"]);
    return [numFirst, mustRemain('second', numSecond - excess, numSecond, maxLength)];
  }
  return [mustRemain('first', numFirst - excess, numFirst, maxLength), numSecond ?? 0];
}

function mustRemain(which: string, remaining: number, length: number, maxLength: number): number {
  if (remaining > 0) return remaining;
  throw new SettingsError([
    `maxLength is ${maxLength}: truncating the ${which} text (${length} pieces) cannot make room; raise maxLength or use truncation 'longestFirst'`,
  ]);
}

/** The shorter text keeps all it can; when both are long, each gets half, the longer one the odd piece. */
function shareRoom(numFirst: number, numSecond: number, room: number): [number, number] {
  const shorter = Math.min(numFirst, numSecond);
  let keepShorter = shorter;
  let keepLonger = shorter > room ? shorter : Math.max(shorter, room - shorter);
  if (keepShorter + keepLonger > room) {
    keepShorter = Math.floor(room / 2);
    keepLonger = keepShorter + (room % 2);
  }
  return numFirst > numSecond ? [keepLonger, keepShorter] : [keepShorter, keepLonger];
}

function windows(length: number, size: number, stride: number): Window[] {
  if (size >= length) return [{ from: 0, to: length }];
  if (size <= 0) throw new SettingsError(['maxLength leaves no room for text between the special tokens; raise it']);
  if (stride >= size) {
    throw new SettingsError([
      `stride is ${stride}, but a window holds only ${size} pieces; expected less, or a larger maxLength`,
    ]);
  }
  const result: Window[] = [];
  for (let from = 0; ; from += size - stride) {
    const to = Math.min(from + size, length);
    result.push({ from, to });
    if (to === length) return result;
  }
}

function buildEncoding(
  first: SequencePieces,
  a: Window,
  second: SequencePieces | undefined,
  b: Window | undefined,
  frame: Frame,
  options: FrameOptions,
  overflow: Encoding[],
): Encoding {
  const { clsId, sepId } = frame;
  const addSpecial = clsId !== undefined && sepId !== undefined;
  const numSpecial = addSpecial ? (b ? 3 : 2) : 0;
  const numTokens = a.to - a.from + (b ? b.to - b.from : 0) + numSpecial;
  const length = Math.max(numTokens, options.padTo ?? 0);
  const ids = new Int32Array(length);
  const typeIds = new Int32Array(length);
  const attentionMask = new Int32Array(length).fill(1, 0, numTokens);
  const specialTokensMask = new Int32Array(length).fill(1);
  const offsets = new Int32Array(2 * length);
  const wordIds = new Int32Array(length).fill(-1);
  const sequenceIds = new Int32Array(length).fill(-1);
  if (length > numTokens) ids.fill(options.padId!, numTokens);

  let position = 0;
  const addSpecialToken = (id: number, typeId: number) => {
    ids[position] = id;
    typeIds[position++] = typeId;
  };
  const addPieces = (sequence: SequencePieces, { from, to }: Window, sequenceId: number) => {
    for (let i = from; i < to; i++, position++) {
      ids[position] = sequence.ids[i];
      typeIds[position] = sequenceId;
      specialTokensMask[position] = 0;
      offsets[2 * position] = sequence.offsets[2 * i];
      offsets[2 * position + 1] = sequence.offsets[2 * i + 1];
      wordIds[position] = sequence.wordIds[i];
      sequenceIds[position] = sequenceId;
    }
  };
  if (addSpecial) addSpecialToken(clsId, 0);
  addPieces(first, a, 0);
  if (addSpecial) addSpecialToken(sepId, 0);
  if (second && b) {
    addPieces(second, b, 1);
    if (addSpecial) addSpecialToken(sepId, 1);
  }
  return new Encoding(
    ids,
    typeIds,
    attentionMask,
    specialTokensMask,
    offsets,
    wordIds,
    sequenceIds,
    overflow,
    frame.idToToken,
  );
}
