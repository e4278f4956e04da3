/**
 * One step of ELECTRA over one sentence, made visible (arXiv 2003.10555 §2): some tokens are masked, the generator fills them,
 * the discriminator doubts every token, and both losses are counted token by token.
 */
import { z } from 'zod';
import { DataError } from '../../errors/errors.js';
import { logProbabilities } from '../../pipelines/maskedLanguageModel.js';
import type { Model } from '../../pretrained/model.js';
import { requireTokenizer } from '../../pretrained/requireTokenizer.js';
import type { Encoding } from '../../text/encoding.js';
import type { WordPieceTokenizer } from '../../text/tokenizer.js';
import { CONTINUATION_PREFIX } from '../../text/wordpiece.js';
import { studioCall } from '../studioCall.js';
import { detectionLoss, doubtOf, replacedLogits } from './discriminator.js';
import { atTemperature, bestCandidates, type Candidate, drawAt, rankOf } from './generator.js';
import { LONGEST_SHOWN, type StudioToken, studioTokens } from './tokens.js';

const input = z.object({
  /** A pair: it has a generator and a discriminator. */
  model: z.string(),
  text: z.string().max(2000),
  /** Numbers of tokens of the text, from 0; those beyond its end are ignored. */
  masked: z.array(z.int().min(0)).max(LONGEST_SHOWN),
  /** Words that the reader wrote in place of a token, drawn or not. */
  typed: z.array(z.object({ index: z.int().min(0), text: z.string().min(1).max(60) })).max(LONGEST_SHOWN),
  temperature: z.number().min(0.05).max(10),
  draw: z.union([z.literal('most-probable'), z.object({ seed: z.int().min(0) })]),
  /** Candidates of each place, at most. */
  top: z.int().min(1).max(50),
});

/** What the generator says of a masked place. */
export interface MaskedPlace {
  /** Number of the token in the text. */
  readonly index: number;
  readonly candidates: readonly Candidate[];
  /** Of the original, at the temperature. */
  readonly originalProbability: number;
  /** 0 where the original is the most probable piece. */
  readonly originalRank: number;
  readonly drawn: string;
  /** −log p of the original at temperature 1, in nats: its part of L_MLM. */
  readonly loss: number;
}

/** What stands in place of a token of the text, as the discriminator reads it. */
export interface CorruptedToken {
  /** One, but for a typed word that the vocabulary has in several pieces. */
  readonly pieces: readonly string[];
  /** kept: not masked; same: drawn or typed, and the original again, which counts as original. */
  readonly kind: 'kept' | 'same' | 'drawn' | 'typed';
  /** Probability of "replaced", 0 to 1; the largest of its pieces. */
  readonly doubt: number;
  /** Binary cross entropy, summed over its pieces, in nats. */
  readonly loss: number;
}

export interface ElectraStep {
  readonly tokens: readonly StudioToken[];
  /** Whether the text was longer than is shown. */
  readonly isCut: boolean;
  /** In the order of the text. */
  readonly places: readonly MaskedPlace[];
  /** One for each of the tokens. */
  readonly corrupted: readonly CorruptedToken[];
  /** L_MLM: mean over the masked tokens; 0 where none is masked. */
  readonly generatorLoss: number;
  /** L_Disc: mean over the tokens of the corrupted text. */
  readonly discriminatorLoss: number;
}

type Input = z.infer<typeof input>;

export const electraStep = studioCall({
  input,
  async run(models, asked: Input, signal): Promise<ElectraStep> {
    const filled = await models.withModel(asked.model, 'generator', (generator) => fill(generator, asked));
    signal?.throwIfAborted();
    return models.withModel(asked.model, 'discriminator', (discriminator) => doubt(discriminator, filled, signal));
  },
});

interface Column {
  readonly ids: readonly number[];
  readonly kind: CorruptedToken['kind'];
}

interface FilledText {
  readonly tokenizer: WordPieceTokenizer;
  readonly encoding: Encoding;
  readonly tokens: readonly StudioToken[];
  readonly places: readonly MaskedPlace[];
  readonly columns: readonly Column[];
  readonly isCut: boolean;
}

