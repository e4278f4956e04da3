/** From settings by name to a masking scheme. */

import type { TagKind } from '../tags.js';
import type { ReplacementUnit } from './actions.js';
import type { BudgetRule } from './budget.js';
import { mixedMasking } from './mixture.js';
import { randomMasking } from './random.js';
import type { MaskingScheme } from './scheme.js';
import { spanMasking } from './span.js';
import type { AnchorLaw } from './spanDrawing.js';
import { taggedMasking } from './tagged.js';
import { uniformTokens, unigramTokens } from './tokenDraw.js';
import { uniformSpanMasking } from './uniformSpan.js';
import { wholeWordMasking } from './wholeWord.js';

export const MASKING_NAMES = ['random', 'whole-word', 'span', 'uniform-span', 'entity', 'phrase'] as const;
export type MaskingName = (typeof MASKING_NAMES)[number];

/** Settings of all schemes together; each takes those that concern it. */
export interface MaskingSettings {
  /** With several, each is picked for an equal part of the blocks. */
  readonly masking: readonly MaskingName[];
  readonly maskProb: number;
  readonly maskBudget: BudgetRule;
  readonly maskKeepProb: number;
  readonly maskRandomProb: number;
  readonly randomTokens: 'unigram' | 'uniform';
  readonly replacementUnit: ReplacementUnit;
  readonly duplicates: 'corrected' | 'reference';
  readonly geometricP: number;
  readonly maxSpanLength: number;
  readonly lengthLaw: 'reference' | 'paper';
  readonly spanAnchor: AnchorLaw;
  readonly tagProb: number;
  readonly tagFallback: 'reference' | 'paper';
}

/** The tags that the schemes of a list need. */
export function tagKindsOf(masking: readonly MaskingName[]): TagKind[] {
  return (['entity', 'phrase'] as const).filter((kind) => masking.includes(kind));
}

/** Whether the corpus must be counted before these settings can be followed. */
export function needsUnigramCounts({ maskRandomProb, randomTokens }: MaskingSettings): boolean {
  return maskRandomProb > 0 && randomTokens === 'unigram';
}

/**
 * @param unigramCounts  occurrences of each id in the corpus, [V]; called only when random tokens come from it
 * @throws SettingsError with all settings that are out of range, or when nothing was counted
 */
export function createMasking(settings: MaskingSettings, unigramCounts: () => ArrayLike<number>): MaskingScheme {
  const { maskProb, maskBudget: budget, maskKeepProb: keepProb, maskRandomProb: randomProb } = settings;
  const { geometricP, maxSpanLength, lengthLaw, tagProb, tagFallback, replacementUnit, duplicates } = settings;
  const drawToken = needsUnigramCounts(settings) ? unigramTokens(unigramCounts()) : uniformTokens;
  const common = { maskProb, budget, keepProb, randomProb, drawToken };
  const spans = { ...common, replacementUnit, anchor: settings.spanAnchor };
  const lengths = { geometricP, maxSpanLength, lengthLaw };
  const make: Readonly<Record<MaskingName, () => MaskingScheme>> = {
    random: () => randomMasking({ ...common, duplicates }),
    'whole-word': () => wholeWordMasking(spans),
    span: () => spanMasking({ ...spans, ...lengths }),
    'uniform-span': () => uniformSpanMasking({ ...spans, maxSpanLength }),
    entity: () => taggedMasking('entity', { ...spans, ...lengths, tagProb, tagFallback }),
    phrase: () => taggedMasking('phrase', { ...spans, ...lengths, tagProb, tagFallback }),
  };
  return mixedMasking(settings.masking.map((name) => make[name]()));
}
