/**
 * What could stand where a text says [MASK]: candidates for each mask alone, and fillings of all masks together.
 * One mask's distribution knows nothing of what the others will be, so joint fillings are made one mask at a time, the
 * model reading what is already filled: p(x_1, x_2 | rest) = p(x_1 | rest) · p(x_2 | rest, x_1), the surest mask first,
 * with a beam of the best fillings so far.
 */
import { DataError, SettingsError } from '../errors/errors.js';
import { joinFirst } from '../errors/joinFirst.js';
import type { Model } from '../pretrained/model.js';
import { requireTokenizer } from '../pretrained/requireTokenizer.js';
import { settingName } from '../settings/settingNames.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import { isCandidate } from './candidates.js';
import { logProbabilities, MASKED_LM_OUTPUTS, type MaskedRow } from './maskedLanguageModel.js';
import { cutAround, filledText, findMasks, type MaskedText, mostProbable } from './maskedText.js';

export interface MaskCandidate {
  /** The word piece, with `##` where it continues a word. */
  readonly token: string;
  readonly id: number;
  /** Probability, 0 to 1, with all other masks still masked. Special tokens and padding of the table keep their share but are not listed. */
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
  /** The text with the masks filled: it encodes to these tokens, with a space added where a word would run into another. */
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
  /** Only these words are candidates, with the probabilities that they have among all. Each is one piece of the vocabulary. */
  readonly targets?: readonly string[];
}

export interface MaskFiller {
  readonly tokenizer: WordPieceTokenizer;
  /**
   * @throws DataError      when a text has no [MASK], its masks lie too far apart for the model to see all of them, or a target is
   *                        not one piece
   * @throws SettingsError  when `topK` is out of range
   */
  fill(text: string, options?: FillMaskOptions): Promise<FillMaskResult>;
  fill(texts: readonly string[], options?: FillMaskOptions): Promise<FillMaskResult[]>;
  /** Releases the model, with an engine that is its own. */
  release(): Promise<void>;
}

/**
 * @param model  a masked language model: a generator, a BERT or a SpanBERT with its head
 * @throws CheckpointError when its weights do not fit its config
 */
export async function fillMask(model: Model): Promise<MaskFiller> {
  const tokenizer = requireTokenizer(model);
  await model.prepare(MASKED_LM_OUTPUTS);
  function fill(text: string, options?: FillMaskOptions): Promise<FillMaskResult>;
  function fill(texts: readonly string[], options?: FillMaskOptions): Promise<FillMaskResult[]>;
  async function fill(input: string | readonly string[], { topK = 5, targets }: FillMaskOptions = {}) {
    const most = tokenizer.vocabSize;
    if (!(Number.isInteger(topK) && topK >= 1 && topK <= most)) {
      throw new SettingsError([`${settingName('topK')} is ${topK}; expected 1 to ${most}, the size of the vocabulary`]);
    }
    const allowed = targets && targetIds(tokenizer, targets);
    const choice: Choice = { topK, allows: allowed ? (id) => allowed.has(id) : (id) => isCandidate(tokenizer, id) };
    return typeof input === 'string' ? (await fillAll(model, [input], choice))[0] : fillAll(model, input, choice);
  }
  return { tokenizer, fill, release: () => model.release() };
}

/** What may stand in a mask, and how many of it are wanted. */
interface Choice {
  readonly topK: number;
  readonly allows: (id: number) => boolean;
}

/** @throws DataError naming those that are no piece of the vocabulary */
function targetIds(tokenizer: WordPieceTokenizer, targets: readonly string[]): Set<number> {
  const ids = targets.map((word) => {
    const pieces = tokenizer.encodeIds(word);
    return tokenizer.tokenToId(word) ?? (pieces.length === 1 ? pieces[0] : undefined);
  });
  const unusable = targets.filter((_, i) => ids[i] === undefined || !isCandidate(tokenizer, ids[i]));
  if (unusable.length === 0 && targets.length > 0) return new Set(ids as number[]);
  const named = joinFirst(
    unusable.map((word) => JSON.stringify(word)),
    5,
  );
  throw new DataError(targets.length === 0 ? 'there are no targets' : `no single piece of the vocabulary: ${named}`, {
    subject: 'targets',
    found: unusable,
    expected: 'words that are one piece each',
    advice: `Leave ${settingName('targets')} out, or name words that the model knows whole`,
  });
}

async function fillAll(model: Model, texts: readonly string[], choice: Choice): Promise<FillMaskResult[]> {
  const tokenizer = requireTokenizer(model);
  const masked = texts.map((text) => cutToFit(findMasks(tokenizer, text), model.maxLength));
  const alone = await logProbabilities(model, masked);
  const results: FillMaskResult[] = [];
  for (const [i, row] of masked.entries()) {
    const masks = row.offsets.map(([start, end], mask) => ({
      start,
      end,
      candidates: mostWords(alone[i][mask], choice).map((id) => ({
        token: tokenizer.idToToken(id),
        id,
        score: Math.exp(alone[i][mask][id]),
      })),
    }));
    results.push({ text: row.text, masks, fillings: await fillJointly(model, row, alone[i], choice) });
  }
  return results;
}

function cutToFit(masked: MaskedText, maxLength: number): MaskedText {
  return { ...masked, ...cutAround(masked, maxLength) };
}

/** Ids by falling probability, special tokens and rows that stand for no piece left out. */
function mostWords(logProbabilities: Float32Array, { topK, allows }: Choice): number[] {
  return mostProbable(logProbabilities, topK, allows);
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
  model: Model,
  row: MaskedText,
  alone: readonly Float32Array[],
  choice: Choice,
): Promise<JointFilling[]> {
  const tokenizer = requireTokenizer(model);
  let beams: Beam[] = [{ filled: row.positions.map(() => undefined), logProbability: 0 }];
  for (let round = 0; round < row.positions.length; round++) {
    const open = beams.map(({ filled }) => [...filled.keys()].filter((mask) => filled[mask] === undefined));
    const known =
      round === 0
        ? [alone]
        : await logProbabilities(
            model,
            beams.map((beam, i) => partlyFilled(row, beam, open[i])),
          );
    const grown = beams.flatMap((beam, i) => extend(beam, open[i], known[i], choice));
    beams = bestDistinct(grown, choice.topK);
  }
  return beams.map(({ filled, logProbability }) => {
    const ids = filled as number[];
    const tokens = ids.map((id) => tokenizer.idToToken(id));
    return { text: filledText(tokenizer, row, ids), tokens, ids, logProbability };
  });
}

function partlyFilled({ ids, positions }: MaskedText, { filled }: Beam, open: readonly number[]): MaskedRow {
  const copy = ids.slice();
  filled.forEach((id, mask) => {
    if (id !== undefined) copy[positions[mask]] = id;
  });
  return { ids: copy, positions: open.map((mask) => positions[mask]) };
}

/** Fills the mask that the model is surest of, in the most probable ways. */
function extend(
  { filled, logProbability }: Beam,
  open: readonly number[],
  logProbabilities: readonly Float32Array[],
  choice: Choice,
): Beam[] {
  const candidates = logProbabilities.map((row) => mostWords(row, choice));
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