async function fill(generator: Model, asked: Input): Promise<FilledText> {
  const tokenizer = requireTokenizer(generator);
  const limit = Math.min(generator.maxLength, LONGEST_SHOWN);
  const encoding = tokenizer.encode(asked.text, { maxLength: limit });
  const tokens = studioTokens(tokenizer, asked.text, encoding);
  const indices = [...new Set(asked.masked)].filter((index) => index < tokens.length).sort((a, b) => a - b);
  const distributions = await atPlaces(generator, encoding, indices);

  const drawn = new Map<number, number>();
  const places = indices.map((index, slot): MaskedPlace => {
    const { id } = tokens[index];
    const tempered = atTemperature(distributions[slot], asked.temperature);
    const draw = drawAt(tokenizer, tempered, asked.draw, index);
    drawn.set(index, draw);
    return {
      index,
      candidates: bestCandidates(tokenizer, tempered, asked.top),
      originalProbability: Math.exp(tempered[id]),
      originalRank: rankOf(tempered, id),
      drawn: tokenizer.idToToken(draw),
      loss: -distributions[slot][id],
    };
  });

  const typed = new Map(asked.typed.map(({ index, text }) => [index, text]));
  const columns = tokens.map((token, index): Column => {
    const word = typed.get(index);
    const draw = drawn.get(index);
    const ids = word !== undefined ? typedIds(tokenizer, word, token) : [draw ?? token.id];
    if (word === undefined && draw === undefined) return { ids, kind: 'kept' };
    const isSame = ids.length === 1 && ids[0] === token.id;
    return { ids, kind: isSame ? 'same' : word !== undefined ? 'typed' : 'drawn' };
  });
  // A typed word of several pieces needs room: then the end of the sentence is cut.
  const fitting = fittingColumns(columns, limit - 2);
  return {
    tokenizer,
    encoding,
    tokens: tokens.slice(0, fitting),
    places: places.filter(({ index }) => index < fitting),
    columns: columns.slice(0, fitting),
    isCut: encoding.overflow.length > 0 || fitting < columns.length,
  };
}

/** How many of the columns have their pieces within so many tokens. */
function fittingColumns(columns: readonly Column[], most: number): number {
  let used = 0;
  const first = columns.findIndex(({ ids }) => {
    used += ids.length;
    return used > most;
  });
  return first < 0 ? columns.length : first;
}

/** Log-probabilities float32 [V] at each of the tokens, all of them masked at once. */
async function atPlaces(generator: Model, encoding: Encoding, indices: readonly number[]): Promise<Float32Array[]> {
  if (indices.length === 0) return [];
  const positions = indices.map((index) => index + 1);
  const ids = encoding.ids.slice();
  for (const position of positions) ids[position] = requireTokenizer(generator).maskId;
  return (await logProbabilities(generator, [{ ids, positions }]))[0];
}

/** A piece that continues a word stands for one that does, where the vocabulary has it. */
function typedIds(tokenizer: WordPieceTokenizer, word: string, token: StudioToken): number[] {
  const plain = word.replace(/^##(?=.)/, '');
  const continued = tokenizer.tokenToId(CONTINUATION_PREFIX + plain);
  if ((token.continues || plain !== word) && continued !== undefined) return [continued];
  const ids = [...tokenizer.encodeIds(plain)];
  return ids.length > 0 ? ids : [token.id];
}

async function doubt(discriminator: Model, text: FilledText, signal?: AbortSignal): Promise<ElectraStep> {
  const { tokenizer, encoding, tokens, places, columns, isCut } = text;
  checkPair(discriminator, tokenizer);
  const first = encoding.ids[0];
  const last = encoding.ids[encoding.length - 1];
  const ids = Int32Array.of(first, ...columns.flatMap((column) => column.ids), last);
  const [logits] = tokens.length > 0 ? await replacedLogits(discriminator, [ids], signal) : [new Float32Array()];
  let from = 0;
  const corrupted = columns.map(({ ids: pieces, kind }): CorruptedToken => {
    const own = logits.subarray(from, from + pieces.length);
    from += pieces.length;
    const isReplaced = kind === 'drawn' || kind === 'typed';
    return {
      pieces: pieces.map((id) => tokenizer.idToToken(id)),
      kind,
      doubt: doubtOf(Math.max(...own)),
      loss: own.reduce((sum, logit) => sum + detectionLoss(logit, isReplaced), 0),
    };
  });
  return {
    tokens,
    isCut,
    places,
    corrupted,
    generatorLoss: mean(places.map(({ loss }) => loss)),
    discriminatorLoss: logits.length === 0 ? 0 : corrupted.reduce((sum, { loss }) => sum + loss, 0) / logits.length,
  };
}

function checkPair(discriminator: Model, tokenizer: WordPieceTokenizer): void {
  const { vocabSize } = discriminator.description.config;
  if (vocabSize >= tokenizer.vocabSize) return;
  throw new DataError(
    `the generator's vocabulary has ${tokenizer.vocabSize} pieces, the discriminator knows ${vocabSize}`,
    { subject: discriminator.source, expected: 'two models of one vocabulary' },
  );
}

const mean = (values: readonly number[]) =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
