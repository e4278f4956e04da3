/** The sentence of the chapters about ELECTRA, and what a pair makes of it. */
import type { ElectraStep } from '../../../../src/studio/calls/electraStep.js';
import type { ScreenState } from '../../app/address.js';
import { useLanguage } from '../../app/words.js';
import { pairFor, withRoles } from '../../backend/pickModel.js';
import { type Pending, useCall, useModels } from '../../backend/useCall.js';

export const SENTENCES = {
  en: 'The chef cooked the meal and we ate it.',
  ko: '우리는 작은 가게 안으로 들어갔다.',
} as const;

export interface BookStep extends Pending<ElectraStep> {
  readonly text: string;
  readonly masked: readonly number[];
  /** False where no model of the page is a pair. */
  readonly hasPair: boolean;
}

export interface StepWishes {
  /** Default 1. */
  readonly temperature?: number;
  /** Default 6. */
  readonly top?: number;
}

/** @param state  of the address: `masked` has the numbers of the hidden tokens */
export function useStep(state: ScreenState, { temperature = 1, top = 6 }: StepWishes = {}): BookStep {
  const language = useLanguage();
  const { value: models, isLoading, error, retry } = useModels();
  const pairs = withRoles(models ?? [], ['generator', 'discriminator']);
  // A book without a pair of its language is read with another one.
  const pair = pairFor(models ?? [], language) ?? pairs[0];
  const text = SENTENCES[pair?.language === 'ko' ? 'ko' : 'en'];
  const masked = maskedOf(state);
  const draw = { seed: 1 };
  const step = useCall(
    'electra-step',
    pair && { model: pair.id, text, masked: [...masked], typed: [], temperature, draw, top },
  );
  const pending = models ? step : { isLoading, error, retry };
  return { ...pending, text, masked, hasPair: pair !== undefined || isLoading };
}

/** Two hidden words, where the address says nothing. */
function maskedOf({ masked }: ScreenState): number[] {
  if (masked === undefined) return [1, 2];
  const numbers = masked.split(' ').map(Number);
  return [...new Set(numbers)]
    .filter((each) => Number.isInteger(each) && each >= 0 && each < 128)
    .sort((a, b) => a - b);
}
