/**
 * Independent random tokens: the masking of BERT and ELECTRA.
 * ELECTRA, google-research/electra pretrain/pretrain_helpers.py `mask`: 85 % [MASK], 15 % left as they are, no random
 * tokens. BERT (arXiv 1810.04805 §3.1): 80 % [MASK], 10 % a random token, 10 % left as they are.
 */

import { SettingsError } from '../../errors/errors.js';
import type { RandomStream } from '../../random/philox.js';
import { actionProblems, drawActions } from './actions.js';
import { type BudgetSettings, budgetProblems, maskBudget } from './budget.js';
import { candidatePositions, type MaskingScheme } from './scheme.js';
import { type TokenDraw, uniformTokens } from './tokenDraw.js';

/** `budget` is `electra` by default: SpanBERT's own random scheme is this one with `spanbert`. */
export interface RandomMaskingSettings extends BudgetSettings {
  /** Part of the slots that keep their token, 0 to 1. Default 0.15. */
  readonly keepProb?: number;
  /** Part of the slots that show a random token, 0 to 1. Default 0. */
  readonly randomProb?: number;
  /** Where random tokens come from. Default: any id. */
  readonly drawToken?: TokenDraw;
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
  const { keepProb = 0.15, randomProb = 0, drawToken = uniformTokens, duplicates = 'corrected' } = settings;
  const actions = { keepProb, randomProb, drawToken, unit: 'piece' as const };
  const problems = [...budgetProblems(settings), ...actionProblems(actions)];
  if (duplicates !== 'corrected' && duplicates !== 'reference') {
    problems.push(`duplicates is ${duplicates}; expected corrected or reference`);
  }
  if (problems.length > 0) throw new SettingsError(problems);
  const budget = maskBudget(settings, 'electra');
  const draw = duplicates === 'corrected' ? drawDistinct : drawWithReplacement;

  return {
    name: 'random',
    maxSlots: budget.maxSlots,
    mask(block, random) {
      const candidates = candidatePositions(block);
      if (candidates.length === 0) return { positions: new Int32Array(0), actions: new Uint8Array(0) };
      const positions = draw(candidates, budget.slots(block, candidates.length), random);
      return { positions, ...drawActions(positions, actions, block, random) };
    },
  };
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
