/**
 * From evidence to doubt, and from a wanted rate of false alarms to a threshold. No labels are needed: errors are planted in text that is
 * taken to be right, a logistic regression learns to tell its words from planted ones, and the doubts of its own words say
 * how many of them would be marked at which threshold.
 */
import { z } from 'zod';
import { DataError } from '../../errors/errors.js';
import { RandomStream } from '../../random/philox.js';
import { denseFeatures, standardizationOf, standardize } from '../../tasks/linear/features.js';
import { fitLogisticRegression } from '../../tasks/linear/logisticRegression.js';
import { sigmoid } from '../probabilities.js';
import { LEAST, type WordEvidence } from './evidence.js';

export const calibrationSchema = z.strictObject({
  /** For each kind of planted error: weights of the features, in their order, and a bias; of right words all are 0. */
  kinds: z.array(z.strictObject({ weights: z.array(z.number()), bias: z.number() })).min(1),
  /** Doubt from which on so many of the words of right text are marked: [rate, doubt], rates rising. */
  thresholds: z.array(z.tuple([z.number(), z.number()])).min(1),
  /** Words of right text that the thresholds were measured on. */
  words: z.number().int().positive(),
});
export type Calibration = z.infer<typeof calibrationSchema>;

/** What is known of a word, as numbers. Those of the generator are 0 where it was not asked. */
export function featuresOf({ logit, alternatives, text, from, to }: WordEvidence): number[] {
  const { own = 0, best = 0, nearest } = alternatives ?? {};
  const pieces = Math.min(4, to - from) - 1;
  const slip = alternatives && nearest !== undefined ? nearest : LEAST;
  return [
    logit,
    pieces,
    alternatives ? -own : 0,
    alternatives ? best - own : 0,
    alternatives ? Math.max(-10, slip) : 0,
    alternatives && nearest !== undefined ? Math.max(-5, nearest - own) : 0,
    /^\p{Lu}/u.test(text) ? 1 : 0,
    /\p{N}/u.test(text) ? 1 : 0,
    alternatives ? 1 : 0,
    pieces > 0 ? logit : 0,
  ];
}

/** P(of any kind of error), by softmax over the kinds and right. Without calibration a word is doubted as its pieces are. */
export function doubtOf(word: WordEvidence, calibration: Pick<Calibration, 'kinds'> | undefined): number {
  if (!calibration) return sigmoid(word.logit);
  const features = featuresOf(word);
  const scores = calibration.kinds.map(({ weights, bias }) =>
    features.reduce((total, value, i) => total + value * weights[i], bias),
  );
  const highest = Math.max(0, ...scores);
  const wrong = scores.reduce((sum, score) => sum + Math.exp(score - highest), 0);
  return wrong / (wrong + Math.exp(-highest));
}

/** The doubt from which on about this part of right words is marked, by interpolation between the measured rates. */
export function thresholdFor({ thresholds }: Calibration, rate: number): number {
  const after = thresholds.findIndex(([measured]) => measured >= rate);
  if (after < 0) return thresholds[thresholds.length - 1][1];
  if (after === 0 || thresholds[after][0] === rate) return thresholds[after][1];
  const [[low, high], [next, doubt]] = [thresholds[after - 1], thresholds[after]];
  const part = Math.log(rate / low) / Math.log(next / low);
  return high + part * (doubt - high);
}

const RATES = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1];

/** The doubts from which on `RATES` of the words are marked. */
export function thresholdsOf(doubts: readonly number[]): [rate: number, doubt: number][] {
  const falling = [...doubts].sort((a, b) => b - a);
  return RATES.map((rate) => [rate, falling[Math.max(0, Math.ceil(rate * falling.length) - 1)]]);
}

/** A text with one word changed, and where. */
export interface Planted {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** 1: a word for another, 2: letters exchanged. */
  readonly kind: 1 | 2;
}

/** Right, and the two kinds of errors that are planted. */
const NUM_CLASSES = 3;

/** Words that errors are planted in: no names where a script has capitals; of scripts without, such as Hangul, shorter ones too. */
const PLAIN = /^(?:\p{Ll}{4,}|\p{Lo}{3,})$/u;
/** Of a sentence. Korean ones of four words are usual. */
const FEWEST_WORDS = 3;

