/** `proposals`: what the generator would write at one word of a text, and what the discriminator would say to each. */
import { z } from 'zod';
import { DataError } from '../../errors/errors.js';
import { isCandidate } from '../../pipelines/candidates.js';
import { logProbabilities } from '../../pipelines/maskedLanguageModel.js';
import { cutAround, mostProbable } from '../../pipelines/maskedText.js';
import { sigmoid } from '../../pipelines/probabilities.js';
import { proofread } from '../../pipelines/proofread/proofread.js';
import type { Model } from '../../pretrained/model.js';
import { requireTokenizer } from '../../pretrained/requireTokenizer.js';
import type { WordPieceTokenizer } from '../../text/tokenizer.js';
import { DISCRIMINATOR_CLASSES, hasModelOf, MASKED_LM_CLASSES, withModelOf } from '../modelRole.js';
import { type StudioModels, studioCall } from '../studioCall.js';

export interface ProposalsInput {
  /** A pair, or a masked LM alone: then nobody judges the proposals. */
  readonly model: string;
  readonly text: string;
  /** UTF-16 offsets of the word. */
  readonly start: number;
  readonly end: number;
  /** Proposals that are known, such as those of `proofread`: they are only judged. Default: those of the pipeline, else of the generator. */
  readonly given?: readonly { readonly text: string; readonly score: number }[];
  /** Default 6. */
  readonly topK?: number;
}

export interface Proposal {
  /** As it would be written: with a capital where the word has one. */
  readonly text: string;
  /** The generator's probability, 0 to 1, with the word masked. */
  readonly score: number;
  /** The discriminator's doubt, were it written there. Absent where there is nothing to doubt, or nobody who does. */
  readonly doubt?: number;
}

const USUAL_NUMBER = 6;

export const proposeWords = studioCall<ProposalsInput, readonly Proposal[]>({
  input: z.strictObject({
    model: z.string(),
    text: z.string(),
    start: z.number().int().min(0),
    end: z.number().int().min(0),
    given: z.array(z.object({ text: z.string(), score: z.number() })).optional(),
    topK: z.number().int().min(1).max(20).optional(),
  }),
  async run(models, input, signal) {
    const { model } = input;
    const isJudged = await hasModelOf(models, model, DISCRIMINATOR_CLASSES);
    const ofPipeline = input.given ?? (isJudged ? await pipelineProposals(models, input, signal) : []);
    const found =
      ofPipeline.length > 0
        ? ofPipeline
        : await withModelOf(models, model, MASKED_LM_CLASSES, (generator) => generated(generator, input));
    if (!isJudged) return found;
    return withModelOf(models, model, DISCRIMINATOR_CLASSES, async (discriminator) => {
      const doubts = await doubtsOf(discriminator, input, found);
      return found.map(({ text, score }, i) => ({ text, score, ...(doubts[i] !== undefined && { doubt: doubts[i] }) }));
    });
  },
});

/** Characters that the pipeline reads on each side of a word: about as many tokens as the generator does. */
const AROUND = 160;

/** What `proofread` proposes for the word, which knows slips of the pen; nothing for a word that it does not ask about. */
function pipelineProposals(models: StudioModels, input: ProposalsInput, signal?: AbortSignal) {
  const { model, text, start, end, topK = USUAL_NUMBER } = input;
  // No word is cut: a cut one would be doubted for that.
  const from = start <= AROUND ? 0 : text.indexOf(' ', start - AROUND) + 1;
  const to = end + AROUND >= text.length ? text.length : text.lastIndexOf(' ', end + AROUND);
  const around = text.slice(Math.min(from, start), Math.max(to, end));
  return withModelOf(models, model, DISCRIMINATOR_CLASSES, (discriminator) =>
    withModelOf(models, model, MASKED_LM_CLASSES, async (generator) => {
      const { read } = await proofread(discriminator, generator);
      const [words] = await read([around], { threshold: 0, topK, signal });
      const at = start - Math.min(from, start);
      return words.find((word) => word.start <= at && word.end > at)?.proposals ?? [];
    }),
  );
}

/** What the generator would write there, the word being one mask: whole words of the vocabulary. */
async function generated(generator: Model, { text, start, end, topK = USUAL_NUMBER }: ProposalsInput) {
  const tokenizer = requireTokenizer(generator);
  const { ids, positions } = piecesAt(tokenizer, text, start, end);
  const [first] = positions;
  const rest = ids.subarray(first + positions.length);
  const whole = Int32Array.of(...ids.subarray(0, first), tokenizer.maskId, ...rest);
  const row = cutAround({ ids: whole, positions: [first] }, generator.maxLength);
  const [[scores]] = await logProbabilities(generator, [row]);
  const written = text.slice(start, end);
  const own = positions.length === 1 ? ids[first] : -1;
  const isWord = /[\p{L}\p{N}]/u;
  const allows = (id: number) =>
    id !== own &&
    isCandidate(tokenizer, id) &&
    !tokenizer.isContinuation(id) &&
    isWord.test(written) === isWord.test(tokenizer.idToToken(id));
  return mostProbable(scores, topK, allows).map((id) => ({
    text: inCaseOf(written, tokenizer.idToToken(id)),
    score: Math.exp(scores[id]),
  }));
}

/** A row with the pieces that `start` to `end` of a text touch. @throws DataError when there are none */
function piecesAt(tokenizer: WordPieceTokenizer, text: string, start: number, end: number) {
  const { ids, offsets } = tokenizer.encode(text, { parseSpecialTokens: false });
  const positions = [...ids.keys()].filter((i) => offsets[2 * i] < end && offsets[2 * i + 1] > start);
  if (positions.length > 0) return { ids, positions };
  throw new DataError(`no word stands at ${start} to ${end} of the text`, {
    subject: 'word',
    found: [start, end],
    expected: `a word of the text, from 0 to ${text.length}`,
  });
}

/** A vocabulary without capitals proposes words without; at the place of a word that has one they get one. */
function inCaseOf(written: string, proposal: string): string {
  const [capital] = written;
  const isCapital = capital !== capital.toLowerCase();
  return isCapital ? proposal.charAt(0).toUpperCase() + proposal.slice(1) : proposal;
}

/** The discriminator's doubt in each word, all else being as it is: the largest of its pieces. Nobody doubts what is left out. */
async function doubtsOf(
  discriminator: Model,
  { text, start, end }: Pick<ProposalsInput, 'text' | 'start' | 'end'>,
  words: readonly { readonly text: string }[],
): Promise<(number | undefined)[]> {
  const tokenizer = requireTokenizer(discriminator);
  const judged = [...words.keys()].filter((i) => words[i].text !== '');
  const rows = judged.map((i) => {
    const word = words[i].text;
    const written = text.slice(0, start) + word + text.slice(end);
    return cutAround(piecesAt(tokenizer, written, start, start + word.length), discriminator.maxLength);
  });
  const doubts: (number | undefined)[] = words.map(() => undefined);
  await discriminator.forEachRow(rows, { outputs: ['logits'] }, (row, { logits }) => {
    doubts[judged[row]] = sigmoid(Math.max(...rows[row].positions.map((at) => logits[at])));
  });
  return doubts;
}
