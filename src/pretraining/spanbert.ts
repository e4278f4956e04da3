/**
 * SpanBERT's pre-training (Joshi et al. 2020, arXiv 1907.10529 §3): every masked token is predicted twice, by a masked LM
 * from its own hidden state and by the span boundary head from the two tokens beside its span. One encoder, one sequence.
 *
 *   L(x_i) = L_MLM(x_i) + L_SBO(x_i) = −log P(x_i | h_i) − log P(x_i | y_i)        (§3.2; h_i is the hidden state)
 *   L      = mean over masked tokens of L_MLM + sboWeight · mean over tokens with boundaries of L_SBO
 *
 * Each mean is taken once, over the whole step. The released code divides by the count of a GPU and its trainer then
 * divides gradients again by the tokens of all GPUs: gradients come out about 600 times smaller, so that Adam's ε of 1e-8
 * acts like 6e-6 and clipping never acts; our ε is 1e-6. For the paper's comparisons (§6.2): without SBO, and BERT's two
 * segments with next-sentence prediction.
 */

import type { MaskedBatch } from '../data/maskedBatch.js';
import { spanTargets } from '../data/masking/spanTargets.js';
import type { Tensors } from '../engine/engine.js';
import { float32Tensor, int32Tensor } from '../engine/tensors.js';
import { SettingsError } from '../errors/errors.js';
import type { GraphBuilder } from '../graph/graph.js';
import { bertMaskedLmHead, nextSentenceHead } from '../models/bert.js';
import type { EncoderConfig } from '../models/config.js';
import { type EncoderStart, encode } from '../models/encoder.js';
import { firstTokens } from '../models/modelGraph.js';
import { type SpanBoundaryConfig, spanBoundaryHead } from '../models/spanbert.js';
import { MASKED } from '../models/vocabularyHead.js';
import { BATCH } from '../nn/layers.js';
import { GraphPhase, type Loss } from '../training/graphPhase.js';
import type { LossCounts, ModelExport } from '../training/objective.js';
import { predictionLoss } from '../training/predictionLoss.js';
import { isEmbedding } from './electraGraph.js';
import { MASKED_BATCHES, type MaskedBuild } from './maskedInputs.js';
import { type CommonSettings, defineObjective } from './objectiveDefinition.js';
import { type PretrainingObjective, pretrainingObjective } from './pretrainingObjective.js';
import {
  SPANBERT_SETTINGS,
  type SpanBertSettings,
  spanBertContradictions,
  spanBoundaryOf,
} from './spanBertSettings.js';

export interface SpanBertConfig {
  /** `mlm` where it is the masked LM of a BERT alone. Default spanbert. */
  readonly name?: 'spanbert' | 'mlm';
  /** The encoder; embeddings as wide as hidden states, as BERT has no projection. */
  readonly encoder: EncoderConfig;
  /** The span boundary head; undefined trains the masked LM alone. */
  readonly spanBoundary?: SpanBoundaryConfig;
  /** Rows are pairs of segments, and the model says whether the second follows the first. */
  readonly nextSentence: boolean;
  readonly mlmWeight: number;
  readonly sboWeight: number;
  readonly initialization: EncoderStart;
  /** Whether the embeddings stay as they are. Default false. */
  readonly freezeEmbeddings?: boolean;
}

/** Settings that make no sense together, one sentence each. */
export function spanBertProblems({ encoder, spanBoundary, mlmWeight, sboWeight }: SpanBertConfig): string[] {
  const problems: string[] = [];
  const refuse = (wrong: boolean, problem: string) => wrong && problems.push(problem);
  refuse(
    encoder.embeddingSize !== encoder.hiddenSize,
    `embeddingSize is ${encoder.embeddingSize} and hiddenSize is ${encoder.hiddenSize}; BERT has no embedding projection, so they must be equal`,
  );
  for (const [name, weight] of Object.entries({ mlmWeight, sboWeight })) {
    refuse(!(weight >= 0), `${name} is ${weight}; expected 0 or more`);
  }
  refuse(mlmWeight === 0 && (!spanBoundary || sboWeight === 0), 'mlmWeight is 0 and nothing else would be learned');
  if (!spanBoundary) return problems;
  for (const name of ['maxSpanTargets', 'positionSize'] as const) {
    refuse(
      !(Number.isInteger(spanBoundary[name]) && spanBoundary[name] >= 1),
      `${name} is ${spanBoundary[name]}; expected a whole number of at least 1`,
    );
  }
  return problems;
}