/** Text in sentences, as errors are planted one in each. */
export function sentencesOf(text: string): string[] {
  return text
    .split(/\n+|(?<=[.!?…])\s+(?=\p{Lu}|\p{Lo})/u)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence.split(/\s+/).length >= FEWEST_WORDS);
}

/** In each sentence one error: a word for another one of the text, or two neighbouring letters exchanged, by turns. */
export function plantErrors(sentences: readonly string[], seed = 0): Planted[] {
  const places = sentences.map((text) =>
    [...text.matchAll(/[\p{L}\p{M}]+/gu)].filter(({ 0: word }) => PLAIN.test(word)),
  );
  const pool = places.flat().map(({ 0: word }) => word);
  if (pool.length === 0) return [];
  return sentences.flatMap((text, i) => {
    if (places[i].length === 0) return [];
    const random = new RandomStream(seed, 'proposals', i);
    const { 0: word, index } = places[i][random.integer(places[i].length)];
    const other =
      i % 2 === 0
        ? pool[random.integer(pool.length)]
        : exchanged(word, 1 + random.integer(Math.max(1, word.length - 3)));
    if (other === word) return [];
    return [
      {
        text: text.slice(0, index) + other + text.slice(index + word.length),
        start: index,
        end: index + other.length,
        kind: i % 2 === 0 ? 1 : 2,
      },
    ];
  });
}

function exchanged(word: string, at: number): string {
  return word.slice(0, at) + word[at + 1] + word[at] + word.slice(at + 2);
}

/** Below, a rate of one in a hundred rests on fewer than five words. */
const FEWEST_CALIBRATION_WORDS = 500;
const FEWEST_PLANTED = 20;
const L2 = 1e-4;

/**
 * @param right    evidence of right sentences
 * @param planted  evidence of words that were planted, with their kind
 * @throws DataError when there is too little text
 */
export function calibrate(
  right: readonly (readonly WordEvidence[])[],
  planted: readonly { readonly word: WordEvidence; readonly kind: Planted['kind'] }[],
): Calibration {
  const words = right.flat();
  if (words.length < FEWEST_CALIBRATION_WORDS || planted.length < FEWEST_PLANTED) {
    throw new DataError(`there are ${words.length} words of right text, too few to measure false alarms on`, {
      subject: 'right text',
      found: words.length,
      expected: `${FEWEST_CALIBRATION_WORDS} words and more, in sentences; some thousands are better`,
      advice: 'Give more text that is known to be right',
    });
  }
  // What the weights are fitted to and what the thresholds are measured on are different sentences.
  const [toFit, toMeasure] = [0, 1].map((half) => right.filter((_, i) => i % 2 === half).flat());
  const rows = [...toFit, ...planted.map(({ word }) => word)];
  const numColumns = featuresOf(rows[0]).length;
  const values = Float64Array.from(rows.flatMap(featuresOf));
  const { mean, deviation } = standardizationOf(values, numColumns);
  const labels = [...toFit.map(() => 0), ...planted.map(({ kind }) => kind)];
  const x = denseFeatures(standardize(values, { mean, deviation }), numColumns);
  const { parameters } = fitLogisticRegression(x, labels, { numClasses: NUM_CLASSES, l2: L2 });
  const biasOf = (k: number) => parameters[NUM_CLASSES * numColumns + k] - parameters[NUM_CLASSES * numColumns];
  const kinds = [1, 2].map((k) => {
    const weights = Array.from(deviation, (each, j) =>
      rounded((parameters[k * numColumns + j] - parameters[j]) / each),
    );
    const shift = weights.reduce((sum, weight, j) => sum + weight * mean[j], 0);
    return { weights, bias: rounded(biasOf(k) - shift) };
  });
  return {
    kinds,
    thresholds: thresholdsOf(toMeasure.map((word) => doubtOf(word, { kinds }))),
    words: toMeasure.length,
  };
}

const rounded = (value: number) => Number(value.toPrecision(6));
