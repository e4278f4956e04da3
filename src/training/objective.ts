/**
 * What a pre-training objective gives the trainer: its parameters, its graphs, and the tensors to feed for a batch.
 * Losses leave a graph as sums with their counts, and enter the total scaled by fed factors: gradients accumulated over
 * micro-batches and ranks are then weighed by tokens, not by batches.
 */
import type { Tensors } from '../engine/engine.js';
import type { Graph } from '../graph/graph.js';
import type { Architecture, EncoderConfig } from '../models/config.js';
import type { SpanBoundaryConfig } from '../models/spanbert.js';
import type { ParameterSpec } from '../nn/parameters.js';

export type { Initializer, ParameterSpec } from '../nn/parameters.js';

/** A batch with its masks drawn, rows of one length. */
export interface MaskedBatch {
  readonly batchSize: number;
  readonly length: number;
  /** The original tokens, [B·S]. */
  readonly inputIds: Int32Array;
  /** The tokens that a masked language model reads, [B·S]. */
  readonly maskedInputIds: Int32Array;
  readonly tokenTypeIds: Int32Array;
  /** 1 for a token, 0 for padding, [B·S]. */
  readonly attentionMask: Int32Array;
  /** The masked slots of all rows, as row·S + position, [M]. */
  readonly maskedPositions: Int32Array;
  /** The original tokens at the slots, [M]. */
  readonly maskedIds: Int32Array;
  /** 1, or 0 for a slot that is padding, [M]. */
  readonly maskedWeights: Float32Array;
  /** For the span boundary objective. */
  readonly spanTargets?: SpanTargets;
  /** For next-sentence prediction. */
  readonly nextSentence?: NextSentenceLabels;
}

/** Tokens of masked spans, to be predicted from the tokens beside their span; N of them. */
export interface SpanTargets {
  /** Boundary tokens, as row·S + position, int32 [N] each; 0 in padding. */
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** Place in the span, from 0, [N]. */
  readonly offsets: Int32Array;
  /** The token that stood there, [N]. */
  readonly ids: Int32Array;
  /** 1, or 0 for padding, [N]. */
  readonly weights: Float32Array;
}

export interface NextSentenceLabels {
  /** 0 where the second segment follows the first, 1 where it is from elsewhere, [B]. */
  readonly labels: Int32Array;
  /** 1, or 0 for a row that has no second segment, [B]. */
  readonly weights: Float32Array;
}

/**
 * Where the draws of a micro-batch come from. Each row has draws of its own, so that a row gets the same proposals and
 * dropout however the rows of a step are divided into micro-batches and among ranks.
 */
export interface DrawKey {
  readonly seed: number;
  readonly step: number;
  /** Number of the batch's first row among all rows of the step. */
  readonly firstRow: number;
}

/**
 * The losses that objectives are made of: masked slots; tokens of the main encoder's own loss in ELECTRA and its
 * comparisons; tokens predicted from span boundaries; rows asked whether their second sentence follows the first.
 */
export const LOSSES = ['mlm', 'disc', 'sbo', 'nsp'] as const;
export type LossName = (typeof LOSSES)[number];

/** How many tokens (of `nsp`: rows) each loss of an objective is taken over. */
export type LossCounts = Readonly<Partial<Record<LossName, number>>>;

/** What each loss counts in the total. */
export type LossWeights = Readonly<Partial<Record<LossName, number>>>;

/** Counts of several micro-batches or ranks together. */
export function addCounts(a: LossCounts, b: LossCounts): LossCounts {
  const sums: Partial<Record<LossName, number>> = { ...a };
  for (const [name, count] of Object.entries(b) as [LossName, number][]) sums[name] = (sums[name] ?? 0) + count;
  return sums;
}

export interface ObjectivePhase {
  readonly name: string;
  /** Which share of all steps this phase takes; shares sum to 1. */
  readonly share: number;
  /** Whether a parameter is trained in this phase. */
  trains(name: string): boolean;
  /** Parameters to copy when the phase begins, [from, to]. */
  readonly copies: readonly (readonly [string, string])[];
  /**
   * Forward and backward. State: the parameters by name. Updates: `gradient:<name>` of every trained parameter, set, or
   * added to what is there when `accumulate`.
   * Scalar outputs, all sums over the micro-batch, those that the objective has: `<loss>LossSum` and `<loss>Correct` of
   * its losses, `replaced`, `truePositives`, `predictedPositives`.
   */
  trainingGraph(options: { accumulate: boolean }): Graph;
  /**
   * Forward only, no dropout. The same outputs, and where there is a discriminator `discLogits` float32 [B, S] and
   * `isReplaced` float32 [B, S].
   */
  evaluationGraph(): Graph;
  counts(batch: MaskedBatch): LossCounts;
  /**
   * @param total  the counts of the whole global batch, whose reciprocals scale the losses; evaluation passes none
   */
  feeds(batch: MaskedBatch, draw: DrawKey, total?: LossCounts): Tensors;
}

/** A model that a run leaves behind, in Hugging Face layout. */
export interface ModelExport {
  /** Name of its folder: `generator`, `discriminator`, or `model` where there is one alone. */
  readonly folder: string;
  readonly architecture: Architecture;
  readonly config: EncoderConfig;
  /** Of a model with a span boundary head. */
  readonly spanBoundary?: SpanBoundaryConfig;
  /** Published tensor name → parameter; a shared parameter stands in several models. */
  readonly tensors: ReadonlyMap<string, string>;
}

export interface PretrainingObjective {
  readonly name: string;
  readonly parameters: readonly ParameterSpec[];
  readonly models: readonly ModelExport[];
  readonly phases: readonly ObjectivePhase[];
  readonly lossWeights: LossWeights;
}
