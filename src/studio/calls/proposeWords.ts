/** `proposals`: what the generator would write at one word of a text, and what the discriminator would say to each. */
import { z } from 'zod';
import { DataError } from '../../errors/errors.js';
import { isCandidate } from '../../pipelines/candidates.js';
import { logProbabilities } from '../../pipelines/maskedLanguageModel.js';
import { cutAround, mostProbable } from '../../pipelines/maskedText.js';
import { sigmoid } from '../../pipelines/probabilities.js';
import type { Model } from '../../pretrained/model.js';
import { requireTokenizer } from '../../pretrained/requireTokenizer.js';
import { DISCRIMINATOR_CLASSES, MASKED_LM_CLASSES, withModelOf } from '../modelRole.js';
import { type StudioModels, studioCall } from '../studioCall.js';

export interface ProposalsInput {
  /** A pair, or a masked LM alone: then nobody judges the proposals. */
  readonly model: string;
  readonly text: string;
  /** UTF-16 offsets of the word. */
  readonly start: number;
  readonly end: number;
  /** Default 6. */
  readonly topK?: number;
}

export interface Proposal {
  /** As it would be written: with a capital where the word has one. */
  readonly text: string;
  /** The generator's probability, 0 to 1, with the word masked. */
  readonly score: number;
  /** The discriminator's doubt, were it written there. Absent where the model has no discriminator. */
  readonly doubt?: number;
}

export const proposeWords = studioCall<ProposalsInput, readonly Proposal[]>({
  input: z.strictObject({
    model: z.string(),
    text: z.string(),
    start: z.number().int().min(0),
    end: z.number().int().min(0),
    topK: z.number().int().min(1).max(20).optional(),
  }),
  async run(models, input) {
    const { row, found } = await withModelOf(models, input.model, MASKED_LM_CLASSES, (generator) =>
      generated(generator, input),
    );
    const doubts = (await hasDiscriminator(models, input.model))
      ? await withModelOf(models, input.model, DISCRIMINATOR_CLASSES, (discriminator) =>
          doubtsAt(discriminator, row, found),
        )
      : [];
    return found.map(({ id: _, ...proposal }, i) => ({
      ...proposal,
      ...(doubts[i] !== undefined && { doubt: doubts[i] }),
    }));
  },
});

async function hasDiscriminator(models: StudioModels, id: string): Promise<boolean> {
  const summary = (await models.list()).find((each) => each.id === id);
  return Object.values(summary?.roles ?? {}).some((architecture) => DISCRIMINATOR_CLASSES.includes(architecture));
}

/** The row with one [MASK] for the word, and what the generator would write there: whole words of the vocabulary. */
async function generated(generator: Model, { text, start, end, topK = 6 }: ProposalsInput) {
  const tokenizer = requireTokenizer(generator);
  const { ids, offsets } = tokenizer.encode(text, { parseSpecialTokens: false });
  const touched = [...ids.keys()].filter((i) => offsets[2 * i] < end && offsets[2 * i + 1] > start);
  if (touched.length === 0) {
    throw new DataError(`no word stands at ${start} to ${end} of the text`, {
      subject: 'word',
      found: [start, end],
      expected: `a word of the text, from 0 to ${text.length}`,
    });
  }
  const [first] = touched;
  const whole = Int32Array.of(...ids.subarray(0, first), tokenizer.maskId, ...ids.subarray(first + touched.length));
  const row = cutAround({ ids: whole, positions: [first] }, generator.maxLength);
  const [[scores]] = await logProbabilities(generator, [row]);
  const written = text.slice(start, end);
  const own = touched.length === 1 ? ids[first] : -1;
  const allows = (id: number) => id !== own && isCandidate(tokenizer, id) && !tokenizer.isContinuation(id);
  const found = mostProbable(scores, topK, allows).map((id) => ({
    id,
    text: inCaseOf(written, tokenizer.idToToken(id)),
    score: Math.exp(scores[id]),
  }));
  return { row, found };
}

/** A vocabulary without capitals proposes words without; at the place of a word that has one they get one. */
function inCaseOf(written: string, proposal: string): string {
  const [capital] = written;
  const isCapital = capital !== capital.toLowerCase();
  return isCapital ? proposal.charAt(0).toUpperCase() + proposal.slice(1) : proposal;
}

/** The discriminator's doubt in each proposal, all else being as it is in the row. */
async function doubtsAt(
  discriminator: Model,
  { ids, positions: [at] }: { readonly ids: ArrayLike<number>; readonly positions: readonly number[] },
  found: readonly { readonly id: number }[],
): Promise<number[]> {
  const rows = found.map(({ id }) => ({ ids: Int32Array.from(ids).fill(id, at, at + 1) }));
  const doubts: number[] = [];
  await discriminator.forEachRow(rows, { outputs: ['logits'] }, (row, { logits }) => {
    doubts[row] = sigmoid(logits[at]);
  });
  return doubts;
}
