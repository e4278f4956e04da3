/**
 * SpanBERT's span boundary head (Joshi et al. 2020, arXiv 1907.10529 §3.2): every token of a masked span is predicted
 * from the two tokens at the span's boundaries and from its place in the span, without a look at the span itself.
 */
import type { GraphBuilder, Node } from '../graph/graph.js';
import type { ParameterScope } from '../nn/parameters.js';
import type { EncoderConfig } from './config.js';
import { modelGraph } from './modelGraph.js';
import { tiedLogits, transform } from './vocabularyHead.js';

/** A span boundary head, and what it was trained to read; kept in a model's config under `pleiad.spanBoundary`. */
export interface SpanBoundaryConfig {
  /** Rows of the position table: tokens of a span beyond so many are never predicted from the boundaries. */
  readonly maxSpanTargets: number;
  /** Width of the position table. The released code says 200 whatever its flag says. */
  readonly positionSize: number;
  /** The tokens just outside the span (x_{s−1}, x_{e+1}), or its own first and last (x_s, x_e). */
  readonly endpoints: 'external' | 'internal';
  /** What becomes of a span with [CLS] or [SEP] beside it: no target, or these as its boundary tokens. */
  readonly edgeSpans: 'drop' | 'special';
}

/** 15 rows: the command of the released code's README (its default is 20); 200 wide: paper §4.2. */
export const SPAN_BOUNDARY_DEFAULTS: SpanBoundaryConfig = {
  maxSpanTargets: 15,
  positionSize: 200,
  endpoints: 'external',
  edgeSpans: 'drop',
};

/** Where the head's parameters lie. They have no published Hugging Face names: no class of transformers has this head. */
export const SPAN_BOUNDARY_SCOPE = 'sbo';

/** The tokens to predict from boundaries, N of them. */
export interface SpanTargetNodes {
  /** Where the left and the right boundary stand, as row·S + position, int32 [N] each. */
  readonly left: Node;
  readonly right: Node;
  /** i − s, from 0: the row of the position table, int32 [N]. */
  readonly offsets: Node;
}

/**
 * The span boundary head:
 *
 *   h₀ = [x_{s−1}; x_{e+1}; p_{i−s+1}],  h₁ = LN(GELU(W₁h₀)),  y_i = LN(GELU(W₂h₁))      (paper §3.2)
 *
 * then the product with the word table, tied, and a bias of its own. The paper counts positions from 1: p₁ is row 0.
 * @param scope   scope of `sbo.position_embeddings`, `sbo.layer_0`, `sbo.layer_1` and `sbo.bias`
 * @param hidden  last hidden states, float32 [B·S, H]
 * @returns       logits float32 [N, V]
 */
export function spanBoundaryHead(
  scope: ParameterScope,
  embeddings: ParameterScope,
  hidden: Node,
  { left, right, offsets }: SpanTargetNodes,
  { maxSpanTargets, positionSize }: SpanBoundaryConfig,
  config: EncoderConfig,
): Node {
  const g = scope.graph;
  const head = scope.within(SPAN_BOUNDARY_SCOPE);
  const table = head.get('position_embeddings.weight', [maxSpanTargets, positionSize], 'truncatedNormal');
  const boundaries = [g.gather(hidden, left), g.gather(hidden, right), g.gather(table, offsets)];
  const h0 = g.concat(boundaries, 1); // [N, 2H + P]
  const h1 = transform(head.within('layer_0'), h0, config.hiddenSize, config);
  const y = transform(head.within('layer_1'), h1, config.hiddenSize, config); // [N, H]
  return tiedLogits(head, embeddings, y, config);
}

/** Number of tokens that are predicted from boundaries, where it is not that of the masked slots. */
export const TARGETS = 'targets';

/** Declares the inputs `leftBoundaries`, `rightBoundaries` (row·S + position) and `spanOffsets`, int32 [N] each. */
export function spanTargetInputs(g: GraphBuilder): SpanTargetNodes {
  const input = (name: string) => g.input(name, 'int32', [TARGETS]);
  return { left: input('leftBoundaries'), right: input('rightBoundaries'), offsets: input('spanOffsets') };
}

/** The parameters of a span boundary head alone, by building one: the word table is not among them. */
export function spanBoundaryParameters(config: EncoderConfig, spanBoundary: SpanBoundaryConfig) {
  const { parameters } = modelGraph(config, 'bert', ({ scope, embeddings, hidden }) => {
    spanBoundaryHead(scope, embeddings, hidden, spanTargetInputs(scope.graph), spanBoundary, config);
  });
  return parameters.filter(({ name }) => name.startsWith(`${SPAN_BOUNDARY_SCOPE}.`));
}
