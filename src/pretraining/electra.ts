/**
 * Pre-training objectives built from ELECTRA's parts, each one graph from the batch to the gradients: replaced-token
 * detection (paper §2), the paper's own comparisons (§3.4, table 5) and BERT's masked LM.
 *
 *   L = w·L_MLM(generator) + λ·L_Disc(discriminator),  λ = 50
 *   L_MLM  = mean over masked slots of −log p_G(x_t | x^masked)
 *   L_Disc = mean over tokens of −[x^corrupt_t = x_t] log(1 − D_t) − [x^corrupt_t ≠ x_t] log D_t,  D = P(replaced)
 *
 * Nothing flows back through sampling: proposals come from a comparison, which has no derivative.
 */

import type { MaskedBatch } from '../data/maskedBatch.js';
import { float32Tensor } from '../engine/tensors.js';
import { SettingsError } from '../errors/errors.js';
import type { GraphBuilder, Node } from '../graph/graph.js';
import type { EncoderConfig } from '../models/config.js';
import { maskedLmHead, replacedTokenHead } from '../models/electra.js';
import { type EncoderStart, encode } from '../models/encoder.js';
import { MASKED } from '../models/vocabularyHead.js';
import { BATCH, LENGTH, linear, TOKENS } from '../nn/layers.js';
import type { Initializer } from '../nn/parameters.js';
import { RandomStream } from '../random/philox.js';
import { settingName } from '../settings/settingNames.js';
import { GraphPhase, type Loss } from '../training/graphPhase.js';
import type { DrawKey, LossCounts, ModelExport } from '../training/objective.js';
import { predictionLoss } from '../training/predictionLoss.js';
import { MASKED_BATCHES, type MaskedBuild, type MaskedPhase } from './maskedInputs.js';
import { DETECTION_COUNTERS, type LossName } from './metrics.js';
import { type PretrainingObjective, pretrainingObjective } from './pretrainingObjective.js';
import { disallowToken, replaceTokens, sampleTokens } from './sampling.js';

export const OBJECTIVES = ['electra', 'electra-15', 'replace-mlm', 'all-tokens-mlm', 'mlm', 'two-stage'] as const;
export type ObjectiveName = (typeof OBJECTIVES)[number];

/** A behaviour with two forms: the released code's, and the paper's or what is right. */
export type Style = 'corrected' | 'reference';

export interface ObjectiveConfig {
  readonly objective: ObjectiveName;
  /** The main encoder: the discriminator, or the masked LM of `mlm`. */
  readonly discriminator: EncoderConfig;
  readonly generator: EncoderConfig;
  /** A network, or proposals from fixed frequencies (paper appendix; `unigramCounts` needed for `unigram`). */
  readonly generatorKind: 'model' | 'uniform' | 'unigram';
  /** What the halves share: the whole embeddings module (as released), nothing, or every encoder weight. */
  readonly sharing: 'embeddings' | 'none' | 'encoder';
  /** How a proposal is drawn: from the distribution, or its most probable token. */
  readonly proposals: 'sample' | 'argmax';
  /** Divides the logits before sampling; above 0. */
  readonly temperature: number;
  /** Never propose the right token. */
  readonly disallowCorrect: boolean;
  /** Weight of L_MLM in the sum. */
  readonly mlmWeight: number;
  /** λ, the weight of L_Disc (or of the main encoder's loss in the comparisons). */
  readonly discWeight: number;
  /** How two slots at one position are written; see `replaceTokens`. */
  readonly duplicates: Style;
  /** How weights start; `reference` also makes the last discriminator layer Glorot-uniform, as tf.layers.dense does. */
  readonly initialization: EncoderStart;
  /** Occurrences of each token in the training text, for the unigram generator. */
  readonly unigramCounts?: ArrayLike<number>;
  /** Rows of the word table that stand for no piece: never proposed. Absent when there are none. */
  readonly absentIds?: ReadonlySet<number>;
}

