/** Applies a masking scheme to a whole batch: the model's input and the list of what is to be predicted. */

import { DataError } from '../../errors/errors.js';
import { RandomStream } from '../../random/philox.js';
import type { Blocks } from '../batches.js';
import type { SpecialIds } from '../shards.js';
import { MASK_ACTIONS, type MaskedBlock, type MaskingScheme } from './scheme.js';

export interface MaskBatchSettings {
  readonly seed: number;
  readonly specialIds: SpecialIds;
  readonly vocabSize: number;
  /** As `Shards.absentIds`. */
  readonly absentIds?: ReadonlySet<number>;
  /** Fixed number of slots M, filled up with slots of weight 0. Default: as many as the rows have. */
  readonly slots?: number;
}

/** A masked batch of B rows and S positions with M prediction slots, the rows' slots one after another. */
export interface MaskedBatch {
  /** As they were, int32 [B, S]. */
  readonly inputIds: Int32Array;
  /** What the model sees, int32 [B, S]. */
  readonly maskedInputIds: Int32Array;
  /** Flat indices row · S + position, int32 [M]; 0 in padded slots. */
  readonly maskedPositions: Int32Array;
  /** Original ids at those positions, int32 [M]. */
  readonly maskedIds: Int32Array;
  /** 1, or 0 in padded slots, float32 [M]. */
  readonly maskedWeights: Float32Array;
  /** First slot of each row and the end of the last, int32 [B + 1]. */
  readonly slotOffsets: Int32Array;
  /** Each row's slots as the scheme gave them. */
  readonly rows: readonly MaskedBlock[];
}

/**
 * Masks are a pure function of (seed, epoch, block index): the same on whatever rank and in whatever batch a block is.
 * @throws DataError when `slots` is given and the rows need more
 */
export function maskBatch(blocks: Blocks, scheme: MaskingScheme, settings: MaskBatchSettings): MaskedBatch {
  const { seed, specialIds, vocabSize, absentIds } = settings;
  const { length, batchSize, blockLength, inputIds } = blocks;
  const rows = Array.from({ length: batchSize }, (_, row) =>
    scheme.mask(
      {
        ids: inputIds.subarray(row * length, (row + 1) * length),
        n: blocks.lengths[row],
        blockLength,
        wordStarts: blocks.wordStarts.subarray(row * length, (row + 1) * length),
        tags: blocks.tags?.subarray(row * length, (row + 1) * length),
        specialIds,
        vocabSize,
        ...(absentIds && { absentIds }),
      },
      new RandomStream(seed, 'masking', blocks.epochs[row], blocks.blockIndices[row]),
    ),
  );

  const slotOffsets = new Int32Array(batchSize + 1);
  rows.forEach(({ positions }, row) => {
    slotOffsets[row + 1] = slotOffsets[row] + positions.length;
  });
  const used = slotOffsets[batchSize];
  const slots = settings.slots ?? used;
  if (slots < used) throw new DataError(`The batch has ${used} masked slots; room was asked for ${slots}`);

  const maskedInputIds = inputIds.slice();
  const maskedPositions = new Int32Array(slots);
  rows.forEach((masked, row) => {
    maskedPositions.set(
      masked.positions.map((position) => row * length + position),
      slotOffsets[row],
    );
    writeInput(maskedInputIds.subarray(row * length, (row + 1) * length), masked, specialIds.maskId);
  });
  return {
    inputIds,
    maskedInputIds,
    maskedPositions,
    maskedIds: maskedPositions.map((position) => inputIds[position]),
    maskedWeights: new Float32Array(slots).fill(1, 0, used),
    slotOffsets,
    rows,
  };
}

/** A position that is named twice is masked when either slot says so: `keep` writes nothing. */
function writeInput(ids: Int32Array, { positions, actions, replacements }: MaskedBlock, maskId: number): void {
  positions.forEach((position, slot) => {
    if (actions[slot] === MASK_ACTIONS.mask) ids[position] = maskId;
    if (actions[slot] === MASK_ACTIONS.random) ids[position] = replacements![slot];
  });
}
