/** Applies a masking scheme to a whole batch: the model's input and the list of what is to be predicted. */

import { DataError } from '../../errors/errors.js';
import { RandomStream } from '../../random/philox.js';
import type { Blocks } from '../batches.js';
import type { MaskedBatch } from '../maskedBatch.js';
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

/** A masked batch with its slots by row, the rows' slots one after another. */
export interface MaskedBlocks extends MaskedBatch {
  /** First slot of each row and the end of the last, int32 [B + 1]. */
  readonly slotOffsets: Int32Array;
  /** Each row's slots as the scheme gave them. */
  readonly rows: readonly MaskedBlock[];
}

/**
 * Masks are a pure function of (seed, epoch, block index): the same on whatever rank and in whatever batch a block is.
 * @throws DataError when `slots` is given and the rows need more
 */
export function maskBatch(blocks: Blocks, scheme: MaskingScheme, settings: MaskBatchSettings): MaskedBlocks {
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
    batchSize,
    length,
    inputIds,
    tokenTypeIds: blocks.tokenTypeIds,
    attentionMask: blocks.attentionMask,
    ...(blocks.nextSentence && { nextSentence: blocks.nextSentence }),
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
