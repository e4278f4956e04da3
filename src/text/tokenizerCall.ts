/** `tokenizer(texts, options)`: rows for a model, as transformers and transformers.js have it. */
import { DataError, SettingsError } from '../errors/errors.js';
import type { Encoding, TruncationStrategy } from './encoding.js';

export interface TokenizeOptions {
  /** A second text, or with several texts one for each of them. */
  textPair?: string | readonly string[];
  /** Add [CLS] and [SEP]. Default true. */
  addSpecialTokens?: boolean;
  /** Fill up with [PAD]: to the longest of the texts (true, 'longest') or to `maxLength` ('maxLength'). Default false. */
  padding?: boolean | 'longest' | 'maxLength';
  /** Cut what is longer than `maxLength`; true is 'longestFirst'. Default: true when `maxLength` is given and is not for padding. */
  truncation?: boolean | TruncationStrategy;
  /** In tokens, special tokens counted. Default: what the tokenizer's files say; where they say nothing, nothing is cut. */
  maxLength?: number;
  /** Also where each token comes from. Default false. */
  returnOffsets?: boolean;
}

/** A text as a model takes it. All lists have one entry a token. */
export interface TokenizedText {
  inputIds: number[];
  /** 1 for tokens, 0 for padding. */
  attentionMask: number[];
  /** 0 for the first text, 1 for the second and the [SEP] after it. */
  tokenTypeIds: number[];
  /** With `returnOffsets`: start and end (exclusive) in the text, in UTF-16 units; [0, 0] for what was added. */
  offsets?: [start: number, end: number][];
}

/** The same of several texts: of each its list. What `Model.run` takes. */
export type TokenizedTexts = { [Name in keyof TokenizedText]: NonNullable<TokenizedText[Name]>[] };

/** One text in, one out; several in, several out. */
export interface TokenizerCall {
  (text: string, options?: TokenizeOptions): TokenizedText;
  (texts: readonly string[], options?: TokenizeOptions): TokenizedTexts;
  (texts: string | readonly string[], options?: TokenizeOptions): TokenizedText | TokenizedTexts;
}

/** What the call needs of a tokenizer. */
interface Tokenizing {
  readonly maxLength?: number;
  readonly padId: number;
  encode(
    text: string,
    options: { pair?: string; addSpecialTokens?: boolean; maxLength?: number; truncation?: TruncationStrategy },
  ): Encoding;
}

/**
 * A class whose instances are functions too. A function is made an instance; classes derived from this one add their fields
 * and methods to it.
 */
class CallableInstance {
  constructor() {
    const call = (texts: string | readonly string[], options?: TokenizeOptions) =>
      tokenize(call as unknown as Tokenizing, texts, options);
    // biome-ignore lint/correctness/noConstructorReturn: only an object that is returned can be a function
    return Object.setPrototypeOf(call, new.target.prototype);
  }
}

export const CallableTokenizer = CallableInstance as unknown as new () => TokenizerCall;

function tokenize(
  tokenizer: Tokenizing,
  texts: string | readonly string[],
  options: TokenizeOptions = {},
): TokenizedText | TokenizedTexts {
  const maxLength = options.maxLength ?? tokenizer.maxLength;
  checkOptions(options, maxLength);
  const { addSpecialTokens, padding = false } = options;
  const truncation = truncationOf(options);
  const cut = truncation === 'none' || maxLength === undefined ? {} : { maxLength, truncation };
  const rows = pairsOf(texts, options.textPair).map(([text, pair]) => {
    return rowOf(tokenizer.encode(text, { pair, addSpecialTokens, ...cut }), options.returnOffsets ?? false);
  });
  const longest = rows.reduce((most, { inputIds }) => Math.max(most, inputIds.length), 0);
  const length = padding === 'maxLength' ? maxLength! : longest;
  if (padding !== false) for (const row of rows) pad(row, length, tokenizer.padId);
  return typeof texts === 'string' ? rows[0] : byName(rows, options.returnOffsets ?? false);
}

function truncationOf({ truncation, maxLength, padding }: TokenizeOptions): TruncationStrategy {
  const wanted = truncation ?? (maxLength !== undefined && padding !== 'maxLength');
  if (typeof wanted === 'string') return wanted;
  return wanted ? 'longestFirst' : 'none';
}

