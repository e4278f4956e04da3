/** A generator at masked places of a row: what it holds probable, and what it draws. */
import { isCandidate } from '../../pipelines/candidates.js';
import { drawToken } from '../../pipelines/drawToken.js';
import { mostProbable } from '../../pipelines/maskedText.js';
import { logSoftmax } from '../../pipelines/probabilities.js';
import { RandomStream } from '../../random/philox.js';
import type { WordPieceTokenizer } from '../../text/tokenizer.js';

export interface Candidate {
  readonly piece: string;
  /** 0 to 1, at the temperature that was asked for. */
  readonly probability: number;
}

/** log softmax(z / T) of log softmax(z): the distribution that is drawn from at a temperature. */
export function atTemperature(logProbabilities: Float32Array, temperature: number): Float32Array {
  return temperature === 1 ? logProbabilities : logSoftmax(logProbabilities.map((value) => value / temperature));
}

/** The most probable pieces of text, at most `count`. */
export function bestCandidates(
  tokenizer: WordPieceTokenizer,
  logProbabilities: Float32Array,
  count: number,
): Candidate[] {
  return mostProbable(logProbabilities, count, (id) => isCandidate(tokenizer, id)).map((id) => ({
    piece: tokenizer.idToToken(id),
    probability: Math.exp(logProbabilities[id]),
  }));
}

/** How many ids are held more probable; 0 is the most probable. */
export function rankOf(logProbabilities: Float32Array, id: number): number {
  return logProbabilities.reduce((count, value) => count + Number(value > logProbabilities[id]), 0);
}

/** How a place is filled: with the most probable piece, or with a draw of this seed; further attempts draw anew. */
export type Draw = 'most-probable' | { readonly seed: number; readonly attempt?: number };

/**
 * @param logProbabilities  at the temperature of the draw
 * @param place             which place of the text: each has a number of its own, whatever else is masked
 * @param allows            which ids may be drawn. Default: all that stand for a piece of text
 */
export function drawAt(
  tokenizer: WordPieceTokenizer,
  logProbabilities: Float32Array,
  draw: Draw,
  place: number,
  allows = (id: number) => isCandidate(tokenizer, id),
): number {
  if (draw === 'most-probable') return mostProbable(logProbabilities, 1, allows)[0];
  const uniform = new RandomStream(draw.seed, 'proposals', draw.attempt ?? 0, place).uniform();
  return drawToken(logProbabilities, uniform, { temperature: 1, allows });
}
