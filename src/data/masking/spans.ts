/**
 * Spans of masked tokens. A masked block keeps positions only; what a span is follows from them, so that every scheme,
 * every batch and the span boundary objective agree on it.
 */

import { SPAN_BOUNDARY_DEFAULTS } from '../../models/spanbert.js';
import type { SpecialIds } from '../shards.js';

/** Tokens of a span that the released SpanBERT predicts from its boundaries; those beyond have no target. */
export const MAX_SPAN_TARGETS = SPAN_BOUNDARY_DEFAULTS.maxSpanTargets;

/**
 * The maximal runs of neighbouring masked positions: overlapping and adjacent spans become one, as in the released code
 * of SpanBERT. No scheme masks [CLS], [SEP] or padding, so a run never crosses one: it would need a gap of no position.
 * @param positions  of one block, ascending as in a `MaskedBlock`; repeated positions count once
 * @returns          first and last position of each span, both inclusive, int32 [2k], ascending
 */
export function mergedSpans(positions: ArrayLike<number>): Int32Array {
  const sorted = Int32Array.from(positions).sort();
  const spans: number[] = [];
  for (const position of sorted) {
    const last = spans.length - 1;
    if (last > 0 && position <= spans[last] + 1) spans[last] = position;
    else spans.push(position, position);
  }
  return Int32Array.from(spans);
}

/** The part of a `MaskingBlock` that says where text stands. */
export interface BlockText {
  readonly ids: ArrayLike<number>;
  readonly n: number;
  readonly specialIds: Pick<SpecialIds, 'clsId' | 'sepId'>;
}

/**
 * The positions s−1 and e+1 beside a merged span s..e, which are never masked; undefined at a side where no text stands.
 * As released, a span that touches [CLS], [SEP] or the end is not predicted from its boundaries.
 */
export function textBeside(
  { ids, n, specialIds: { clsId, sepId } }: BlockText,
  first: number,
  last: number,
): { left?: number; right?: number } {
  const isText = (position: number) =>
    position > 0 && position < n && ids[position] !== clsId && ids[position] !== sepId;
  return { ...(isText(first - 1) && { left: first - 1 }), ...(isText(last + 1) && { right: last + 1 }) };
}
