/** What a discriminator is trained on, made visible: a text with some tokens replaced by a generator's proposals. */
import { SettingsError } from '../errors.js';
import { RandomStream } from '../random/philox.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import { isCandidate } from './candidates.js';
import type { PipelineOptions } from './encoderModel.js';
import { joinParts } from './joinedText.js';
import { MaskedLanguageModel } from './maskedLanguageModel.js';

/** A place where the generator's proposal differs from the original. */
export interface Replacement {
  /** UTF-16 offsets in the corrupted text. */
  readonly start: number;
  readonly end: number;
  readonly original: string;
  readonly replacement: string;
}

export interface CorruptedText {
  readonly text: string;
  readonly replacements: Replacement[];
}

export interface TextCorrupter {
  /**
   * Masks whole words that are one token, has the generator fill all of them independently (as in pre-training) and
   * writes its draws into the text, with a space added where a draw would run into what stands beside it. A text beyond the model's length is corrupted up to there.
   * @param fraction  of the words, 0 to 1; at least one
   * @param seed      the same seed gives the same corruption
   */
  corrupt(text: string, options: { fraction: number; seed: number }): Promise<CorruptedText>;
  release(): Promise<void>;
}

/** Loads a generator. */
export async function textCorruption(options: PipelineOptions): Promise<TextCorrupter> {
  const model = await MaskedLanguageModel.load(options, 'text corruption');
  return {
    corrupt: (text, settings) => corrupt(model, text, settings),
    release: () => model.release(),
  };
}

async function corrupt(
  model: MaskedLanguageModel,
  text: string,
  { fraction, seed }: { fraction: number; seed: number },
): Promise<CorruptedText> {
  if (!(fraction > 0 && fraction <= 1)) throw new SettingsError([`fraction is ${fraction}; expected above 0, up to 1`]);
  const { tokenizer } = model;
  const { ids, offsets, wordIds } = tokenizer.encode(text, { maxLength: model.maxLength });
  // A single-token word can be swapped in the text without touching its neighbours' pieces.
  const candidates = [...ids.keys()].filter(
    (i) =>
      wordIds[i] >= 0 &&
      wordIds[i] !== wordIds[i - 1] &&
      wordIds[i] !== wordIds[i + 1] &&
      !tokenizer.specialIds.has(ids[i]),
  );
  const random = new RandomStream(seed, 'masking');
  const count = Math.min(candidates.length, Math.max(1, Math.round(candidates.length * fraction)));
  for (let i = 0; i < count; i++) {
    const j = i + random.integer(candidates.length - i);
    [candidates[i], candidates[j]] = [candidates[j], candidates[i]];
  }
  const positions = candidates.slice(0, count).sort((a, b) => a - b);
  if (positions.length === 0) return { text, replacements: [] };

  const masked = ids.slice();
  for (const position of positions) masked[position] = tokenizer.maskId;
  const [logProbabilities] = await model.logProbabilities([{ ids: masked, positions }]);
  const draws = new RandomStream(seed, 'proposals');
  const proposals = logProbabilities.map((row) =>
    draw(row, draws.uniform(), (id) => isCandidate(tokenizer, id) && !tokenizer.isContinuation(id)),
  );
  return write(
    tokenizer,
    text,
    positions,
    proposals.map((id) => tokenizer.idToToken(id)),
    { offsets, isChanged: (i) => proposals[i] !== ids[positions[i]] },
  );
}

/** Inverse-CDF draw among the ids that `allows` lets through. */
function draw(logProbabilities: Float32Array, uniform: number, allows: (id: number) => boolean): number {
  const probabilities = Float64Array.from(logProbabilities, (value, id) => (allows(id) ? Math.exp(value) : 0));
  let left = uniform * probabilities.reduce((sum, p) => sum + p, 0);
  let last = 0;
  for (let id = 0; id < probabilities.length; id++) {
    if (probabilities[id] === 0) continue;
    last = id;
    left -= probabilities[id];
    if (left < 0) break;
  }
  return last;
}

function write(
  tokenizer: WordPieceTokenizer,
  text: string,
  positions: readonly number[],
  tokens: readonly string[],
  { offsets, isChanged }: { offsets: Int32Array; isChanged(slot: number): boolean },
): CorruptedText {
  const changed = [...positions.keys()].filter(isChanged);
  const bounds = changed.map((slot) => [offsets[2 * positions[slot]], offsets[2 * positions[slot] + 1]] as const);
  const parts = changed.flatMap((slot, i) => [
    { text: text.slice(bounds[i - 1]?.[1] ?? 0, bounds[i][0]) },
    { text: tokens[slot] },
  ]);
  const joined = joinParts(tokenizer, [...parts, { text: text.slice(bounds.at(-1)?.[1] ?? 0) }]);
  const replacements = changed.map((slot, i) => {
    const [start, end] = joined.spans[2 * i + 1];
    return { start, end, original: text.slice(...bounds[i]), replacement: tokens[slot] };
  });
  return { text: joined.text, replacements };
}
