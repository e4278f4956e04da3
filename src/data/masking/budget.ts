/** How many tokens of a block are masked. */

import type { MaskingBlock } from './scheme.js';

/**
 * `electra`: round(maskProb · n) of the n tokens of a row, [CLS] and [SEP] counted, at least 1 and at most
 * int((maskProb + 0.005) · length) (google-research/electra, pretrain_helpers.py `mask`).
 * `spanbert`: maskProb of the text tokens, rounded up (SpanBERT §3.1; of 510 tokens 77).
 */
export const BUDGET_RULES = ['electra', 'spanbert'] as const;
export type BudgetRule = (typeof BUDGET_RULES)[number];

export interface BudgetSettings {
  /** Part of a block's tokens that is predicted, above 0, up to 1. Default 0.15. */
  readonly maskProb?: number;
  readonly budget?: BudgetRule;
  /** Most slots in a block. Default: what the rule gives. */
  readonly maxPredictions?: number;
}

export interface Budget {
  /** The most slots that a block of this length can get. */
  maxSlots(blockLength: number): number;
  /** Slots of a block in which so many positions may be masked; a short row's electra minimum of 1 may be more than that. */
  slots(block: MaskingBlock, numCandidates: number): number;
}

export function maskBudget(settings: BudgetSettings, defaultRule: BudgetRule): Budget {
  const { maskProb = 0.15, budget = defaultRule, maxPredictions } = settings;
  const share = (tokens: number) => Math.max(0, Math.ceil(maskProb * tokens - ROUNDING));
  const maxSlots = (blockLength: number): number => {
    if (maxPredictions !== undefined) return maxPredictions;
    // Every row has a [CLS] and a [SEP].
    return budget === 'electra'
      ? Math.max(1, Math.floor((maskProb + 0.005) * blockLength))
      : share(Math.max(0, blockLength - 2));
  };
  return {
    maxSlots,
    slots(block, numCandidates) {
      const wanted = budget === 'electra' ? Math.max(1, roundHalfEven(block.n * maskProb)) : share(numCandidates);
      return Math.min(wanted, maxSlots(block.blockLength));
    },
  };
}

/** 0.07 · 100 is 7.000000000000001 in floating point; it is 7 tokens. */
const ROUNDING = 1e-9;

/** Round half to even, as numpy and TensorFlow do: 2.5 -> 2, 3.5 -> 4. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** What is wrong with the settings, one sentence each. */
export function budgetProblems({ maskProb = 0.15, budget, maxPredictions }: BudgetSettings): string[] {
  const problems: string[] = [];
  const need = (ok: boolean, text: string) => ok || problems.push(text);
  need(maskProb > 0 && maskProb <= 1, `maskProb is ${maskProb}; expected above 0, up to 1`);
  need(
    budget === undefined || BUDGET_RULES.includes(budget),
    `budget is ${budget}; expected ${BUDGET_RULES.join(' or ')}`,
  );
  need(
    maxPredictions === undefined || (Number.isInteger(maxPredictions) && maxPredictions >= 1),
    `maxPredictions is ${maxPredictions}; expected an integer from 1`,
  );
  return problems;
}
