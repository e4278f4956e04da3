/**
 * A round of "spot the fake": a sentence in which a generator replaced two to four words, and the discriminator's doubt of each
 * word. Drawn as in pre-training: all places masked at once, each filled for itself; draws that equal the original don't count.
 */
import { z } from 'zod';
import { DataError } from '../../errors/errors.js';
import { isCandidate } from '../../pipelines/candidates.js';
import { logProbabilities } from '../../pipelines/maskedLanguageModel.js';
import type { Model } from '../../pretrained/model.js';
import { requireTokenizer } from '../../pretrained/requireTokenizer.js';
import { Permutation, RandomStream } from '../../random/philox.js';
import type { WordPieceTokenizer } from '../../text/tokenizer.js';
import { CONTINUATION_PREFIX } from '../../text/wordpiece.js';
import { studioCall } from '../studioCall.js';
import { doubtOf, replacedLogits } from './discriminator.js';
import { drawAt } from './generator.js';
import { type StudioToken, studioTokens } from './tokens.js';

export interface SpotWord {
  /** Spaces and signs between this word and the one before it. */
  readonly before: string;
  readonly text: string;
  /** What stood there before; only of a word that was replaced. */
  readonly original?: string;
  /** Probability of "replaced", 0 to 1; the largest of its pieces. */
  readonly doubt: number;
}

export interface SpotRound {
  readonly words: readonly SpotWord[];
  /** What follows the last word. */
  readonly after: string;
}

/** How often new places are masked when the generator drew too many originals. */
const ATTEMPTS = 12;
const FEWEST = 2;

export const spotRound = studioCall({
  input: z.object({
    /** A pair: it has a generator and a discriminator. */
    model: z.string(),
    text: z.string().min(1).max(400),
    seed: z.int().min(0),
  }),
  /** @throws DataError when the text has too few words for two of them to be replaced */
  async run(models, { model, text, seed }, signal): Promise<SpotRound> {
    const fake = await models.withModel(model, 'generator', (generator) => replaceWords(generator, text, seed));
    signal?.throwIfAborted();
    const [logits] = await models.withModel(model, 'discriminator', (found) =>
      replacedLogits(found, [fake.ids], signal),
    );
    return roundOf(fake, text, logits);
  },
});

interface Replacement {
  /** Number of the token in the text. */
  readonly index: number;
  readonly id: number;
}

interface FakeSentence {
  readonly tokenizer: WordPieceTokenizer;
  readonly tokens: readonly StudioToken[];
  readonly ids: Int32Array;
  readonly replacements: readonly Replacement[];
}

async function replaceWords(generator: Model, text: string, seed: number): Promise<FakeSentence> {
  const tokenizer = requireTokenizer(generator);
  const encoding = tokenizer.encode(text, { maxLength: generator.maxLength });
  const tokens = studioTokens(tokenizer, text, encoding);
  const words = replaceableWords(tokens);
  for (let attempt = 0; attempt < ATTEMPTS && words.length >= 2 * FEWEST; attempt++) {
    const { wanted, places } = choosePlaces(words, new RandomStream(seed, 'masking', attempt));
    const masked = encoding.ids.slice();
    const positions = places.map((index) => index + 1);
    for (const position of positions) masked[position] = tokenizer.maskId;
    const [distributions] = await logProbabilities(generator, [{ ids: masked, positions }]);
    const replacements = places
      .map((index, slot) => {
        const allows = (id: number) => fits(tokenizer, id, tokens[index]);
        return { index, id: drawAt(tokenizer, distributions[slot], { seed, attempt }, index, allows) };
      })
      .filter(({ index, id }) => differs(written(tokenizer, id), written(tokenizer, tokens[index].id)))
      .slice(0, wanted);
    if (replacements.length < FEWEST) continue;
    const ids = encoding.ids.slice();
    for (const { index, id } of replacements) ids[index + 1] = id;
    return { tokenizer, tokens, ids, replacements };
  }
  throw new DataError(`the generator could not replace ${FEWEST} words of ${JSON.stringify(text)}`, {
    subject: 'text',
    expected: `a sentence of at least ${2 * FEWEST} words that the vocabulary knows`,
  });
}

