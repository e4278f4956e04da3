/** `proofread`: every word of a text with the doubt in it, by the pipeline of that name. `proposals` says what could stand there. */
import { z } from 'zod';
import type { Proposal } from '../../pipelines/proofread/evidence.js';
import { proofread } from '../../pipelines/proofread/proofread.js';
import type { Model } from '../../pretrained/model.js';
import { DISCRIMINATOR_CLASSES, hasModelOf, MASKED_LM_CLASSES, withModelOf } from '../modelRole.js';
import { studioCall } from '../studioCall.js';

export interface ProofreadInput {
  /** A discriminator, or a pair. */
  readonly model: string;
  readonly text: string;
}

export interface DoubtedWord {
  /** UTF-16 offsets. */
  readonly start: number;
  readonly end: number;
  /** 0 to 1; 1 of a word that stands twice. */
  readonly doubt: number;
  /** What could stand there, the best first, "" where the word is to go; none where the generator was not asked. */
  readonly proposals: readonly Proposal[];
}

export interface ProofreadOutput {
  /** As it was given: offsets are in it. */
  readonly text: string;
  /** In order. */
  readonly words: readonly DoubtedWord[];
  /** Of a model that was calibrated: the doubt from which on so many of the words of right text are marked, [rate, doubt]. */
  readonly thresholds?: readonly (readonly [rate: number, doubt: number])[];
}

const MOST_PROPOSALS = 6;

export const doubtWords = studioCall<ProofreadInput, ProofreadOutput>({
  input: z.strictObject({ model: z.string(), text: z.string() }),
  run: (models, { model, text }, signal) =>
    withModelOf(models, model, DISCRIMINATOR_CLASSES, async (discriminator) => {
      const { calibration } = await proofread(discriminator);
      const asked = async (generator?: Model): Promise<ProofreadOutput> => {
        const { read } = await proofread(discriminator, generator);
        // From no doubt on: the page draws the line.
        const [words] = await read([text], { threshold: 0, topK: MOST_PROPOSALS, signal });
        return {
          text,
          words: words.map(({ start, end, doubt, proposals }) => ({ start, end, doubt, proposals })),
          ...(calibration && { thresholds: calibration.thresholds }),
        };
      };
      // Without a calibration the discriminator doubts alone, and proposals can wait until they are asked for.
      const asksGenerator = calibration && (await hasModelOf(models, model, MASKED_LM_CLASSES));
      return asksGenerator ? withModelOf(models, model, MASKED_LM_CLASSES, asked) : asked();
    }),
});
