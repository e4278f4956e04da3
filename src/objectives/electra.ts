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
import { gradients } from '../autodiff/gradients.js';
import type { Tensor, Tensors } from '../engine/engine.js';
import { SettingsError } from '../errors.js';
import { evaluateShape, multiplyDims } from '../graph/dimensions.js';
import { type Graph, GraphBuilder, type Node } from '../graph/graph.js';
import type { EncoderConfig } from '../models/config.js';
import { MASKED, maskedLmHead, replacedTokenHead } from '../models/electra.js';
import { type EncoderInputs, type EncoderStart, encode } from '../models/encoder.js';
import { attentionBias, BATCH, Dropout, type DropoutSite, LENGTH, linear, TOKENS } from '../nn/layers.js';
import { type Initializer, ParameterScope } from '../nn/parameters.js';
import { runPasses } from '../passes/passes.js';
import { RandomStream } from '../random/philox.js';
import type {
  DrawKey,
  LossCounts,
  MaskedBatch,
  ModelExport,
  ObjectivePhase,
  PretrainingObjective,
} from './objective.js';
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
      `sharing is "encoder" but generator and discriminator differ (${why}); set generatorSizeFraction to 1`,
    );
  }
  if (sharing !== 'none' && discriminator.embeddingSize !== generator.embeddingSize) {
    problems.push(
      `sharing is "${sharing}" but embeddingSize is ${generator.embeddingSize} in the generator and ${discriminator.embeddingSize} in the discriminator`,
    );
  }
  if (objective === 'two-stage') {
    if (unequal.length)
      problems.push(
        `objective "two-stage" starts the discriminator from the generator, but they differ (${why}); set generatorSizeFraction to 1`,
      );
    if (sharing !== 'none')
      problems.push(`objective "two-stage" freezes the generator, so sharing must be "none", not "${sharing}"`);
    if (generatorKind !== 'model')
      problems.push(`objective "two-stage" needs generatorKind "model", not "${generatorKind}"`);
  }
  if (generatorKind === 'unigram' && config.unigramCounts?.length !== discriminator.vocabSize) {
    problems.push(
      `generatorKind "unigram" needs a count for each of ${discriminator.vocabSize} tokens, got ${config.unigramCounts?.length ?? 0}`,
    );
  }
  if (generatorKind !== 'model' && sharing === 'encoder')
    problems.push(`sharing "encoder" needs generatorKind "model", not "${generatorKind}"`);
  if (!(config.temperature > 0)) problems.push(`temperature is ${config.temperature}; expected a number above 0`);
  for (const key of ['mlmWeight', 'discWeight'] as const) {
    if (!(config[key] >= 0)) problems.push(`${key} is ${config[key]}; expected 0 or more`);
  }
  return problems;
}

/** The parts of a graph under construction. */
interface Build {
  readonly g: GraphBuilder;
  readonly root: ParameterScope;
  readonly dropout: Dropout;
  readonly config: ObjectiveConfig;
  readonly inputs: BatchInputs;
}

interface BatchInputs {
  readonly inputIds: Node;
  readonly maskedInputIds: Node;
  readonly attentionMask: Node;
  readonly encoder: Omit<EncoderInputs, 'inputIds'>;
  readonly slots: { positions: Node; original: Node; weights: Node };
}