/** Settings that make no sense together, one sentence each. */
export function objectiveProblems(config: ObjectiveConfig): string[] {
  const { objective, discriminator, generator, sharing, generatorKind } = config;
  const problems: string[] = [];
  const sizes = ['hiddenSize', 'numHiddenLayers', 'numAttentionHeads', 'intermediateSize'] as const;
  const unequal = sizes.filter((key) => discriminator[key] !== generator[key]);
  const why = unequal.map((key) => `${key} ${generator[key]} and ${discriminator[key]}`).join(', ');
  if (sharing === 'encoder' && unequal.length) {
    problems.push(
      `${settingName('sharing')} is "encoder" but generator and discriminator differ (${why}); set ${settingName('generatorSizeFraction')} to 1`,
    );
  }
  if (sharing !== 'none' && discriminator.embeddingSize !== generator.embeddingSize) {
    problems.push(
      `${settingName('sharing')} is "${sharing}" but embeddingSize is ${generator.embeddingSize} in the generator and ${discriminator.embeddingSize} in the discriminator`,
    );
  }
  if (objective === 'two-stage') {
    if (unequal.length)
      problems.push(
        `${settingName('objective')} "two-stage" starts the discriminator from the generator, but they differ (${why}); set ${settingName('generatorSizeFraction')} to 1`,
      );
    if (sharing !== 'none')
      problems.push(
        `${settingName('objective')} "two-stage" freezes the generator, so ${settingName('sharing')} must be "none", not "${sharing}"`,
      );
    if (generatorKind !== 'model')
      problems.push(
        `${settingName('objective')} "two-stage" needs ${settingName('generatorKind')} "model", not "${generatorKind}"`,
      );
  }
  if (generatorKind === 'unigram' && config.unigramCounts?.length !== discriminator.vocabSize) {
    problems.push(
      `${settingName('generatorKind')} "unigram" needs a count for each of ${discriminator.vocabSize} tokens, got ${config.unigramCounts?.length ?? 0}`,
    );
  }
  if (generatorKind !== 'model' && sharing === 'encoder')
    problems.push(
      `${settingName('sharing')} "encoder" needs ${settingName('generatorKind')} "model", not "${generatorKind}"`,
    );
  if (!(config.temperature > 0))
    problems.push(`${settingName('temperature')} is ${config.temperature}; expected a number above 0`);
  for (const key of ['mlmWeight', 'discWeight'] as const) {
    if (!(config[key] >= 0)) problems.push(`${settingName(key)} is ${config[key]}; expected 0 or more`);
  }
  return problems;
}

/** A graph under construction, and what it is to become. */
interface Build extends MaskedBuild {
  readonly config: ObjectiveConfig;
}

const MLM_HEAD = ['generator_predictions', 'generator_lm_head'];

function isOwnHead(name: string): boolean {
  return MLM_HEAD.some((head) => name.includes(head));
}

/** Where a half's backbone and embeddings live, given what is shared. */
function scopes({ root, config }: Build, half: 'generator' | 'discriminator') {
  const own = root.within(half);
  const shared = half === 'generator' && config.objective !== 'mlm' ? config.sharing : 'none';
  const discriminator = root.within('discriminator').within('electra');
  const backbone = shared === 'encoder' ? discriminator : own.within('electra');
  const embeddings = (shared === 'none' ? own.within('electra') : discriminator).within('embeddings');
  return { own, backbone, embeddings };
}

function encodeHalf(build: Build, half: 'generator' | 'discriminator', inputIds: Node, size: EncoderConfig): Node {
  const { backbone, embeddings } = scopes(build, half);
  const inputs = { ...build.inputs.encoder, inputIds };
  return encode(backbone, embeddings, inputs, size, build.dropout, build.config.initialization).hidden;
}

function glorotIfReference(config: ObjectiveConfig): Initializer {
  return config.initialization === 'reference' ? 'glorotUniform' : 'truncatedNormal';
}

/** The loss of predicted tokens at the slots. */
function slotLoss({ g, inputs }: Build, logits: Node, name: LossName): Node {
  const { original, weights } = inputs.slots;
  return predictionLoss(g, name, logits, { labels: original, weights });
}

