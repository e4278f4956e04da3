/** `proofread`: every word of a text with the discriminator's doubt in it. `proposals` says what could stand there. */
import { z } from 'zod';
import { replacedTokenDetection } from '../../pipelines/replacedTokenDetection.js';
import type { Model } from '../../pretrained/model.js';
import { requireTokenizer } from '../../pretrained/requireTokenizer.js';
import { DISCRIMINATOR_CLASSES, withModelOf } from '../modelRole.js';
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
  /** Probability that the word was replaced, 0 to 1: the largest of its pieces. */
  readonly doubt: number;
}

export interface ProofreadOutput {
  /** As it was given: offsets are in it. */
  readonly text: string;
  /** In order, punctuation too. */
  readonly words: readonly DoubtedWord[];
}

export const doubtWords = studioCall<ProofreadInput, ProofreadOutput>({
  input: z.strictObject({ model: z.string(), text: z.string() }),
  run: (models, { model, text }) =>
    withModelOf(models, model, DISCRIMINATOR_CLASSES, async (discriminator) => {
      const [words] = await doubtsOf(discriminator, [text]);
      return { text, words };
    }),
});

/** The words of each text in order, punctuation too. */
export async function doubtsOf(discriminator: Model, texts: readonly string[]): Promise<DoubtedWord[][]> {
  const tokenizer = requireTokenizer(discriminator);
  const { detect } = await replacedTokenDetection(discriminator);
  return (await detect(texts)).map((tokens, i) => {
    const { wordIds } = tokenizer.encode(texts[i], { addSpecialTokens: false });
    const words: DoubtedWord[] = [];
    for (const [piece, { start, end, replaced }] of tokens.entries()) {
      const last = words[words.length - 1];
      if (piece > 0 && wordIds[piece] === wordIds[piece - 1]) {
        words[words.length - 1] = { start: last.start, end, doubt: Math.max(last.doubt, replaced) };
      } else {
        words.push({ start, end, doubt: replaced });
      }
    }
    return words;
  });
}
