/**
 * What could stand where a text says [MASK]: candidates for each mask alone, and fillings of all masks together.
 * One mask's distribution knows nothing of what the others will be, so joint fillings are made one mask at a time, the
 * model reading what is already filled: p(x_1, x_2 | rest) = p(x_1 | rest) · p(x_2 | rest, x_1), the surest mask first,
 * with a beam of the best fillings so far.
 */
import { DataError, SettingsError } from '../errors.js';
import type { Encoding } from '../text/encoding.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import type { PipelineOptions } from './encoderModel.js';
import { MaskedLanguageModel, type MaskedRow } from './maskedLanguageModel.js';

export interface MaskCandidate {
  /** The word piece, with `##` where it continues a word. */
  readonly token: string;
  readonly id: number;
  /** Probability, 0 to 1, with all other masks still masked. Special tokens keep their share but are not listed. */
  readonly score: number;
}

/** A [MASK] of the text. */
export interface FilledMask {
  /** UTF-16 offsets of the mask in the original text. */
  readonly start: number;
  readonly end: number;
  /** Most probable first. */
  readonly candidates: MaskCandidate[];
}

/** All masks filled at once. */
export interface JointFilling {
  /** The text with the masks filled. */
  readonly text: string;
  /** One word piece a mask, in the order of the text. */
  readonly tokens: string[];
  readonly ids: number[];
  /** Natural logarithm of the joint probability. */
  readonly logProbability: number;
}

export interface FillMaskResult {
  readonly text: string;
  readonly masks: FilledMask[];
  /** Most probable first. With one mask, its candidates again. */
  readonly fillings: JointFilling[];
}

export interface FillMaskOptions {
  /** Candidates of each mask, and joint fillings. Default 5. */
  readonly topK?: number;
}

export interface MaskFiller {
  /**
   * @throws DataError      when a text has no [MASK], or its masks lie too far apart for the model to see all of them
   * @throws SettingsError  when `topK` is out of range
   */
  fill(text: string, options?: FillMaskOptions): Promise<FillMaskResult>;
  fill(texts: readonly string[], options?: FillMaskOptions): Promise<FillMaskResult[]>;
  /** Frees the model; the engine stays. */
  release(): Promise<void>;
}

/**
 * Loads a generator (any ELECTRA masked language model).
 * @throws CheckpointError when the weights or the tokenizer do not fit the config
 */
export async function fillMask(options: PipelineOptions): Promise<MaskFiller> {
  const model = await MaskedLanguageModel.load(options, 'fill-mask');
  function fill(text: string, options?: FillMaskOptions): Promise<FillMaskResult>;
  function fill(texts: readonly string[], options?: FillMaskOptions): Promise<FillMaskResult[]>;
  async function fill(input: string | readonly string[], { topK = 5 }: FillMaskOptions = {}) {
    const most = model.tokenizer.vocabSize;
    if (!(Number.isInteger(topK) && topK >= 1 && topK <= most)) {
      throw new SettingsError([`topK is ${topK}; expected 1 to ${most}, the size of the vocabulary`]);
    }
    return typeof input === 'string' ? (await fillAll(model, [input], topK))[0] : fillAll(model, input, topK);
  }
  return { fill, release: () => model.release() };
}

/** A text cut to what the model can take, around its masks. */
interface MaskedText extends MaskedRow {
  readonly text: string;
  /** UTF-16 start and end of each mask. */
  readonly offsets: readonly (readonly [number, number])[];
}

async function fillAll(model: MaskedLanguageModel, texts: readonly string[], topK: number): Promise<FillMaskResult[]> {
  const masked = texts.map((text) => findMasks(model.tokenizer, text, model.maxLength));
  const alone = await model.logProbabilities(masked);
  const results: FillMaskResult[] = [];
  for (const [i, row] of masked.entries()) {
    const masks = row.offsets.map(([start, end], mask) => ({
      start,
      end,
      candidates: mostProbable(model.tokenizer, alone[i][mask], topK).map((id) => ({
        token: model.tokenizer.idToToken(id),
        id,
        score: Math.exp(alone[i][mask][id]),
      })),
    }));
    results.push({ text: row.text, masks, fillings: await fillJointly(model, row, alone[i], topK) });
  }
  return results;
}

function findMasks(tokenizer: WordPieceTokenizer, text: string, maxLength: number): MaskedText {
  const { maskId } = tokenizer;
  const encoding = tokenizer.encode(text);
  const positions = [...encoding.ids.keys()].filter((i) => encoding.ids[i] === maskId);
  if (positions.length === 0) {
    const mask = tokenizer.settings.specialTokens.mask;
    throw new DataError(`the text has no ${mask}: ${JSON.stringify(shortened(text))}`, {
      subject: 'text',
      expected: `at least one ${mask}`,
      advice: `Write ${mask} where a word is to be filled in, for instance "The chef ${mask} the meal."`,
    });
  }
  const offsets = positions.map((i) => [encoding.offsets[2 * i], encoding.offsets[2 * i + 1]] as const);
  return { text, offsets, ...cutAround(encoding, positions, maxLength) };
}