function buildLosses({ g, root, dropout, inputs }: MaskedBuild, config: SpanBertConfig): Loss[] {
  const { encoder, spanBoundary, nextSentence } = config;
  const backbone = root.within('bert');
  const embeddings = backbone.within('embeddings');
  const read = { ...inputs.encoder, inputIds: inputs.maskedInputIds };
  const { hidden } = encode(backbone, embeddings, read, encoder, dropout, config.initialization); // [T, H]
  const { positions, original, weights } = inputs.slots;

  const logits = bertMaskedLmHead(root, embeddings, g.gather(hidden, positions), encoder); // [M, V]
  const mlm = predictionLoss(g, 'mlm', logits, { labels: original, weights });
  const losses: Loss[] = [{ name: 'mlm', sum: mlm, weight: config.mlmWeight }];
  if (spanBoundary) {
    const targets = declareSpanTargets(g);
    const boundary = spanBoundaryHead(root, embeddings, hidden, targets, spanBoundary, encoder); // [M, V]
    losses.push({ name: 'sbo', sum: predictionLoss(g, 'sbo', boundary, targets), weight: config.sboWeight });
  }
  if (nextSentence) {
    const labels = g.input('nextSentenceLabels', 'int32', [BATCH]);
    const rows = { labels, weights: g.input('nextSentenceWeights', 'float32', [BATCH]) };
    const follows = nextSentenceHead(root, firstTokens(g, hidden), encoder); // [B, 2]
    losses.push({ name: 'nsp', sum: predictionLoss(g, 'nsp', follows, rows), weight: 1 });
  }
  return losses;
}

/** There are as many slots for span targets as masked slots: every target is a masked token. */
function declareSpanTargets(g: GraphBuilder) {
  return {
    left: g.input('leftBoundaries', 'int32', [MASKED]),
    right: g.input('rightBoundaries', 'int32', [MASKED]),
    offsets: g.input('spanOffsets', 'int32', [MASKED]),
    labels: g.input('spanTargetIds', 'int32', [MASKED]),
    weights: g.input('spanTargetWeights', 'float32', [MASKED]),
  };
}

function countsOf({ spanBoundary, nextSentence }: SpanBertConfig, batch: MaskedBatch): LossCounts {
  return {
    mlm: sum(batch.maskedWeights),
    ...(spanBoundary && { sbo: sum(spanTargetsOf(batch).weights) }),
    ...(nextSentence && { nsp: sum(nextSentenceOf(batch).weights) }),
  };
}

function sum(values: Float32Array): number {
  return values.reduce((total, value) => total + value, 0);
}

function feedsOf({ spanBoundary, nextSentence }: SpanBertConfig, batch: MaskedBatch): Tensors {
  const tensors: Tensors = {};
  if (spanBoundary) {
    const { left, right, offsets, ids, weights } = spanTargetsOf(batch);
    tensors.leftBoundaries = int32Tensor(left);
    tensors.rightBoundaries = int32Tensor(right);
    tensors.spanOffsets = int32Tensor(offsets);
    tensors.spanTargetIds = int32Tensor(ids);
    tensors.spanTargetWeights = float32Tensor(weights);
  }
  if (nextSentence) {
    const { labels, weights } = nextSentenceOf(batch);
    tensors.nextSentenceLabels = int32Tensor(labels);
    tensors.nextSentenceWeights = float32Tensor(weights);
  }
  return tensors;
}