/** A full masked LM: encoder over `inputIds`, head at the slots. */
function maskedLmLogits(build: Build, half: 'generator' | 'discriminator', inputIds: Node, size: EncoderConfig): Node {
  const hidden = encodeHalf(build, half, inputIds, size); // [T, H]
  const { own, embeddings } = scopes(build, half);
  return maskedLmHead(own, embeddings, build.g.gather(hidden, build.inputs.slots.positions), size); // [M, V]
}

/** log p of a token that never occurs: it is never drawn, and its loss is finite where the held-out text has it. */
const NEVER = -80;

/** log of the fixed distribution of a generator that is no network, [V]. */
function fixedLogProbabilities(config: ObjectiveConfig): Float32Array {
  const size = config.discriminator.vocabSize;
  const { absentIds = new Set<number>() } = config;
  if (config.generatorKind === 'uniform') {
    const each = -Math.log(size - absentIds.size);
    return Float32Array.from({ length: size }, (_, id) => (absentIds.has(id) ? NEVER : each));
  }
  const counts = Float64Array.from(config.unigramCounts!);
  const total = counts.reduce((sum, count) => sum + count, 0);
  return Float32Array.from(counts, (count) => (count > 0 ? Math.log(count / total) : NEVER));
}

/** The generator's logits at the slots, [M, V], and its loss where it is a network. */
function generatorLogits(build: Build): { logits: Node; loss?: Node } {
  const { g, config, inputs } = build;
  if (config.generatorKind !== 'model') {
    const row = g.constant(fixedLogProbabilities(config), [1, config.discriminator.vocabSize]);
    const logits = g.expand(row, [MASKED, config.discriminator.vocabSize]);
    slotLoss(build, logits, 'mlm');
    return { logits };
  }
  const logits = maskedLmLogits(build, 'generator', inputs.maskedInputIds, config.generator);
  return { logits, loss: slotLoss(build, logits, 'mlm') };
}

/** What keeps rows that stand for no piece from being proposed: 0, or so little that their probability is 0, [1, V]. */
function outOfReach(g: GraphBuilder, { absentIds, discriminator: { vocabSize } }: ObjectiveConfig): Node {
  return g.constant(
    Float32Array.from({ length: vocabSize }, (_, id) => (absentIds!.has(id) ? -1e4 : 0)),
    [1, vocabSize],
  );
}

/** The text with the generator's proposals in it, int32 [T], and where it differs, float32 [T]. */
function corrupt(build: Build, generatorLogits: Node): { corrupted: Node; isReplaced: Node } {
  const { g, config, inputs } = build;
  let logits = g.stopGradient(generatorLogits);
  if (config.disallowCorrect) logits = disallowToken(g, logits, inputs.slots.original);
  if (config.temperature !== 1) logits = g.mul(logits, g.scalar(1 / config.temperature));
  if (config.absentIds?.size) logits = g.add(logits, outOfReach(g, config));
  const proposals =
    config.proposals === 'argmax'
      ? g.argMax(logits)
      : sampleTokens(g, g.softmax(logits), g.input('uniforms', 'float32', [MASKED]));
  const corrupted = replaceTokens(g, inputs.inputIds, inputs.slots, proposals, config.duplicates);
  const isReplaced = g.sub(g.scalar(1), g.cast(g.equal(corrupted, inputs.inputIds), 'float32'));
  g.output('replaced', g.reduceSum(g.mul(isReplaced, inputs.attentionMask)));
  return { corrupted, isReplaced };
}

/** Binary cross entropy from logits: softplus(z) − z·label. */
function binaryCrossEntropy(g: GraphBuilder, logits: Node, labels: Node): Node {
  return g.sub(g.softplus(logits), g.mul(logits, labels));
}

