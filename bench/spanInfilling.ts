/**
 * Held-out span infilling: spans of 1 to 10 whole words of held-out text are masked, one a row, and predicted from what is
 * around them. All pieces of a span are predicted at once, by each head from the same masked row: that is what training
 * asks of them, and it is the same work for both.
 */
import { createBatchSource } from '../src/data/batches.js';
import type { Shards } from '../src/data/shards.js';
import { unigramProbabilities } from '../src/data/unigram.js';
import { DataError } from '../src/errors/errors.js';
import { predictSpans, spanWithBoundaries } from '../src/pipelines/spanPrediction.js';
import type { Model } from '../src/pretrained/model.js';
import { requireTokenizer } from '../src/pretrained/requireTokenizer.js';
import { Permutation, RandomStream } from '../src/random/philox.js';

/** Spans are of 1 to so many words. */
export const MOST_WORDS = 10;
/** Longer spans have pieces that a boundary head with the usual position table cannot predict; they are left out. */
const MOST_PIECES = 15;

/** A span of held-out text in its row. */
export interface HeldOutSpan {
  /** The row, [CLS] and [SEP] included, nothing masked. */
  readonly ids: Int32Array;
  readonly first: number;
  readonly pieces: number;
  readonly words: number;
}

/** Of the spans of one number of words. */
export interface LengthScores {
  readonly words: number;
  readonly spans: number;
  readonly pieces: number;
  /** Σ −log p over all pieces, nats, by each head that there is. */
  readonly lossSum: { readonly mlm: number; readonly sbo?: number };
  /** Spans of which every piece is the most probable one: by each head, and by the sum of their log-probabilities. */
  readonly exact: { readonly mlm: number; readonly sbo?: number; readonly both?: number };
}

/**
 * The same spans for every model: a pure function of the held-out text, the length of a row and the seed.
 * @param count  of each number of words
 * @throws DataError when the held-out text has too few
 */
export function heldOutSpans(shards: Shards, { length, count }: { length: number; count: number }): HeldOutSpan[] {
  const source = createBatchSource({
    shards,
    split: 'heldOut',
    length,
    batchSize: 1,
    segments: 'single',
    seed: 0,
    requireFullBatch: false,
  });
  const order = new Permutation(Math.max(1, source.numBlocks), new RandomStream(0, 'evaluation', 1));
  const spans: HeldOutSpan[] = [];
  for (let words = 1; words <= MOST_WORDS; words++) {
    let found = 0;
    for (let i = 0; i < source.numBlocks && found < count; i++) {
      // Each number of words begins elsewhere, so that not all of them mask the same rows.
      const block = order.at((i + words * count) % source.numBlocks);
      const { inputIds, wordStarts, lengths } = source.rows([block]);
      const random = new RandomStream(0, 'evaluation', 2 + words, block);
      const place = drawSpan(wordStarts, lengths[0], words, random);
      if (!place) continue;
      spans.push({ ids: inputIds.slice(0, lengths[0]), ...place, words });
      found++;
    }
    if (found < count) {
      throw new DataError(`${shards.source}: the held-out text has ${found} rows with room for ${words} words`, {
        subject: shards.source,
        found,
        expected: `at least ${count}`,
        advice: 'Ask for fewer spans, or prepare the text with a larger --held-out-fraction',
      });
    }
  }
  return spans;
}

/** Whole words with at least one token of text on both sides. */
function drawSpan(
  wordStarts: Uint8Array,
  used: number,
  words: number,
  random: RandomStream,
): { first: number; pieces: number } | undefined {
  const last = used - 2; // of the text; [SEP] follows
  const starts = Array.from({ length: used - 1 }, (_, i) => i + 1).filter((at) => wordStarts[at]); // with [SEP]'s own
  // The word after the span begins in the text, so that a token stands there.
  const places = starts
    .slice(0, -words)
    .map((first, i) => ({ first, end: starts[i + words] }))
    .filter(({ first, end }) => first > 1 && end <= last && end - first <= MOST_PIECES);
  if (places.length === 0) return undefined;
  const { first, end } = places[random.integer(places.length)];
  return { first, pieces: end - first };
}

