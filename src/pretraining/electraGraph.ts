/**
 * The two halves of ELECTRA's graphs (paper §2): the generator, the text that it corrupts, and what both share. What the main
 * encoder learns of that text is in mainLosses.ts.
 */
import type { GraphBuilder, Node } from '../graph/graph.js';
import type { EncoderConfig } from '../models/config.js';
import { maskedLmHead } from '../models/electra.js';
import { type EncoderStart, encode } from '../models/encoder.js';
import { MASKED } from '../models/vocabularyHead.js';
import { predictionLoss } from '../training/predictionLoss.js';
import type { MaskedBuild } from './maskedInputs.js';
import type { LossName } from './metrics.js';
import { disallowToken, replaceTokens, sampleTokens } from './sampling.js';

export interface ElectraConfig {
  /** The main encoder. */
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
  const embeddings = (shared === 'none' ? own.within('electra') : discriminator).within('embeddings');
  return { own, backbone, embeddings };
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
  const logits = maskedLmLogits(build, 'generator', inputs.maskedInputIds, config.generator);
  return { logits, loss: slotLoss(build, logits, 'mlm') };
}

/** What keeps rows that stand for no piece from being proposed: 0, or so little that their probability is 0, [1, V]. */
function outOfReach(g: GraphBuilder, { absentIds, discriminator: { vocabSize } }: ElectraConfig): Node {
  return g.constant(
    Float32Array.from({ length: vocabSize }, (_, id) => (absentIds!.has(id) ? -1e4 : 0)),
    [1, vocabSize],
  );
}

/** The text with the generator's proposals in it, int32 [T], and where it differs, float32 [T]. */
export function corrupt(build: ElectraBuild, generatorLogits: Node): { corrupted: Node; isReplaced: Node } {
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