/** L_Disc over all tokens, or over the slots only (`electra-15`). */
function discriminatorLoss(build: Build, corrupted: Node, isReplaced: Node): Node {
  const { g, config, inputs } = build;
  const hidden = encodeHalf(build, 'discriminator', corrupted, config.discriminator);
  const logits = replacedTokenHead(
    build.root.within('discriminator'),
    hidden,
    config.discriminator,
    glorotIfReference(config),
  ); // [T]
  const predicted = g.cast(g.less(g.scalar(0), logits), 'float32');
  const all = inputs.attentionMask;
  const total = (x: Node) => g.reduceSum(g.mul(x, all));
  g.output('predictedPositives', total(predicted));
  g.output('truePositives', total(g.mul(predicted, isReplaced)));
  g.output('discCorrect', total(g.cast(g.equal(predicted, isReplaced), 'float32')));
  g.output('discLogits', g.reshape(logits, [BATCH, LENGTH]));
  g.output('isReplaced', g.reshape(isReplaced, [BATCH, LENGTH]));
  const losses = binaryCrossEntropy(g, logits, isReplaced);
  const atSlots = (x: Node) => g.reshape(g.gather(g.reshape(x, [TOKENS, 1]), inputs.slots.positions), [MASKED]);
  const sum =
    config.objective === 'electra-15' ? g.reduceSum(g.mul(atSlots(losses), inputs.slots.weights)) : total(losses);
  g.output('discLossSum', sum);
  return sum;
}

/**
 * All-tokens MLM (paper §3.4): every token is predicted from the corrupted text, with a gate that copies the input,
 *   p(x_t) = c_t·[x_t = x^corrupt_t] + (1 − c_t)·softmax(z_t)[x_t],  c_t = σ(w·h_t + b).
 */
function allTokensLoss(build: Build, corrupted: Node, isReplaced: Node): Node {
  const { g, config, inputs } = build;
  const hidden = encodeHalf(build, 'discriminator', corrupted, config.discriminator);
  const { own, embeddings } = scopes(build, 'discriminator');
  const gate = g.reshape(linear(own.within('copy_gate'), hidden, 1), [TOKENS]); // logit of c
  const crossEntropy = g.softmaxCrossEntropy(
    maskedLmHead(own, embeddings, hidden, config.discriminator),
    inputs.inputIds,
  );
  // Replaced: −log((1−c)·p) = softplus(gate) + CE, which cannot underflow. Kept: −log(c + (1−c)·p).
  const replaced = g.add(g.softplus(gate), crossEntropy);
  const copy = g.sigmoid(gate);
  const probability = g.add(copy, g.mul(g.sub(g.scalar(1), copy), g.exp(g.neg(crossEntropy))));
  const kept = g.neg(g.log(g.add(probability, g.scalar(1e-30))));
  const losses = g.where(g.less(g.scalar(0.5), isReplaced), replaced, kept);
  const sum = g.reduceSum(g.mul(losses, inputs.attentionMask));
  g.output('discLossSum', sum);
  return sum;
}

type Part = 'joint' | 'generator' | 'discriminator';

/** Builds the losses of an objective (of one phase of it, for `two-stage`), naming the outputs on the way. */
function buildLosses(build: Build, part: Part): Loss[] {
  const { config, inputs } = build;
  if (config.objective === 'mlm') {
    const logits = maskedLmLogits(build, 'generator', inputs.maskedInputIds, config.discriminator);
    return [{ name: 'mlm', sum: slotLoss(build, logits, 'mlm'), weight: 1 }];
  }
  const { logits, loss } = generatorLogits(build);
  const losses: Loss[] = loss && part !== 'discriminator' ? [{ name: 'mlm', sum: loss, weight: config.mlmWeight }] : [];
  if (part === 'generator') return losses;
  const { corrupted, isReplaced } = corrupt(build, logits);
  return [...losses, { name: 'disc', sum: mainLoss(build, corrupted, isReplaced), weight: config.discWeight }];
}

/** The loss of the main encoder, which reads the corrupted text. */
function mainLoss(build: Build, corrupted: Node, isReplaced: Node): Node {
  const { config } = build;
  if (config.objective === 'all-tokens-mlm') return allTokensLoss(build, corrupted, isReplaced);
  if (config.objective !== 'replace-mlm') return discriminatorLoss(build, corrupted, isReplaced);
  return slotLoss(build, maskedLmLogits(build, 'discriminator', corrupted, config.discriminator), 'disc');
}

