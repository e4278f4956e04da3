/** What a discriminator is trained on, made visible: a text with some tokens replaced by a generator's proposals. */
import { SettingsError } from '../errors/errors.js';
import type { Model } from '../pretrained/model.js';
import { requireTokenizer } from '../pretrained/requireTokenizer.js';
import { RandomStream } from '../random/philox.js';
import { settingName } from '../settings/settingNames.js';
import type { Encoding } from '../text/encoding.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import { isCandidate } from './candidates.js';
import { drawToken } from './drawToken.js';
import { joinParts } from './joinedText.js';
import { logProbabilities, MASKED_LM_OUTPUTS } from './maskedLanguageModel.js';

/** A place where the generator's proposal differs from the original. */
export interface Replacement {
  /** UTF-16 offsets in the corrupted text. */
  readonly start: number;
  readonly end: number;
  readonly original: string;
  readonly replacement: string;
}

/** A place that was masked, whatever the generator drew for it. */
export interface CorruptedPlace {
  /** UTF-16 offsets in the corrupted text. */
  readonly start: number;
  readonly end: number;
  readonly original: string;
  /** What the generator drew, without the `##` of a piece that continues a word. */
  readonly drawn: string;
  /** False where the draw is the original again, which counts as original (arXiv 2003.10555 §2). */
  readonly isReplaced: boolean;
}

export interface CorruptedText {
  readonly text: string;
  /** The text as the generator saw it: the mask token in every place. */
  readonly masked: string;
  /** In the order of the text. */
  readonly places: CorruptedPlace[];
  /** Those of the places whose draw differs from the original. */
  readonly replacements: Replacement[];
}

/** What may be masked: words that are one token, or, as in pre-training, any piece of a word. */
export type CorruptionUnit = 'word' | 'piece';

export interface CorruptionOptions {
  /** Of the words or pieces, above 0, up to 1; at least one is masked. */
  readonly fraction: number;
  /** The same seed gives the same corruption. */
  readonly seed: number;
  /** Divides the generator's logits before drawing, above 0. Default 1. */
  readonly temperature?: number;
  /** Default `word`. */
  readonly unit?: CorruptionUnit;
}

export interface TextCorrupter {
  /**
   * Masks some words, has the generator fill all of them independently (as in pre-training) and writes its draws into the
   * text, with a space added where a draw would run into what stands beside it. A place keeps its kind: a piece that
   * continues a word is drawn for one that does, a beginning for a beginning. A text beyond the model's length is corrupted
   * up to there.
   * @throws SettingsError naming every option that is out of range
   */
  corrupt(text: string, options: CorruptionOptions): Promise<CorruptedText>;
  release(): Promise<void>;
}

/** @param model  a generator, or another masked language model */
export async function textCorruption(model: Model): Promise<TextCorrupter> {
  requireTokenizer(model);
  await model.prepare(MASKED_LM_OUTPUTS);
  return {
    corrupt: (text, settings) => corrupt(model, text, settings),
    release: () => model.release(),
  };
}