function spanTargetsOf({ spanTargets }: MaskedBatch) {
  if (!spanTargets) throw new Error('the batch has no span targets, which the span boundary objective predicts');
  return spanTargets;
}

function nextSentenceOf({ nextSentence }: MaskedBatch) {
  if (!nextSentence) throw new Error('the batch has no next-sentence labels');
  return nextSentence;
}

/** The model that a run leaves behind: parameters carry their published names already. */
function modelOf({ encoder, spanBoundary, nextSentence }: SpanBertConfig, names: readonly string[]): ModelExport {
  return {
    folder: 'model',
    architecture: nextSentence ? 'BertForPreTraining' : 'BertForMaskedLM',
    config: encoder,
    spanBoundary,
    tensors: new Map(names.map((name) => [name, name])),
  };
}

/** @throws SettingsError with everything that contradicts itself */
export function createSpanBert(config: SpanBertConfig): PretrainingObjective {
  const problems = spanBertProblems(config);
  if (problems.length) throw new SettingsError(problems);
  const { name = 'spanbert' } = config;
  const phase = new GraphPhase(MASKED_BATCHES, {
    name,
    trains: (parameter) => !(config.freezeEmbeddings && isEmbedding(parameter)),
    build: (build) => buildLosses(build, config),
    counts: (batch) => countsOf(config, batch),
    feeds: (batch) => feedsOf(config, batch),
  });
  const parameters = phase.parameters();
  return pretrainingObjective({
    name,
    parameters,
    phases: [phase],
    lossWeights: { mlm: config.mlmWeight, sbo: config.sboWeight, nsp: 1 },
    models: [
      modelOf(
        config,
        parameters.map(({ name }) => name),
      ),
    ],
  });
}

/**
 * Where a large run differs: the paper's took 256 rows a step at 1e-4 (arXiv 1907.10529 §4.2). The authors' base run took
 * 2,048 at 5e-4; of the 256 that a base step has here, 2e-4 is that rate over √8.
 */
const LARGE_STEP = { learningRate: 1e-4, batchSize: 16, accumulation: 16 } as const;

export const spanbert = defineObjective<'spanbert', CommonSettings & SpanBertSettings, typeof SPANBERT_SETTINGS.fields>(
  {
    name: 'spanbert',
    own: SPANBERT_SETTINGS,
    families: ['bert'],
    main: ({ nextSentence }) => ({
      role: 'model',
      task: nextSentence ? 'preTraining' : 'maskedLm',
      roles: ['model', 'discriminator', 'generator'],
    }),
    headWork: ({ sbo }) => ({ vocabularyAtSlots: sbo ? 2 : 1 }),
    defaults: ({ size, nextSentence }) => ({
      masking: ['span'],
      maskProb: 0.15,
      maskKeepProb: 0.1,
      maskRandomProb: 0.1,
      segments: nextSentence ? 'pair' : 'single',
      ...(size === 'large' && LARGE_STEP),
    }),
    contradictions: spanBertContradictions,
    startSettings(settings, { spanBoundary: head }, given) {
      if (!head || !settings.sbo) return {};
      return {
        maxSpanTargets: head.maxSpanTargets,
        sboPositionSize: head.positionSize,
        // What a head was trained on is no part of it: another choice can be made.
        ...(!given.has('endpoints') && { endpoints: head.endpoints }),
        ...(!given.has('edgeSpans') && { edgeSpans: head.edgeSpans }),
      };
    },
    startValues: ({ sbo }, { spanBoundary: head }) =>
      sbo && head ? { maxSpanTargets: head.maxSpanTargets, sboPositionSize: head.positionSize } : {},
    complete(batch, settings, specialIds) {
      const spanBoundary = spanBoundaryOf(settings);
      return spanBoundary ? { ...batch, spanTargets: spanTargets(batch, specialIds, spanBoundary) } : batch;
    },
    build: (settings, { encoder }) =>
      createSpanBert({ ...settings, encoder, spanBoundary: spanBoundaryOf(settings), name: 'spanbert' }),
  },
);