function phase(
  config: ObjectiveConfig,
  part: Part,
  { share, copies }: { share: number; copies?: readonly (readonly [string, string])[] },
): MaskedPhase {
  return new GraphPhase(MASKED_BATCHES, {
    name: part === 'joint' ? config.objective : part,
    share,
    copies,
    trains: (name) => part === 'joint' || name.startsWith(`${part}.`),
    build: (build) => buildLosses({ ...build, config }, part),
    counts: (batch) => countsOf(config, batch),
    feeds: (batch, draw) => ({ uniforms: float32Tensor(drawUniforms(batch, draw)) }),
  });
}

function countsOf({ objective }: ObjectiveConfig, { maskedWeights, attentionMask }: MaskedBatch): LossCounts {
  const slots = sum(maskedWeights);
  const atSlots = objective === 'electra-15' || objective === 'replace-mlm';
  return { mlm: slots, disc: atSlots ? slots : sum(attentionMask) };
}

function sum(values: Int32Array | Float32Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** One uniform number a slot; the slots of a row draw from the row's own stream, in their order. */
function drawUniforms(
  { batchSize, length, maskedPositions, maskedWeights }: MaskedBatch,
  { seed, step, firstRow }: DrawKey,
): Float32Array {
  const streams = Array.from(
    { length: batchSize },
    (_, row) => new RandomStream(seed, 'proposals', step, firstRow + row),
  );
  // What a slot that is padding would draw is never looked at.
  return Float32Array.from(maskedPositions, (position, slot) =>
    maskedWeights[slot] === 0 ? 0.5 : streams[Math.floor(position / length)].uniform(),
  );
}

function phasesOf(config: ObjectiveConfig): MaskedPhase[] {
  if (config.objective !== 'two-stage') return [phase(config, 'joint', { share: 1 })];
  const generator = phase(config, 'generator', { share: 0.5 });
  // Without starting from the generator's weights, "the discriminator would sometimes fail to learn" (paper §3.2).
  const copies = generator
    .parameters()
    .filter(({ name }) => !isOwnHead(name))
    .map(({ name }) => [name, name.replace(/^generator\./, 'discriminator.')] as const);
  return [generator, phase(config, 'discriminator', { share: 0.5, copies })];
}

/** The model folders that a set of parameters makes. */
function modelsOf(config: ObjectiveConfig, names: readonly string[]): ModelExport[] {
  const models: ModelExport[] = [];
  const inScope = (half: string, keep: (name: string) => boolean) =>
    new Map(
      names
        .filter((name) => name.startsWith(`${half}.`) && keep(name))
        .map((name) => [name.slice(half.length + 1), name]),
    );
  const main = inScope('discriminator', (name) => !name.includes('copy_gate'));
  if (config.objective === 'mlm' || config.generatorKind === 'model') {
    const shared = new Map(
      [...main].filter(([key]) =>
        config.sharing === 'encoder' ? key.startsWith('electra.') : key.startsWith('electra.embeddings.'),
      ),
    );
    const own = inScope('generator', () => true);
    const borrowed = config.objective === 'mlm' || config.sharing === 'none' ? new Map<string, string>() : shared;
    models.push({
      folder: 'generator',
      architecture: 'ElectraForMaskedLM',
      config: config.objective === 'mlm' ? config.discriminator : config.generator,
      tensors: new Map([...borrowed, ...own]),
    });
  }
  if (config.objective !== 'mlm') {
    const predicts = config.objective === 'replace-mlm' || config.objective === 'all-tokens-mlm';
    models.push({
      folder: 'discriminator',
      architecture: predicts ? 'ElectraForMaskedLM' : 'ElectraForPreTraining',
      config: config.discriminator,
      tensors: main,
    });
  }
  return models;
}

/** @throws SettingsError with everything that contradicts itself */
export function createObjective(config: ObjectiveConfig): PretrainingObjective {
  const problems = objectiveProblems(config);
  if (problems.length) throw new SettingsError(problems);
  const phases = phasesOf(config);
  const parameters = phases.at(-1)!.parameters();
  return pretrainingObjective({
    name: config.objective,
    parameters,
    phases,
    lossWeights: { mlm: config.mlmWeight, disc: config.discWeight },
    counters: DETECTION_COUNTERS,
    models: modelsOf(
      config,
      parameters.map(({ name }) => name),
    ),
  });
}