async function corrupt(
  model: Model,
  text: string,
  { fraction, seed, temperature = 1, unit = 'word' }: CorruptionOptions,
): Promise<CorruptedText> {
  checkOptions(fraction, temperature);
  const tokenizer = requireTokenizer(model);
  const encoding = tokenizer.encode(text, { maxLength: model.maxLength });
  const { ids, offsets } = encoding;
  const positions = drawPositions(candidatesOf(encoding, tokenizer, unit), { fraction, seed });
  if (positions.length === 0) return { text, masked: text, places: [], replacements: [] };

  const masked = ids.slice();
  for (const position of positions) masked[position] = tokenizer.maskId;
  const [distributions] = await logProbabilities(model, [{ ids: masked, positions }]);
  const draws = new RandomStream(seed, 'proposals');
  const proposals = distributions.map((row, slot) => {
    const isContinuation = tokenizer.isContinuation(ids[positions[slot]]);
    const allows = (id: number) => isCandidate(tokenizer, id) && tokenizer.isContinuation(id) === isContinuation;
    return drawToken(row, draws.uniform(), { temperature, allows });
  });
  return write(
    tokenizer,
    text,
    positions.map((position, slot) => ({
      start: offsets[2 * position],
      end: offsets[2 * position + 1],
      token: tokenizer.idToToken(proposals[slot]).replace(/^##(?=.)/, ''),
      isReplaced: proposals[slot] !== ids[position],
      continues: tokenizer.isContinuation(ids[position]),
      isFollowed: tokenizer.isContinuation(ids[position + 1]),
    })),
  );
}

function checkOptions(fraction: number, temperature: number): void {
  const problems: string[] = [];
  if (!(fraction > 0 && fraction <= 1)) {
    problems.push(`${settingName('fraction')} is ${fraction}; expected above 0, up to 1`);
  }
  if (!(temperature > 0 && temperature < Infinity)) {
    problems.push(`${settingName('temperature')} is ${temperature}; expected a number above 0`);
  }
  if (problems.length > 0) throw new SettingsError(problems);
}

/** Positions that may be masked. A word of one token can be swapped in the text without touching its neighbours' pieces. */
function candidatesOf({ ids, wordIds }: Encoding, tokenizer: WordPieceTokenizer, unit: CorruptionUnit): number[] {
  const isWhole = (i: number) => wordIds[i] !== wordIds[i - 1] && wordIds[i] !== wordIds[i + 1];
  return [...ids.keys()].filter(
    (i) => wordIds[i] >= 0 && (unit === 'piece' || isWhole(i)) && !tokenizer.specialIds.has(ids[i]),
  );
}

/** So many of the candidates, without replacement, in the order of the text. */
function drawPositions(candidates: number[], { fraction, seed }: { fraction: number; seed: number }): number[] {
  const random = new RandomStream(seed, 'masking');
  const count = Math.min(candidates.length, Math.max(1, Math.round(candidates.length * fraction)));
  for (let i = 0; i < count; i++) {
    const j = i + random.integer(candidates.length - i);
    [candidates[i], candidates[j]] = [candidates[j], candidates[i]];
  }
  return candidates.slice(0, count).sort((a, b) => a - b);
}

/** A masked place: UTF-16 offsets in the original text, and what was drawn. */
interface Draw {
  readonly start: number;
  readonly end: number;
  readonly token: string;
  readonly isReplaced: boolean;
  /** Whether it continues a word, and whether the token behind it does. */
  readonly continues: boolean;
  readonly isFollowed: boolean;
}

function write(tokenizer: WordPieceTokenizer, text: string, draws: readonly Draw[]): CorruptedText {
  const mask = tokenizer.idToToken(tokenizer.maskId);
  const between = (i: number) => text.slice(draws[i - 1]?.end ?? 0, draws[i]?.start ?? text.length);
  const slice = (i: number) => ({ text: between(i), continues: draws[i - 1]?.isFollowed ?? false });
  // A token that was drawn again leaves the text as it is written, upper case and all.
  const drawn = draws.map(({ start, end, token, isReplaced }) => (isReplaced ? token : text.slice(start, end)));
  const parts = draws.flatMap(({ continues }, i) => [slice(i), { text: drawn[i], continues }]);
  const joined = joinParts(tokenizer, [...parts, slice(draws.length)]);
  const places = draws.map((draw, i): CorruptedPlace => {
    const [start, end] = joined.spans[2 * i + 1];
    const original = text.slice(draw.start, draw.end);
    return { start, end, original, drawn: drawn[i], isReplaced: draw.isReplaced };
  });
  const replaced = places.filter(({ isReplaced }) => isReplaced);
  return {
    text: joined.text,
    masked: draws.map((_, i) => between(i) + mask).join('') + between(draws.length),
    places,
    replacements: replaced.map(({ start, end, original, drawn: replacement }) => ({
      start,
      end,
      original,
      replacement,
    })),
  };
}