function shortened(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** The row as it is when it fits, else [CLS], as many tokens on both sides of the masks as there is room for, [SEP]. */
function cutAround({ ids }: Encoding, positions: readonly number[], maxLength: number): MaskedRow {
  if (ids.length <= maxLength) return { ids, positions };
  const size = maxLength - 2;
  const first = positions[0];
  const last = positions.at(-1)!;
  const span = last - first + 1;
  if (span > size) {
    throw new DataError(`the masks lie ${span} tokens apart; the model takes ${size} at a time`, {
      subject: 'text',
      found: span,
      expected: `at most ${size} tokens from the first mask to the last`,
      advice: 'Fill parts of the text one after another',
    });
  }
  const middle = first - Math.floor((size - span) / 2);
  const from = Math.max(1, Math.min(middle, ids.length - 1 - size)); // [SEP] is last
  const cut = Int32Array.of(ids[0], ...ids.subarray(from, from + size), ids[ids.length - 1]);
  return { ids: cut, positions: positions.map((position) => position - from + 1) };
}

/** Ids by falling probability, special tokens left out; equal ones in id order. */
function mostProbable({ specialIds }: WordPieceTokenizer, logProbabilities: Float32Array, count: number): number[] {
  const best: number[] = [];
  for (let id = 0; id < logProbabilities.length; id++) {
    const isBetter = best.length < count || logProbabilities[id] > logProbabilities[best[best.length - 1]];
    if (!isBetter || specialIds.has(id)) continue;
    let at = best.length;
    while (at > 0 && logProbabilities[best[at - 1]] < logProbabilities[id]) at--;
    best.splice(at, 0, id);
    if (best.length > count) best.pop();
  }
  return best;
}

/** A filling under way. */
interface Beam {
  /** Ids by mask; undefined where it is still masked. */
  readonly filled: readonly (number | undefined)[];
  readonly logProbability: number;
}

/**
 * Beam search over the masks.
 * @param alone  log-probabilities of each mask while all are masked: the first round's, already known
 */
async function fillJointly(
  model: MaskedLanguageModel,
  row: MaskedText,
  alone: readonly Float32Array[],
  topK: number,
): Promise<JointFilling[]> {
  let beams: Beam[] = [{ filled: row.positions.map(() => undefined), logProbability: 0 }];
  for (let round = 0; round < row.positions.length; round++) {
    const open = beams.map(({ filled }) => [...filled.keys()].filter((mask) => filled[mask] === undefined));
    const known =
      round === 0 ? [alone] : await model.logProbabilities(beams.map((beam, i) => partlyFilled(row, beam, open[i])));
    const grown = beams.flatMap((beam, i) => extend(model.tokenizer, beam, open[i], known[i], topK));
    beams = bestDistinct(grown, topK);
  }
  return beams.map(({ filled, logProbability }) => {
    const ids = filled as number[];
    const tokens = ids.map((id) => model.tokenizer.idToToken(id));
    const pieces = ids.map((id, mask) => ({ token: tokens[mask], continues: model.tokenizer.isContinuation(id) }));
    return { text: filledText(row, pieces), tokens, ids, logProbability };
  });
}

function partlyFilled({ ids, positions }: MaskedText, { filled }: Beam, open: readonly number[]): MaskedRow {
  const copy = ids.slice();
  filled.forEach((id, mask) => {
    if (id !== undefined) copy[positions[mask]] = id;
  });
  return { ids: copy, positions: open.map((mask) => positions[mask]) };
}

/** Fills the mask that the model is surest of, in the `count` most probable ways. */
function extend(
  tokenizer: WordPieceTokenizer,
  { filled, logProbability }: Beam,
  open: readonly number[],
  logProbabilities: readonly Float32Array[],
  count: number,
): Beam[] {
  const candidates = logProbabilities.map((row) => mostProbable(tokenizer, row, count));
  const highest = candidates.map(([best], i) => logProbabilities[i][best]);
  const surest = highest.indexOf(Math.max(...highest));
  return candidates[surest].map((id) => ({
    filled: filled.map((old, mask) => (mask === open[surest] ? id : old)),
    logProbability: logProbability + logProbabilities[surest][id],
  }));
}

/** The best beams; one filling may be reached in two orders, and then stands once. */
function bestDistinct(beams: readonly Beam[], count: number): Beam[] {
  const seen = new Set<string>();
  return [...beams]
    .sort((a, b) => b.logProbability - a.logProbability)
    .filter(({ filled }) => {
      const key = filled.map((id) => id ?? '').join(' ');
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    })
    .slice(0, count);
}

/** The original text with its masks replaced; a `##` piece is joined to what stands before it. */
function filledText({ text, offsets }: MaskedText, pieces: readonly { token: string; continues: boolean }[]): string {
  let result = '';
  let from = 0;
  pieces.forEach(({ token, continues }, mask) => {
    const [start, end] = offsets[mask];
    result += text.slice(from, start);
    result = continues ? result.trimEnd() + token.slice(2) : result + token;
    from = end;
  });
  return result + text.slice(from);
}