/** Rows whose predictions are held at once: each piece has a number for every token of the vocabulary. */
const ROWS_AT_ONCE = 32;

/** @returns one entry for each number of words */
export async function scoreInfilling(model: Model, spans: readonly HeldOutSpan[]): Promise<LengthScores[]> {
  const tallies = new Map<number, Tally>();
  for (let at = 0; at < spans.length; at += ROWS_AT_ONCE) {
    const part = spans.slice(at, at + ROWS_AT_ONCE);
    const predictions = await predictSpans(
      model,
      part.map((span) => requestOf(model, span)),
    );
    for (const [i, span] of part.entries()) {
      const tally = tallies.get(span.words) ?? new Tally();
      tally.add(span, predictions[i]);
      tallies.set(span.words, tally);
    }
  }
  return [...tallies].map(([words, tally]) => ({
    words,
    ...tally.scores(model.description.spanBoundary !== undefined),
  }));
}

function requestOf(model: Model, { ids, first, pieces }: HeldOutSpan) {
  const masked = ids.slice().fill(requireTokenizer(model).maskId, first, first + pieces);
  return {
    ids: masked,
    positions: Array.from({ length: pieces }, (_, i) => first + i),
    span: model.description.spanBoundary && spanWithBoundaries(model, masked, first, pieces),
  };
}

class Tally {
  #spans = 0;
  #pieces = 0;
  readonly #lossSum = { mlm: 0, sbo: 0 };
  readonly #exact = { mlm: 0, sbo: 0, both: 0 };

  add(
    { ids, first, pieces }: HeldOutSpan,
    { mlm, sbo }: { mlm: readonly Float32Array[]; sbo: readonly Float32Array[] },
  ): void {
    const right = ids.subarray(first, first + pieces);
    this.#spans++;
    this.#pieces += pieces;
    this.#lossSum.mlm += lossOf(mlm, right);
    this.#exact.mlm += isExact(mlm, right) ? 1 : 0;
    if (sbo.length === 0) return;
    this.#lossSum.sbo += lossOf(sbo, right);
    this.#exact.sbo += isExact(sbo, right) ? 1 : 0;
    const both = mlm.map((row, i) => row.map((value, id) => value + sbo[i][id]));
    this.#exact.both += isExact(both, right) ? 1 : 0;
  }

  scores(hasBoundary: boolean): Omit<LengthScores, 'words'> {
    const { mlm } = this.#lossSum;
    return {
      spans: this.#spans,
      pieces: this.#pieces,
      lossSum: hasBoundary ? { ...this.#lossSum } : { mlm },
      exact: hasBoundary ? { ...this.#exact } : { mlm: this.#exact.mlm },
    };
  }
}

function lossOf(logProbabilities: readonly Float32Array[], right: Int32Array): number {
  return logProbabilities.reduce((sum, row, i) => sum - row[right[i]], 0);
}

function isExact(scores: readonly Float32Array[], right: Int32Array): boolean {
  return scores.every((row, i) => row.every((value) => value <= row[right[i]]));
}

/** What knowing the training text's word frequencies and nothing else reaches: the loss any head must get below. */
export function scoreUnigram(spans: readonly HeldOutSpan[], trainCounts: ArrayLike<number>): LengthScores[] {
  const logProbabilities = unigramProbabilities(trainCounts, 1).map(Math.log);
  const tallies = new Map<number, Tally>();
  for (const span of spans) {
    const tally = tallies.get(span.words) ?? new Tally();
    tally.add(span, { mlm: Array.from({ length: span.pieces }, () => logProbabilities), sbo: [] });
    tallies.set(span.words, tally);
  }
  return [...tallies].map(([words, tally]) => ({ words, ...tally.scores(false) }));
}
