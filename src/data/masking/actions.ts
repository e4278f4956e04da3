/**
 * What the model sees at a masked position: [MASK], another token, or the token itself.
 * BERT (arXiv 1810.04805 §3.1): 80/10/10 for each token. SpanBERT (arXiv 1907.10529 §3.1): 80/10/10 for a span as a
 * whole. ELECTRA's released code: 85/0/15 for each token.
 */

import type { RandomStream } from '../../random/philox.js';
import { MASK_ACTIONS, type MaskedBlock, type MaskingBlock } from './scheme.js';
import type { TokenDraw } from './tokenDraw.js';

/** Whether the tokens of a merged span share one draw, or each has its own. */
export const REPLACEMENT_UNITS = ['span', 'piece'] as const;
export type ReplacementUnit = (typeof REPLACEMENT_UNITS)[number];

export interface ActionSettings {
  /** Part of the draws that keep their token, 0 to 1. */
  readonly keepProb: number;
  /** Part of the draws that show another token, 0 to 1. */
  readonly randomProb: number;
  readonly unit: ReplacementUnit;
  readonly drawToken: TokenDraw;
}

/**
 * Draws an action for each slot. In a span that is replaced every token is drawn apart.
 * @param positions  ascending where `unit` is `span`: positions that follow one another are a span
 */
export function drawActions(
  positions: Int32Array,
  { keepProb, randomProb, unit, drawToken }: ActionSettings,
  block: MaskingBlock,
  random: RandomStream,
): Omit<MaskedBlock, 'positions'> {
  let action: number = MASK_ACTIONS.mask;
  const actions = Uint8Array.from(positions, (position, slot) => {
    if (unit === 'piece' || slot === 0 || position !== positions[slot - 1] + 1) action = drawAction();
    return action;
  });
  if (randomProb === 0) return { actions };
  return { actions, replacements: Int32Array.from(actions, () => drawToken(block, random)) };

  function drawAction(): number {
    const u = random.uniform();
    if (u < keepProb) return MASK_ACTIONS.keep;
    return u < keepProb + randomProb ? MASK_ACTIONS.random : MASK_ACTIONS.mask;
  }
}

/** What is wrong with the settings, one sentence each. */
export function actionProblems({
  keepProb,
  randomProb,
  unit,
}: Pick<ActionSettings, 'keepProb' | 'randomProb' | 'unit'>): string[] {
  const problems: string[] = [];
  const need = (ok: boolean, text: string) => ok || problems.push(text);
  need(keepProb >= 0 && keepProb <= 1, `keepProb is ${keepProb}; expected 0 to 1`);
  need(randomProb >= 0 && randomProb <= 1, `randomProb is ${randomProb}; expected 0 to 1`);
  need(!(keepProb + randomProb > 1), `keepProb + randomProb is ${keepProb + randomProb}; expected at most 1`);
  need(REPLACEMENT_UNITS.includes(unit), `replacementUnit is ${unit}; expected ${REPLACEMENT_UNITS.join(' or ')}`);
  return problems;
}
