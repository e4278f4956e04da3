/**
 * The two halves of ELECTRA's graphs (paper §2): the generator, the text that it corrupts, and what both share. What the main
 * encoder learns of that text is in mainLosses.ts.
 */
import type { Tensors } from '../engine/engine.js';
import { float32Tensor } from '../engine/tensors.js';
import type { GraphBuilder, Node } from '../graph/graph.js';
import type { EncoderConfig } from '../models/config.js';
import { maskedLmHead } from '../models/electra.js';
import { type EncoderStart, encode } from '../models/encoder.js';
import { MASKED } from '../models/vocabularyHead.js';
import { Dropout } from '../nn/layers.js';
import type { ParameterScope } from '../nn/parameters.js';
import { predictionLoss } from '../training/predictionLoss.js';
import type { MaskedBuild } from './maskedInputs.js';
import type { LossName } from './metrics.js';
import { disallowToken, replaceTokens, sampleTokens } from './sampling.js';

/**
 * What the halves share: the whole embeddings module (as released), nothing, every encoder weight, or the tables of words and
 * positions, each of the discriminator's being the generator's, through which it sends no gradient, and a difference of its own:
 * gradient-disentangled embedding sharing (DeBERTaV3, arXiv 2111.09543 §3.3).
 */
export const SHARINGS = ['embeddings', 'none', 'encoder', 'gdes'] as const;
export type Sharing = (typeof SHARINGS)[number];