function rowOf({ ids, attentionMask, typeIds, offsets }: Encoding, returnOffsets: boolean): TokenizedText {
  const row = { inputIds: [...ids], attentionMask: [...attentionMask], tokenTypeIds: [...typeIds] };
  if (!returnOffsets) return row;
  const pairs = row.inputIds.map((_, i): [number, number] => [offsets[2 * i], offsets[2 * i + 1]]);
  return { ...row, offsets: pairs };
}

function pad({ inputIds, attentionMask, tokenTypeIds, offsets }: TokenizedText, length: number, padId: number): void {
  for (let i = inputIds.length; i < length; i++) {
    inputIds.push(padId);
    attentionMask.push(0);
    tokenTypeIds.push(0);
    offsets?.push([0, 0]);
  }
}

function byName(rows: readonly TokenizedText[], returnOffsets: boolean): TokenizedTexts {
  return {
    inputIds: rows.map(({ inputIds }) => inputIds),
    attentionMask: rows.map(({ attentionMask }) => attentionMask),
    tokenTypeIds: rows.map(({ tokenTypeIds }) => tokenTypeIds),
    ...(returnOffsets && { offsets: rows.map(({ offsets }) => offsets!) }),
  };
}

function pairsOf(
  texts: string | readonly string[],
  textPair: string | readonly string[] | undefined,
): (readonly [text: string, pair: string | undefined])[] {
  const first = typeof texts === 'string' ? [texts] : texts;
  const second = typeof textPair === 'string' ? [textPair] : textPair;
  checkTexts('texts', first);
  if (second !== undefined) checkTexts('textPair', second);
  const fits = second === undefined || (second.length === first.length && typeof texts === typeof textPair);
  if (!fits) {
    const expected = typeof texts === 'string' ? 'one text' : `a list of ${first.length}, one for each text`;
    const found = typeof textPair === 'string' ? 'one text' : `a list of ${second.length}`;
    throw new SettingsError([`textPair is ${found}; expected ${expected}`]);
  }
  return first.map((text, i) => [text, second?.[i]]);
}

function checkTexts(name: string, texts: readonly unknown[]): void {
  const isList = Array.isArray(texts);
  const at = isList ? texts.findIndex((text) => typeof text !== 'string') : -1;
  if (isList && at < 0) return;
  const where = isList ? `${name}[${at}]` : name;
  const found = isList ? texts[at] : texts;
  throw new DataError(
    `${where} is ${JSON.stringify(found) ?? String(found)}; expected ${isList ? 'text' : 'text or a list of texts'}`,
    {
      subject: name,
      found,
      expected: 'text',
    },
  );
}

const TRUNCATIONS: readonly unknown[] = [undefined, true, false, 'none', 'longestFirst', 'onlyFirst', 'onlySecond'];
const PADDINGS: readonly unknown[] = [undefined, true, false, 'longest', 'maxLength'];
const OPTIONS: readonly string[] = [
  ...['textPair', 'addSpecialTokens', 'padding', 'truncation', 'maxLength', 'returnOffsets'],
];

/** @throws SettingsError naming all that is wrong, names in the spelling of Python among it */
function checkOptions(options: TokenizeOptions, maxLength: number | undefined): void {
  const problems = Object.keys(options)
    .filter((name) => !OPTIONS.includes(name))
    .map((name) => `there is no option ${name}; the options are ${OPTIONS.join(', ')}`);
  const { padding, truncation } = options;
  if (!PADDINGS.includes(padding))
    problems.push(`padding is ${padding}; expected true, false, 'longest' or 'maxLength'`);
  if (!TRUNCATIONS.includes(truncation)) {
    problems.push(`truncation is ${truncation}; expected true, false, 'longestFirst', 'onlyFirst' or 'onlySecond'`);
  }
  if (padding === 'maxLength' && maxLength === undefined) {
    problems.push("padding is 'maxLength' without maxLength, and the tokenizer's files say none; give it");
  }
  if (maxLength !== undefined && !(Number.isInteger(maxLength) && maxLength >= 0)) {
    problems.push(`maxLength is ${maxLength}; expected a whole number of at least 0`);
  }
  if (problems.length > 0) throw new SettingsError(problems);
}