function declareInputs(g: GraphBuilder): BatchInputs {
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

/** A loss as its weighted sum over tokens, and the name of the fed scale that turns it into its share of the mean. */
interface Loss {
  readonly sum: Node;
  readonly scale: 'mlmScale' | 'discScale';
  readonly weight: number;
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

/** Σ w·(−log p(original)) over the slots; also names the sum and the number of hits (ties count as hits) as outputs. */
function maskedLmLoss(build: Build, logits: Node, prefix: string): Node {
  const { g, inputs } = build;
  const { original, weights } = inputs.slots;
  const sum = g.reduceSum(g.mul(g.softmaxCrossEntropy(logits, original), weights));
  const missed = g.cast(g.less(g.pick(logits, original), g.reduceMax(logits, [1])), 'float32');
  g.output(`${prefix}LossSum`, sum);
  g.output(`${prefix}Correct`, g.reduceSum(g.mul(g.sub(g.scalar(1), missed), weights)));
  return sum;
}

/** A full masked LM: encoder over `inputIds`, head at the slots. */
function maskedLmLogits(build: Build, half: 'generator' | 'discriminator', inputIds: Node, size: EncoderConfig): Node {
  const hidden = encodeHalf(build, half, inputIds, size); // [T, H]
  const { own, embeddings } = scopes(build, half);
  return maskedLmHead(own, embeddings, build.g.gather(hidden, build.inputs.slots.positions), size); // [M, V]
}

/** log of the fixed distribution of a generator that is no network, [V]. */
function fixedLogProbabilities(config: ObjectiveConfig): Float32Array {
  const size = config.discriminator.vocabSize;
  if (config.generatorKind === 'uniform') return new Float32Array(size).fill(-Math.log(size));
  const counts = Float64Array.from(config.unigramCounts!);
  const total = counts.reduce((sum, count) => sum + count, 0);
  // A token that never occurs gets e^−80: never drawn, and a finite loss where the held-out text has it.
  return Float32Array.from(counts, (count) => (count > 0 ? Math.log(count / total) : -80));
}

/** The generator's logits at the slots, [M, V], and its loss where it is a network. */
function generatorLogits(build: Build): { logits: Node; loss?: Node } {
  const { g, config, inputs } = build;
  if (config.generatorKind !== 'model') {
    const row = g.constant(fixedLogProbabilities(config), [1, config.discriminator.vocabSize]);
    const logits = g.expand(row, [MASKED, config.discriminator.vocabSize]);
    maskedLmLoss(build, logits, 'mlm');
    return { logits };
  }
  const logits = maskedLmLogits(build, 'generator', inputs.maskedInputIds, config.generator);
  return { logits, loss: maskedLmLoss(build, logits, 'mlm') };
}

/** The text with the generator's proposals in it, int32 [T], and where it differs, float32 [T]. */
function corrupt(build: Build, generatorLogits: Node): { corrupted: Node; isReplaced: Node } {
  const { g, config, inputs } = build;
  let logits = g.stopGradient(generatorLogits);
  if (config.disallowCorrect) logits = disallowToken(g, logits, inputs.slots.original);
  if (config.temperature !== 1) logits = g.mul(logits, g.scalar(1 / config.temperature));
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

/** Builds the losses of an objective (of one phase of it, for `two-stage`), naming the outputs on the way. */
function buildLosses(build: Build, phase: 'joint' | 'generator' | 'discriminator'): Loss[] {
  const { config, inputs } = build;
  if (config.objective === 'mlm') {
    const logits = maskedLmLogits(build, 'generator', inputs.maskedInputIds, config.discriminator);
    return [{ sum: maskedLmLoss(build, logits, 'mlm'), scale: 'mlmScale', weight: 1 }];
  }
  const { logits, loss } = generatorLogits(build);
  const losses: Loss[] =
    loss && phase !== 'discriminator' ? [{ sum: loss, scale: 'mlmScale', weight: config.mlmWeight }] : [];
  if (phase === 'generator') return losses;
  const { corrupted, isReplaced } = corrupt(build, logits);
  if (config.objective === 'replace-mlm') {
    const replaced = maskedLmLogits(build, 'discriminator', corrupted, config.discriminator);
    return [...losses, { sum: maskedLmLoss(build, replaced, 'disc'), scale: 'discScale', weight: config.discWeight }];
  }
  const main = config.objective === 'all-tokens-mlm' ? allTokensLoss : discriminatorLoss;
  return [...losses, { sum: main(build, corrupted, isReplaced), scale: 'discScale', weight: config.discWeight }];
}

/** Outputs that are no scalars, of use only to evaluation. */
const EVALUATION_OUTPUTS = new Set(['discLogits', 'isReplaced']);

function startBuild(config: ObjectiveConfig, training: boolean): Build {
  const g = new GraphBuilder();
  return { g, config, root: new ParameterScope(g), dropout: new Dropout(training), inputs: declareInputs(g) };
}

class Phase implements ObjectivePhase {
  readonly #config: ObjectiveConfig;
  readonly #part: 'joint' | 'generator' | 'discriminator';
  #sites: readonly DropoutSite[] | undefined;

  constructor(
    config: ObjectiveConfig,
    part: 'joint' | 'generator' | 'discriminator',
    readonly name: string,
    readonly share: number,
    readonly copies: readonly (readonly [string, string])[] = [],
  ) {
    this.#config = config;
    this.#part = part;
  }

  trains(name: string): boolean {
    return this.#part === 'joint' || name.startsWith(`${this.#part}.`);
  }

  /** The parameters of this phase's graph, by building it. */
  parameters() {
    const build = startBuild(this.#config, false);
    buildLosses(build, this.#part);
    return build.root.specs;
  }

  trainingGraph({ accumulate }: { accumulate: boolean }): Graph {
    const build = startBuild(this.#config, true);
    const { g } = build;
    const losses = buildLosses(build, this.#part);
    this.#sites = build.dropout.sites;
    const total = losses
      .map(({ sum, scale, weight }) => g.mul(g.mul(sum, g.input(scale, 'float32', [])), g.scalar(weight)))
      .reduce((a, b) => g.add(a, b));
    const trained = build.root.specs.filter(({ name }) => this.trains(name));
    const parameters = trained.map(({ name, shape }) => g.state(name, shape));
    const derivatives = gradients(g, total, parameters);
    for (const [i, { name, shape }] of trained.entries()) {
      const gradient = derivatives.get(parameters[i])!;
      g.update(`gradient:${name}`, accumulate ? g.add(g.state(`gradient:${name}`, shape), gradient) : gradient);
    }
    return runPasses(withoutOutputs(g.build(), EVALUATION_OUTPUTS));
  }

  evaluationGraph(): Graph {
    const build = startBuild(this.#config, false);
    buildLosses(build, this.#part);
    return runPasses(build.g.build());
  }

  counts(batch: MaskedBatch): LossCounts {
    const slots = sum(batch.maskedWeights);
    const atSlots = this.#config.objective === 'electra-15' || this.#config.objective === 'replace-mlm';
    return { mlm: slots, disc: atSlots ? slots : sum(batch.attentionMask) };
  }

  feeds(batch: MaskedBatch, draw: DrawKey, total?: LossCounts): Tensors {
    const { batchSize, length } = batch;
    const slots = batch.maskedPositions.length;
    const ids = (data: Int32Array): Tensor => ({ dtype: 'int32', shape: [batchSize, length], data });
    const atSlots = (data: Int32Array): Tensor => ({ dtype: 'int32', shape: [slots], data });
    const float = (data: Float32Array, shape: number[]): Tensor => ({ dtype: 'float32', shape, data });
    const tensors: Tensors = {
      inputIds: ids(batch.inputIds),
      maskedInputIds: ids(batch.maskedInputIds),
      tokenTypeIds: ids(batch.tokenTypeIds),
      attentionMask: ids(batch.attentionMask),
      positionIds: { dtype: 'int32', shape: [length], data: Int32Array.from({ length }, (_, i) => i) },
      maskedPositions: atSlots(batch.maskedPositions),
      maskedIds: atSlots(batch.maskedIds),
      maskedWeights: float(batch.maskedWeights, [slots]),
      uniforms: float(drawUniforms(slots, draw), [slots]),
    };
    if (total) {
      tensors.mlmScale = float(Float32Array.of(1 / Math.max(1, total.mlm)), []);
      tensors.discScale = float(Float32Array.of(1 / Math.max(1, total.disc)), []);
      const sizes = new Map([
        [BATCH, batchSize],
        [LENGTH, length],
        [MASKED, slots],
      ]);
      for (const [i, site] of (this.#sites ?? []).entries()) {
        const shape = evaluateShape(site.shape, sizes);
        tensors[site.input] = { dtype: 'bool', shape, data: drawDropoutMask(shape, site, draw, i) };
      }
    }
    return tensors;
  }
}

function withoutOutputs(graph: Graph, names: ReadonlySet<string>): Graph {
  return { ...graph, outputs: new Map([...graph.outputs].filter(([name]) => !names.has(name))) };
}

function sum(values: Int32Array | Float32Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

function drawUniforms(count: number, { seed, step, index }: DrawKey): Float32Array {
  const stream = new RandomStream(seed, 'proposals', step, index);
  return Float32Array.from({ length: count }, () => stream.uniform());
}

/** One random byte decides one element. */
function drawDropoutMask(shape: readonly number[], site: DropoutSite, draw: DrawKey, siteIndex: number): Uint8Array {
  const stream = new RandomStream(draw.seed, 'dropout', draw.step, draw.index * 4096 + siteIndex);
  const mask = new Uint8Array(multiplyDims(...shape) as number);
  const { drop256 } = site.rate;
  for (let i = 0; i < mask.length; ) {
    for (let word = stream.uint32(), byte = 0; byte < 4 && i < mask.length; byte++, i++, word >>>= 8) {
      mask[i] = (word & 0xff) >= drop256 ? 1 : 0;
    }
  }
  return mask;
}

function phasesOf(config: ObjectiveConfig): Phase[] {
  if (config.objective !== 'two-stage') return [new Phase(config, 'joint', config.objective, 1)];
  const generator = new Phase(config, 'generator', 'generator', 0.5);
  // Without starting from the generator's weights, "the discriminator would sometimes fail to learn" (paper §3.2).
  const copies = generator
    .parameters()
    .filter(({ name }) => !isOwnHead(name))
    .map(({ name }) => [name, name.replace(/^generator\./, 'discriminator.')] as const);
  return [generator, new Phase(config, 'discriminator', 'discriminator', 0.5, copies)];
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
  return {
    name: config.objective,
    parameters,
    phases,
    models: modelsOf(
      config,
      parameters.map(({ name }) => name),
    ),
  };
}
