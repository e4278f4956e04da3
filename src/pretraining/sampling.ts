/** Drawing the generator's proposals inside the graph: the engine draws nothing, it is fed one uniform a slot. */
import type { GraphBuilder, Node } from '../graph/graph.js';

/**
 * Inverse-CDF sampling: the smallest token whose cumulative probability reaches u·total. Comparing with u times the last
 * cumulative sum, not with u, makes float32 rounding of the total harmless: the result is below V and has probability > 0.
 * @param probabilities  float32 [M, V]
 * @param uniforms       float32 [M], in (0, 1)
 * @returns              int32 [M]
 */
export function sampleTokens(g: GraphBuilder, probabilities: Node, uniforms: Node): Node {
  return g.sampleRows(probabilities, uniforms);
}

/** Logits with the right token out of reach, as `disallow_correct` of google-research/electra: 1000 is taken off it. */
export function disallowToken(g: GraphBuilder, logits: Node, tokens: Node): Node {
  return g.sub(logits, g.mul(g.oneHot(tokens, logits.shape[1] as number), g.scalar(1000)));
}

/**
 * Writes tokens at positions where `weights` is 1, and leaves the others.
 * Where two slots share a position (only with duplicate masking), `reference` writes the mean of their ids rounded down,
 * an unrelated token, as the released code's scatter_update does; otherwise the last one stands.
 * @param ids  int32 [T]
 */
export function replaceTokens(
  g: GraphBuilder,
  ids: Node,
  slots: { positions: Node; original: Node; weights: Node },
  tokens: Node,
  duplicates: 'corrected' | 'reference',
): Node {
  const real = g.less(g.scalar(0.5), slots.weights);
  if (duplicates === 'corrected') {
    return g.scatter(ids, slots.positions, g.where(real, tokens, slots.original));
  }
  const zeros = g.mul(g.cast(ids, 'float32'), g.scalar(0));
  const counts = g.scatter(zeros, slots.positions, slots.weights, { add: true });
  const sums = g.scatter(zeros, slots.positions, g.mul(g.cast(tokens, 'float32'), slots.weights), { add: true });
  const written = g.less(g.scalar(0.5), counts);
  const mean = g.floor(g.div(sums, g.where(written, counts, g.scalar(1))));
  return g.where(written, g.cast(mean, 'int32'), ids);
}
