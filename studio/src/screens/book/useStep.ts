/** The sentence of the chapters about ELECTRA, and what a pair makes of it. */
import type { ElectraStep } from '../../../../src/studio/calls/electraStep.js';
import type { ScreenState } from '../../app/address.js';
import { useLanguage } from '../../app/words.js';
import { pairFor, withRoles } from '../../backend/pickModel.js';
import { type Pending, useCall, useModels } from '../../backend/useCall.js';

/** Plain words, so that a small vocabulary has each as one piece; those of them that are hidden at first, and the draw that is shown. */
export const SENTENCES = {
  en: { text: 'The old man opened the door and looked into the room.', masked: [2, 5], seed: 7 },
  ko: { text: '이 영화를 다시 보고 싶다.', masked: [1, 3], seed: 1 },
} as const;

export interface BookStep extends Pending<ElectraStep> {
  /** Id of the pair, and `pleiad-en` while none is known. */
  readonly model: string;
  readonly text: string;
  /** The text with its first hidden token as [MASK]; as it is until the tokens are known. */
  readonly maskedText: string;
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
  const { text, masked: first, seed } = SENTENCES[pair?.language === 'ko' ? 'ko' : 'en'];
  const masked = maskedOf(state, first);
  const draw = { seed };
  const step = useCall(
    'electra-step',
    pair && { model: pair.id, text, masked: [...masked], typed: [], temperature, draw, top },
  );
  const pending = models ? step : { isLoading, error, retry };
  const maskedText = step.value ? withMask(step.value, text) : text;
  const model = pair?.id ?? 'pleiad-en';
  return { ...pending, model, text, maskedText, masked, hasPair: pair !== undefined || isLoading };
}

/** @param first  what is hidden where the address says nothing */
function maskedOf({ masked }: ScreenState, first: readonly number[]): readonly number[] {
  if (masked === undefined) return first;
  const numbers = masked.split(' ').map(Number);
  return [...new Set(numbers)]
    .filter((each) => Number.isInteger(each) && each >= 0 && each < 128)
    .sort((a, b) => a - b);
}

function withMask({ tokens, places }: ElectraStep, text: string): string {
  const token = tokens[places[0]?.index ?? -1];
  return token ? `${text.slice(0, token.start)}[MASK]${text.slice(token.end)}` : text;
}
