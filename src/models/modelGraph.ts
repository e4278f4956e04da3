/** Models for use alone: a graph around one encoder with its head, and the parameters it needs under published names. */
import { type Graph, GraphBuilder, type Node } from '../graph/graph.js';
import { BATCH, Dropout, LENGTH } from '../nn/layers.js';
import { ParameterScope, type ParameterSpec } from '../nn/parameters.js';
import type { EncoderConfig } from './config.js';
import { type EncoderInputs, encode, encoderInputs } from './encoder.js';

/**
 * Whose names a model's parameters carry: the encoder's scope is `electra.` or `bert.`, and each has heads of its own.
 * The encoder itself is the same, but that BERT has no embedding projection.
 */
export const MODEL_FAMILIES = ['electra', 'bert'] as const;
export type ModelFamily = (typeof MODEL_FAMILIES)[number];

/** A model for use alone: its graph and the parameters it needs, under their published names. */
export interface ModelGraph {
  readonly graph: Graph;
  readonly parameters: readonly ParameterSpec[];
}

/** What a head is built on. */
export interface EncodedScope {
  /** Scope of the model; heads lie directly in it. */
  readonly scope: ParameterScope;
  /** Scope of `word_embeddings` and its neighbours. */
  readonly embeddings: ParameterScope;
  /** What the encoder read. */
  readonly inputs: EncoderInputs;
  /** Last hidden states, float32 [B·S, H]. */
  readonly hidden: Node;
  /** What each layer reads and the last writes, float32 [B·S, H]. */
  readonly hiddenStates: readonly Node[];
  /** Attention weights of each layer, float32 [B, A, S, S]. */
  readonly attentions: readonly Node[];
  /** Acts while training, else passes everything. */
  readonly dropout: Dropout;
}

/** The hidden states of [CLS], the first of each row: float32 [B·S, H] → [B, H]. */
export function firstTokens(g: GraphBuilder, hidden: Node): Node {
  const H = hidden.shape[1] as number;
  return g.reshape(g.slice(g.reshape(hidden, [BATCH, LENGTH, H]), 1, 0, 1), [BATCH, H]);
}

/**
 * Builds a graph around one encoder; `finish` adds the head and names the outputs.
 * @param packed  whether rows run without their padding, see `encoderInputs`
 */
export function modelGraph(
  config: EncoderConfig,
  family: ModelFamily,
  finish: (encoded: EncodedScope) => void,
  { packed = false } = {},
): ModelGraph {
  const scope = new ParameterScope(new GraphBuilder());
  const backbone = scope.within(family);
  const embeddings = backbone.within('embeddings');
  const dropout = new Dropout(false);
  const inputs = encoderInputs(scope, { packed });
  const encoded = encode(backbone, embeddings, inputs, config, dropout);
  finish({ scope, embeddings, dropout, inputs, ...encoded });
  return { graph: scope.graph.build(), parameters: scope.specs };
}
