/**
 * What the span boundary objective predicts, from the masked positions of a batch: each token of a masked span, from the
 * two tokens just outside the span. SpanBERT (arXiv 1907.10529) §3.2.
 */
import type { SpanBoundaryConfig } from '../../models/spanbert.js';
import type { SpanTargets } from '../maskedBatch.js';
import type { SpecialIds } from '../shards.js';
import { mergedSpans, textBeside } from './spans.js';

/**
 * Which tokens have boundaries. Spans beside [CLS] or [SEP] are dropped by default, as in the released code: half of
 * their context would be a token that says nothing, and it is 2 to 7 % of the targets only. With `special` these tokens
 * are the boundaries, which a model must have learned before it can be asked about a gap at a text's edge.
 */
export type SpanTargetSettings = Omit<SpanBoundaryConfig, 'positionSize'>;

/** Rows of tokens with their masked slots, as batches and objectives have them. */
export interface MaskedRows {
  /** The original tokens, [B·S]. */
  readonly inputIds: Int32Array;
  /** row·S + position, rows ascending, [M] */
  readonly maskedPositions: Int32Array;
  /** 0 for a slot that is padding, [M]. */
  readonly maskedWeights: Float32Array;
}

/** The boundary tokens of a span s..e, or undefined where it has none. */
export function boundariesOf(
  start: number,
  end: number,
  ids: ArrayLike<number>,
  specialIds: Pick<SpecialIds, 'clsId' | 'sepId'>,
  { endpoints, edgeSpans }: SpanTargetSettings,
): { left: number; right: number } | undefined {
  if (endpoints === 'internal') return { left: start, right: end };
  if (edgeSpans === 'special') return { left: start - 1, right: end + 1 };
  const { left, right } = textBeside({ ids, n: ids.length, specialIds }, start, end);
  return left === undefined || right === undefined ? undefined : { left, right };
}

/**
 * Targets of all rows, filled up to the number of masked slots, so that a batch always has the same shape: every target
 * is a masked token. Spans are the runs of neighbouring masked positions; no run crosses rows, since the first and the
 * last token of a row are never masked.
 */
export function spanTargets(
  { inputIds, maskedPositions, maskedWeights }: MaskedRows,
  specialIds: Pick<SpecialIds, 'clsId' | 'sepId'>,
  settings: SpanTargetSettings,
): SpanTargets {
  const slots = maskedPositions.length;
  const targets = {
    left: new Int32Array(slots),
    right: new Int32Array(slots),
    offsets: new Int32Array(slots),
    ids: new Int32Array(slots),
    weights: new Float32Array(slots),
  };
  let count = 0;
  const spans = mergedSpans(maskedPositions.filter((_, slot) => maskedWeights[slot] !== 0));
  for (let i = 0; i < spans.length; i += 2) {
    const [start, end] = [spans[i], spans[i + 1]];
    const boundaries = boundariesOf(start, end, inputIds, specialIds, settings);
    if (!boundaries) continue;
    const last = Math.min(end, start + settings.maxSpanTargets - 1);
    for (let position = start; position <= last; position++, count++) {
      targets.left[count] = boundaries.left;
      targets.right[count] = boundaries.right;
      targets.offsets[count] = position - start;
      targets.ids[count] = inputIds[position];
      targets.weights[count] = 1;
    }
  }
  return targets;
}
