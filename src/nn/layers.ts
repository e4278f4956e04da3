/** Layers as functions that add nodes: linear, layer norm, dropout, self-attention, transformer layer (post-LN). */
import { multiplyDims, type Shape } from '../graph/dimensions.js';
import type { GraphBuilder, Node } from '../graph/graph.js';
import type { Initializer, ParameterScope } from './parameters.js';

/** Rows of hidden states are kept flat, [batch·length, H]; these are the sizes to fold them back. */
export const BATCH = 'batch';
export const LENGTH = 'length';
export const TOKENS = multiplyDims(BATCH, LENGTH);

/** x [T, in] → [T, out] with parameters `weight` [out, in] and `bias` [out]. */
export function linear(
  scope: ParameterScope,
  x: Node,
  outputSize: number,
  initializer: Initializer = 'truncatedNormal',
): Node {
  const weight = scope.get('weight', [outputSize, x.shape[1] as number], initializer);
  return scope.graph.linear(x, weight, scope.get('bias', [outputSize], 'zeros'));
}

export function layerNorm(scope: ParameterScope, x: Node, epsilon: number): Node {
  const size = x.shape.at(-1) as number;
  return scope.graph.layerNorm(x, scope.get('weight', [size], 'ones'), scope.get('bias', [size], 'zeros'), epsilon);
}

/** A place where dropout acts: the name and shape of the mask to feed. */
export interface DropoutSite {
  readonly input: string;
  readonly shape: Shape;
  readonly rate: DropoutRate;
}

/** A drop probability as a number of 256ths, so that one random byte decides one element. */
export interface DropoutRate {
  readonly drop256: number;
}

/**
 * Dropout from fed masks (the engine draws nothing): y = x · keep / (1 − p), with p rounded to 1/256.
 * Collects the sites of a graph; none is made when the rate is 0.
 */
export class Dropout {
  readonly sites: DropoutSite[] = [];
  readonly #enabled: boolean;

  constructor(enabled: boolean) {
    this.#enabled = enabled;
  }

  apply(g: GraphBuilder, x: Node, probability: number): Node {
    const drop256 = Math.round(probability * 256);
    if (!this.#enabled || drop256 === 0) return x;
    const input = `dropout:${this.sites.length}`;
    this.sites.push({ input, shape: x.shape, rate: { drop256 } });
    const keep = g.cast(g.input(input, 'bool', x.shape), 'float32');
    return g.mul(x, g.mul(keep, g.scalar(256 / (256 - drop256))));
  }
}

/**
 * Additive attention mask: 0 at tokens, −10000 at padding, whose softmax weight is then exactly 0 in float32.
 * @param attentionMask  int32 [B, S], 1 or 0
 * @returns float32 [B, 1, 1, S]
 */
export function attentionBias(g: GraphBuilder, attentionMask: Node): Node {
  const outside = g.sub(g.cast(attentionMask, 'float32'), g.scalar(1));
  return g.reshape(g.mul(outside, g.scalar(10000)), [BATCH, 1, 1, LENGTH]);
}

/**
 * Rows of a batch run without their padding (Zhai et al. 2022, ByteTransformer, arXiv 2210.03052): products and norms,
 * which know no neighbours, go over the T tokens alone, and only attention over rows that are filled up.
 */
export interface Packing {
  /** Where each token stands in the filled-up rows, int32 [T], row·S + position. */
  readonly places: Node;
  /** Which token each place has, int32 [B·S], 0..T−1; at padding any. */
  readonly tokens: Node;
}

/** Tokens of a batch, its padding not counted. */
export const PACKED = 'packed';

export interface LayerSizes {
  readonly hiddenSize: number;
  readonly numAttentionHeads: number;
  readonly intermediateSize: number;
  readonly layerNormEps: number;
  readonly hiddenDropoutProb: number;
  readonly attentionProbsDropoutProb: number;
}

/** How the four matrices of a self-attention start. */
export interface AttentionStart {
  readonly query: Initializer;
  readonly key: Initializer;
  readonly value: Initializer;
  readonly output: Initializer;
}

/**
 * Multi-head self-attention: softmax(QKᵀ/√D + bias)·V. Vaswani et al. 2017 §3.2.
 * @param x        float32 [B·S, H], with a packing [T, H]
 * @param bias     float32 [B, 1, 1, S], see `attentionBias`
 * @returns        the shape of x; and the weights, float32 [B, A, S, S]
 */
export function selfAttention(
  scope: ParameterScope,
  x: Node,
  bias: Node,
  sizes: LayerSizes,
  dropout: Dropout,
  start?: AttentionStart,
  packing?: Packing,
): { context: Node; weights: Node } {
  const g = scope.graph;
  const { hiddenSize: H, numAttentionHeads: A } = sizes;
  const D = H / A;
  const filledUp = (rows: Node) => (packing ? g.gather(rows, packing.tokens) : rows); // [B·S, H]
  const heads = (name: 'query' | 'key' | 'value') => {
    const projected = filledUp(linear(scope.within(name), x, H, start?.[name]));
    return g.transpose(g.reshape(projected, [BATCH, LENGTH, A, D]), [0, 2, 1, 3]); // [B, A, S, D]
  };
  const scores = g.matmul(heads('query'), heads('key'), { transposeB: true, scale: 1 / Math.sqrt(D) }); // [B, A, S, S]
  const weights = g.softmax(g.add(scores, bias));
  const mixed = g.matmul(dropout.apply(g, weights, sizes.attentionProbsDropoutProb), heads('value')); // [B, A, S, D]
  const context = g.reshape(g.transpose(mixed, [0, 2, 1, 3]), [TOKENS, H]);
  return { context: packing ? g.gather(context, packing.places) : context, weights };
}

/** One post-LN transformer layer of BERT (Devlin et al. 2019): x = LN(x + attention(x)); x = LN(x + FFN(x)). */
export function transformerLayer(
  scope: ParameterScope,
  x: Node,
  bias: Node,
  sizes: LayerSizes,
  dropout: Dropout,
  start?: AttentionStart,
  packing?: Packing,
): { hidden: Node; weights: Node } {
  const g = scope.graph;
  const { hiddenSize, intermediateSize, layerNormEps, hiddenDropoutProb } = sizes;
  const addAndNormalize = (part: ParameterScope, residual: Node, update: Node) =>
    layerNorm(part.within('LayerNorm'), g.add(residual, dropout.apply(g, update, hiddenDropoutProb)), layerNormEps);

  const attention = scope.within('attention');
  const { context, weights } = selfAttention(attention.within('self'), x, bias, sizes, dropout, start, packing);
  const attended = linear(attention.within('output').within('dense'), context, hiddenSize, start?.output);
  const middle = addAndNormalize(attention.within('output'), x, attended);

  const expanded = g.gelu(linear(scope.within('intermediate').within('dense'), middle, intermediateSize));
  const contracted = linear(scope.within('output').within('dense'), expanded, hiddenSize);
  return { hidden: addAndNormalize(scope.within('output'), middle, contracted), weights };
}