export interface ElectraConfig {
  /** The main encoder. */
  readonly discriminator: EncoderConfig;
  readonly generator: EncoderConfig;
  /** A network, or proposals from fixed frequencies (paper appendix; `unigramCounts` needed for `unigram`). */
  readonly generatorKind: 'model' | 'uniform' | 'unigram';
  readonly sharing: Sharing;
  /** How a proposal is drawn: from the distribution, or its most probable token. */
  readonly proposals: 'sample' | 'argmax';
  /** Divides the logits before sampling; above 0. */
  readonly temperature: number;
  /** What it has become at the end of the run, in a straight line; above 0. Default: as it was. */
  readonly temperatureEnd?: number;
  /** Whether the generator stays as it is: a ready masked LM (Fast-ELECTRA, arXiv 2310.07347). */
  readonly freezeGenerator?: boolean;
  /** Whether the embeddings of both halves stay as they are. */
  readonly freezeEmbeddings?: boolean;
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

/** Whether a parameter, by its published name, is one of the embeddings: a table or their norm, and no projection behind them. */
export function isEmbedding(name: string): boolean {
  return name.split('.').includes('embeddings');
}

/** A behaviour with two forms: the released code's, and the paper's or what is right. */
export type Style = 'corrected' | 'reference';

/** A graph of one half or both under construction, and what it is to become. */
interface HalfBuild extends MaskedBuild {
  readonly config: Pick<ElectraConfig, 'sharing' | 'initialization'>;
}

export interface ElectraBuild extends HalfBuild {
  readonly config: ElectraConfig;
}

/** Where a half's backbone and embeddings live, given what is shared. */
export function scopes({ root, config }: HalfBuild, half: 'generator' | 'discriminator') {
  const own = root.within(half);
  const shared = half === 'generator' ? config.sharing : 'none';
  const discriminator = root.within('discriminator').within('electra');
  const backbone = shared === 'encoder' ? discriminator : own.within('electra');
  const isOwn = shared === 'none' || shared === 'gdes';
  const embeddings = (isOwn ? own.within('electra') : discriminator).within('embeddings');
  if (half === 'generator' || config.sharing !== 'gdes') return { own, backbone, embeddings };
  return { own, backbone, embeddings: disentangled(embeddings, root) };
}

/** The tables that are the generator's and a difference, by what stands before `.weight` in their names. */
export const DISENTANGLED = ['word_embeddings', 'position_embeddings'] as const;

/** table = stopgradient(table of the generator) + difference, which starts at 0. */
function disentangled(embeddings: ParameterScope, root: ParameterScope): ParameterScope {
  const ofGenerator = root.within('generator').within('electra').within('embeddings');
  const { graph: g } = embeddings;
  return embeddings.substituting((name, shape, initializer) => {
    const table = DISENTANGLED.find((each) => name === `${each}.weight`);
    if (!table) return undefined;
    const theirs = g.stopGradient(ofGenerator.get(name, shape, initializer));
    return g.add(theirs, embeddings.get(`${table}.difference`, shape, 'zeros'));
  });
}

export function encodeHalf(
  build: HalfBuild,
  half: 'generator' | 'discriminator',
  inputIds: Node,
  size: EncoderConfig,
): Node {
  const { backbone, embeddings } = scopes(build, half);
  const inputs = { ...build.inputs.encoder, inputIds };
  return encode(backbone, embeddings, inputs, size, build.dropout, build.config.initialization).hidden;
}

/** The loss of predicted tokens at the slots. */
export function slotLoss({ g, inputs }: MaskedBuild, logits: Node, name: LossName): Node {
  const { original, weights } = inputs.slots;
  return predictionLoss(g, name, logits, { labels: original, weights });
}

/** A full masked LM: encoder over `inputIds`, head at the slots. */
export function maskedLmLogits(
  build: HalfBuild,
  half: 'generator' | 'discriminator',
  inputIds: Node,
  size: EncoderConfig,
): Node {
  const hidden = encodeHalf(build, half, inputIds, size); // [T, H]
  const { own, embeddings } = scopes(build, half);
  return maskedLmHead(own, embeddings, build.g.gather(hidden, build.inputs.slots.positions), size); // [M, V]
}

/** log p of a token that never occurs: it is never drawn, and its loss is finite where the held-out text has it. */
const NEVER = -80;

/** log of the fixed distribution of a generator that is no network, [V]. */
function fixedLogProbabilities(config: ElectraConfig): Float32Array {
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
export function generatorLogits(build: ElectraBuild): { logits: Node; loss?: Node } {
  const { g, config, inputs } = build;
  if (config.generatorKind !== 'model') {
    const row = g.constant(fixedLogProbabilities(config), [1, config.discriminator.vocabSize]);
    const logits = g.expand(row, [MASKED, config.discriminator.vocabSize]);
    slotLoss(build, logits, 'mlm');
    return { logits };
  }
  // What is not trained is not dropped from either.
  const half = config.freezeGenerator ? { ...build, dropout: new Dropout(false) } : build;
  const logits = maskedLmLogits(half, 'generator', inputs.maskedInputIds, config.generator);
  return { logits, loss: slotLoss(build, logits, 'mlm') };
}

/** What keeps rows that stand for no piece from being proposed: 0, or so little that their probability is 0, [1, V]. */
function outOfReach(g: GraphBuilder, { absentIds, discriminator: { vocabSize } }: ElectraConfig): Node {
  return g.constant(
    Float32Array.from({ length: vocabSize }, (_, id) => (absentIds!.has(id) ? -1e4 : 0)),
    [1, vocabSize],
  );
}

const INVERSE_TEMPERATURE = 'inverseTemperature';

function changesTemperature({ temperature, temperatureEnd = temperature }: ElectraConfig): boolean {
  return temperatureEnd !== temperature;
}

/**
 * The temperature as it is fed, where it changes over the run.
 * @param progress  how much of the run is done, 0 to 1; evaluation asks what the end of the run asks
 */
export function temperatureFeeds(config: ElectraConfig, progress = 1): Tensors {
  if (!changesTemperature(config)) return {};
  const { temperature: first, temperatureEnd: last = first } = config;
  const temperature = first + Math.min(1, progress) * (last - first);
  return { [INVERSE_TEMPERATURE]: float32Tensor(Float32Array.of(1 / temperature), []) };
}

/** The text with the generator's proposals in it, int32 [T], and where it differs, float32 [T]. */
export function corrupt(build: ElectraBuild, generatorLogits: Node): { corrupted: Node; isReplaced: Node } {
  const { g, config, inputs } = build;
  let logits = g.stopGradient(generatorLogits);
  if (config.disallowCorrect) logits = disallowToken(g, logits, inputs.slots.original);
  if (changesTemperature(config)) logits = g.mul(logits, g.input(INVERSE_TEMPERATURE, 'float32', []));
  else if (config.temperature !== 1) logits = g.mul(logits, g.scalar(1 / config.temperature));
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