/** Tokens of each word, as token numbers: what stands between spaces, without the signs at its ends. */
function wordsOf(tokens: readonly StudioToken[]): number[][] {
  const chunks: number[][] = [];
  for (const [index, { start }] of tokens.entries()) {
    if (index > 0 && tokens[index - 1].end === start) chunks[chunks.length - 1].push(index);
    else chunks.push([index]);
  }
  const hasLetter = (index: number) => /\p{L}/u.test(tokens[index].text);
  return chunks
    .map((chunk) => chunk.slice(chunk.findIndex(hasLetter), chunk.findLastIndex(hasLetter) + 1))
    .filter((word) => word.length > 0);
}

/** Words of one token, where there are enough: half a word that was replaced is seen at once. */
function replaceableWords(tokens: readonly StudioToken[]): number[][] {
  const words = wordsOf(tokens);
  const whole = words.filter((word) => word.length === 1);
  return whole.length >= 6 ? whole : words;
}

/** One token each of a few words; one or two more than are wanted, since some draws will be the original. */
function choosePlaces(words: readonly number[][], random: RandomStream): { wanted: number; places: number[] } {
  const most = Math.min(4, Math.floor(words.length / 3));
  const wanted = FEWEST + random.integer(Math.max(1, most - FEWEST + 1));
  const order = new Permutation(words.length, random);
  const places: number[] = [];
  for (let i = 0; i < words.length && places.length < wanted + 2; i++) {
    const word = words[order.at(i)];
    const place = word[random.integer(word.length)];
    // Side by side, masked tokens say nothing about each other, and the draws make no sense.
    if (!places.some((other) => Math.abs(other - place) === 1)) places.push(place);
  }
  return { wanted, places };
}

/** A draw is letters, and a piece that continues a word stands where one did: the sentence keeps its words. */
function fits(tokenizer: WordPieceTokenizer, id: number, place: StudioToken): boolean {
  if (!isCandidate(tokenizer, id) || tokenizer.isContinuation(id) !== place.continues) return false;
  return /^\p{L}+$/u.test(written(tokenizer, id));
}

const written = (tokenizer: WordPieceTokenizer, id: number) =>
  tokenizer.isContinuation(id) ? tokenizer.idToToken(id).slice(CONTINUATION_PREFIX.length) : tokenizer.idToToken(id);

function roundOf({ tokenizer, tokens, replacements }: FakeSentence, text: string, logits: Float32Array): SpotRound {
  const drawn = new Map(replacements.map(({ index, id }) => [index, id]));
  let end = 0;
  const words = wordsOf(tokens).map((word): SpotWord => {
    const [first, last] = [tokens[word[0]], tokens[word[word.length - 1]]];
    const original = text.slice(first.start, last.end);
    const before = text.slice(end, first.start);
    end = last.end;
    const pieces = word.map((index) => {
      const id = drawn.get(index);
      return id === undefined ? tokens[index].text : sameCase(written(tokenizer, id), tokens[index].text);
    });
    const isFake = word.some((index) => drawn.has(index));
    const doubt = doubtOf(Math.max(...word.map((index) => logits[index])));
    return { before, text: pieces.join(''), ...(isFake && { original }), doubt };
  });
  return { words, after: text.slice(end) };
}

/** A model that knows no upper case draws in lower case, which would give its draws away. */
function sameCase(drawn: string, original: string): string {
  return /^\p{Lu}/u.test(original) ? drawn.charAt(0).toUpperCase() + drawn.slice(1) : drawn;
}

/** A word that differs only in its case is none that a reader could doubt. */
const differs = (drawn: string, original: string) => drawn.toLowerCase() !== original.toLowerCase();
