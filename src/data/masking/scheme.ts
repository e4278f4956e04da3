/**
 * Masking schemes: which positions of a block are predicted, and what the model sees there instead.
 * A scheme is chosen apart from the objective; it sees one block and that block's own stream of random numbers, so a
 * mask is a function of (seed, epoch, block) and can be made again.
 */

import type { RandomStream } from '../../random/philox.js';
import type { SpecialIds } from '../shards.js';

/** What the model sees at a predicted position. */
export const MASK_ACTIONS = { mask: 0, random: 1, keep: 2 } as const;

/** One block as a scheme sees it. */
export interface MaskingBlock {
  /** Token ids, [n] or longer; padding follows after n. */
  readonly ids: Int32Array;
  /** Positions that are not padding, special tokens included. */
  readonly n: number;
  /** The length that blocks are cut for; unlike `ids.length` it does not depend on the rest of the batch. */
  readonly blockLength: number;
  /** 1 where a token begins a word, as long as `ids`. */
  readonly wordStarts: Uint8Array;
  /** Entities and phrases as `TAG_BITS` (tags.ts), as long as `ids`; absent when the text has no tags. */
  readonly tags?: Uint8Array;
  readonly specialIds: SpecialIds;
  readonly vocabSize: number;
  /** Ids that stand for no piece and are never shown; absent when there are none. */
  readonly absentIds?: ReadonlySet<number>;
}

/** The prediction slots of one block, k of them. */
export interface MaskedBlock {
  /** Positions in the block, int32 [k]; a scheme that draws with replacement may name one twice. */
  readonly positions: Int32Array;
  /** One of `MASK_ACTIONS` a slot, uint8 [k]. */
  readonly actions: Uint8Array;
  /** The id to show where the action is `random`, int32 [k]; absent when there is no such slot. */
  readonly replacements?: Int32Array;
  /** How the spans were drawn, for statistics; absent where a scheme draws single tokens. */
  readonly draws?: SpanDraws;
}

export interface SpanDraws {
  /** Spans that were masked, before overlapping and adjacent ones became one. */
  readonly accepted: number;
  /** Anchors that were drawn in vain, because they were masked already. */
  readonly rejected: number;
}

export interface MaskingScheme {
  readonly name: string;
  /** The most slots a block of this length can get. */
  maxSlots(blockLength: number): number;
  mask(block: MaskingBlock, random: RandomStream): MaskedBlock;
}

/**
 * Positions that may be predicted: not padding, not [CLS], [SEP] or [MASK]; [UNK] may (pretrain_helpers.py `mask`).
 * Position 0 is [CLS] in every block and is left out whatever it holds.
 */
export function candidatePositions({ ids, n, specialIds }: MaskingBlock): Int32Array {
  const { clsId, sepId, maskId } = specialIds;
  const candidates = new Int32Array(n);
  let count = 0;
  for (let position = 1; position < n; position++) {
    const id = ids[position];
    if (id !== clsId && id !== sepId && id !== maskId) candidates[count++] = position;
  }
  return candidates.subarray(0, count);
}
