/** The sentence of the chapters about ELECTRA, and what a pair makes of it. */
import type { ElectraStep } from '../../../../src/studio/calls/electraStep.js';
import type { ScreenState } from '../../app/address.js';
import { useLanguage } from '../../app/words.js';
import { pairFor, withRoles } from '../../backend/pickModel.js';
import { type Pending, useCall, useModels } from '../../backend/useCall.js';

/** Plain words, so that a small vocabulary has each as one piece; and those of them that are hidden at first. */
export const SENTENCES = {
  en: { text: 'The old man opened the door and went into the house.', masked: [5, 10] },
  ko: { text: '우리는 작은 가게 안으로 들어갔다.', masked: [1, 2] },
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
  const { text, masked: first } = SENTENCES[pair?.language === 'ko' ? 'ko' : 'en'];
  const masked = maskedOf(state, first);
  const draw = { seed: 1 };
  const step = useCall(
    'electra-step',
    pair && { model: pair.id, text, masked: [...masked], typed: [], temperature, draw, top },
  );
  const pending = models ? step : { isLoading, error, retry };
  return { ...pending, text, masked, hasPair: pair !== undefined || isLoading };
}

/** @param first  what is hidden where the address says nothing */
function maskedOf({ masked }: ScreenState, first: readonly number[]): readonly number[] {
  if (masked === undefined) return first;
  const numbers = masked.split(' ').map(Number);
  return [...new Set(numbers)]
    .filter((each) => Number.isInteger(each) && each >= 0 && each < 128)
    .sort((a, b) => a - b);
}
