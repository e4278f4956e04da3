/** What a model says of a row about the places of answers, by either head (models/heads.ts). */
import type { QuestionAnsweringHead } from '../../models/heads.js';
import type { OutputName, RowOutputs } from '../../pretrained/model.js';
import { LogSum } from './answerSearch.js';

/** The standard head: logits of start and end at every position of the row; [CLS], position 0, stands for "no answer". */
export interface StandardLogits {
  readonly start: Float32Array;
  readonly end: Float32Array;
}

/** A start that was looked at, and the ends that it may have. */
export interface BeamStart {
  /** Position in the row, not [CLS]. */
  readonly position: number;
  /** ln P(start) */
  readonly logit: number;
  /** ln P(end | start) of the positions from `position` on. */
  readonly ends: Float32Array;
}

/** ELECTRA's own head. */
export interface JointLogits {
  readonly beams: readonly BeamStart[];
  /** Logit of "there is no answer in this window", by a classifier of its own. */
  readonly noAnswer: number;
}

export type AnswerLogits = StandardLogits | JointLogits;

/** The outputs of a head that answers are found in. */
export const ANSWER_OUTPUTS: Readonly<Record<QuestionAnsweringHead, readonly OutputName[]>> = {
  standard: ['startLogits', 'endLogits'],
  joint: ['startLogits', 'beamStarts', 'beamEndLogits', 'noAnswerLogits'],
};

/**
 * @param outputs  of one row, those of `ANSWER_OUTPUTS`
 * @param most     positions of an answer, at most: further ends are left out
 */
export function answerLogits(outputs: RowOutputs, most = Number.POSITIVE_INFINITY): AnswerLogits {
  const { startLogits, endLogits, beamStarts, beamEndLogits, noAnswerLogits } = outputs;
  if (beamStarts === undefined) return { start: startLogits, end: endLogits };
  const length = startLogits.length;
  const size = beamStarts.length;
  const sumOfStarts = logSumOf(length, (position) => startLogits[position]);
  const beams: BeamStart[] = [];
  const known = new Set<number>();
  for (const [beam, position] of beamStarts.entries()) {
    // [CLS] is no answer; a row of fewer positions than beams repeats some, and padding is beyond its end.
    if (position === 0 || position >= length || known.has(position)) continue;
    known.add(position);
    const endAt = (at: number) => beamEndLogits[at * size + beam];
    const sumOfEnds = logSumOf(length, endAt);
    const count = Math.min(length - position, most);
    const ends = Float32Array.from({ length: count }, (_, i) => endAt(position + i) - sumOfEnds);
    beams.push({ position, logit: startLogits[position] - sumOfStarts, ends });
  }
  return { beams, noAnswer: noAnswerLogits[0] };
}

function logSumOf(length: number, at: (position: number) => number): number {
  const sum = new LogSum();
  for (let position = 0; position < length; position++) sum.add(at(position));
  return sum.value;
}
