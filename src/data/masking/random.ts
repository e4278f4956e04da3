/**
 * Independent random tokens: the masking of BERT and ELECTRA.
 * ELECTRA, google-research/electra pretrain/pretrain_helpers.py `mask`: 85 % [MASK], 15 % left as they are, no random
 * tokens. BERT (arXiv 1810.04805 §3.1): 80 % [MASK], 10 % a random token, 10 % left as they are.
 */

import { SettingsError } from '../../errors.js';
import type { RandomStream } from '../../random/philox.js';
import { candidatePositions, MASK_ACTIONS, type MaskedBlock, type MaskingBlock, type MaskingScheme } from './scheme.js';

export interface RandomMaskingSettings {
  /** Part of a block's non-padding tokens that is predicted, 0 to 1. Default 0.15. */
  readonly maskProb?: number;
  /** Most slots in a block. Default int((maskProb + 0.005) · blockLength), as in the reference code. */
  readonly maxPredictions?: number;
  /** Part of the slots that keep their token, 0 to 1. Default 0.15. */
  readonly keepProb?: number;
  /** Part of the slots that show a random token, 0 to 1. Default 0. */
  readonly randomProb?: number;
  /**
   * `corrected` (default) draws distinct positions. `reference` draws with replacement as the released code does: at
   * length 128 its 19 slots are 17.7 positions on average, and the slots of one position share its fate.
   */
  readonly duplicates?: 'corrected' | 'reference';
}

/** What a masked language model in BERT's manner uses instead of ELECTRA's defaults. */
export const BERT_MASKING: RandomMaskingSettings = { keepProb: 0.1, randomProb: 0.1 };

/** @throws SettingsError with all settings that are out of range */
export function randomMasking(settings: RandomMaskingSettings = {}): MaskingScheme {
  const { maskProb = 0.15, keepProb = 0.15, randomProb = 0, duplicates = 'corrected' } = settings;
  checkSettings({ maskProb, keepProb, randomProb, duplicates, maxPredictions: settings.maxPredictions });
  const maxSlots = (blockLength: number) =>
    settings.maxPredictions ?? Math.max(1, Math.floor((maskProb + 0.005) * blockLength));
  const draw = duplicates === 'corrected' ? drawDistinct : drawWithReplacement;

  return {
    name: 'random',
    maxSlots,
    mask(block, random) {
      const candidates = candidatePositions(block);
      if (candidates.length === 0) return { positions: new Int32Array(0), actions: new Uint8Array(0) };
      const slots = Math.max(1, Math.min(maxSlots(block.blockLength), roundHalfEven(block.n * maskProb)));
      const positions = draw(candidates, slots, random);
      return { positions, ...drawActions(positions.length, block, random) };
    },
  };

  function drawActions(count: number, block: MaskingBlock, random: RandomStream): Omit<MaskedBlock, 'positions'> {
    const actions = Uint8Array.from({ length: count }, () => {
      const u = random.uniform();
      if (u < keepProb) return MASK_ACTIONS.keep;
      return u < keepProb + randomProb ? MASK_ACTIONS.random : MASK_ACTIONS.mask;
    });
    if (randomProb === 0) return { actions };
    // Any id, special ones included, as in create_pretraining_data.py.
    return { actions, replacements: Int32Array.from(actions, () => random.integer(block.vocabSize)) };
  }
}

/** Round half to even, as numpy and TensorFlow do: 2.5 -> 2, 3.5 -> 4. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Distinct positions in ascending order: the first `count` steps of a Fisher-Yates shuffle. */
function drawDistinct(candidates: Int32Array, count: number, random: RandomStream): Int32Array {
  count = Math.min(count, candidates.length);
  for (let i = 0; i < count; i++) {
    const j = i + random.integer(candidates.length - i);
    [candidates[i], candidates[j]] = [candidates[j], candidates[i]];
  }
  return candidates.slice(0, count).sort();
}

function drawWithReplacement(candidates: Int32Array, count: number, random: RandomStream): Int32Array {
  return Int32Array.from({ length: count }, () => candidates[random.integer(candidates.length)]);
}

function checkSettings(settings: RandomMaskingSettings): void {
  const { maskProb, keepProb, randomProb, maxPredictions, duplicates } = settings as Required<RandomMaskingSettings>;
  const problems: string[] = [];
  const need = (ok: boolean, text: string) => ok || problems.push(text);
  need(maskProb > 0 && maskProb <= 1, `maskProb is ${maskProb}; expected above 0, up to 1`);
  need(keepProb >= 0 && keepProb <= 1, `keepProb is ${keepProb}; expected 0 to 1`);
  need(randomProb >= 0 && randomProb <= 1, `randomProb is ${randomProb}; expected 0 to 1`);
  need(!(keepProb + randomProb > 1), `keepProb + randomProb is ${keepProb + randomProb}; expected at most 1`);
  need(
    maxPredictions === undefined || (Number.isInteger(maxPredictions) && maxPredictions >= 1),
    `maxPredictions is ${maxPredictions}; expected an integer from 1`,
  );
  need(
    duplicates === 'corrected' || duplicates === 'reference',
    `duplicates is ${duplicates}; expected corrected or reference`,
  );
  if (problems.length > 0) throw new SettingsError(problems);
}
