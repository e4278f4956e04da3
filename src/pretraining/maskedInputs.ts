/** What every pre-training objective's graph reads of a masked batch, and the tensors to feed for it. */
import type { MaskedBatch } from '../data/maskedBatch.js';
import type { Tensors } from '../engine/engine.js';
import { float32Tensor, int32Tensor } from '../engine/tensors.js';
import type { GraphBuilder, Node } from '../graph/graph.js';
import type { EncoderInputs } from '../models/encoder.js';
import { MASKED } from '../models/vocabularyHead.js';
import { attentionBias, BATCH, LENGTH, TOKENS } from '../nn/layers.js';
import type { BatchFormat, Build, GraphPhase } from '../training/graphPhase.js';

/** Slots to predict: where they are, what stood there, and 1, or 0 for padding. */
export interface SlotInputs {
  /** row·S + position, int32 [M] */
  readonly positions: Node;
  /** int32 [M] */
  readonly original: Node;
  /** float32 [M] */
  readonly weights: Node;
}

export interface MaskedInputs {
  /** The original tokens, int32 [B·S]. */
  readonly inputIds: Node;
  /** With masks, int32 [B·S]. */
  readonly maskedInputIds: Node;
  /** float32 [B·S] */
  readonly attentionMask: Node;
  /** What an encoder reads beside its tokens. */
  readonly encoder: Omit<EncoderInputs, 'inputIds'>;
  readonly slots: SlotInputs;
}

function declareMaskedInputs(g: GraphBuilder): MaskedInputs {
  const flat = (name: string) => g.reshape(g.input(name, 'int32', [BATCH, LENGTH]), [TOKENS]);
  const attentionMask = g.input('attentionMask', 'int32', [BATCH, LENGTH]);
  return {
    inputIds: flat('inputIds'),
    maskedInputIds: flat('maskedInputIds'),
    attentionMask: g.cast(g.reshape(attentionMask, [TOKENS]), 'float32'),
    encoder: {
      tokenTypeIds: flat('tokenTypeIds'),
      positionIds: g.input('positionIds', 'int32', [LENGTH]),
      attentionBias: attentionBias(g, attentionMask),
    },
    slots: {
      positions: g.input('maskedPositions', 'int32', [MASKED]),
      original: g.input('maskedIds', 'int32', [MASKED]),
      weights: g.input('maskedWeights', 'float32', [MASKED]),
    },
  };
}

/** The tensors of `declareMaskedInputs`. */
function maskedFeeds(batch: MaskedBatch): Tensors {
  const { batchSize, length } = batch;
  const rows = (data: Int32Array) => int32Tensor(data, [batchSize, length]);
  return {
    inputIds: rows(batch.inputIds),
    maskedInputIds: rows(batch.maskedInputIds),
    tokenTypeIds: rows(batch.tokenTypeIds),
    attentionMask: rows(batch.attentionMask),
    positionIds: int32Tensor(Int32Array.from({ length }, (_, i) => i)),
    maskedPositions: int32Tensor(batch.maskedPositions),
    maskedIds: int32Tensor(batch.maskedIds),
    maskedWeights: float32Tensor(batch.maskedWeights),
  };
}

export const MASKED_BATCHES: BatchFormat<MaskedBatch, MaskedInputs> = {
  declare: declareMaskedInputs,
  feeds: maskedFeeds,
  sizes: ({ batchSize, length, maskedPositions }) =>
    new Map([
      [BATCH, batchSize],
      [LENGTH, length],
      [MASKED, maskedPositions.length],
    ]),
};

/** A phase over masked batches, and its graph under construction. */
export type MaskedPhase = GraphPhase<MaskedBatch, MaskedInputs>;
export type MaskedBuild = Build<MaskedInputs>;
