/**
 * Floating-point operations of a graph, read off the graph itself: what is counted is what is computed, generator,
 * backward pass and heads at masked slots included.
 *
 * Convention: a product of [m, k] and [k, n] is 2·m·n·k operations, and nothing but matrix products counts. So does the
 * script published with ELECTRA (google-research/electra flops_computation.py), with three differences: it also counts
 * element-wise work (a few per cent); it takes the backward pass as equal to the forward pass, where each product really
 * has two derivatives of its own size; and it counts an embedding lookup as a dense product with a one-hot matrix,
 * 2·V·E a token, where we gather.
 */
import { elementCount, evaluateShape } from '../graph/dimensions.js';
import { type Graph, isOp, type Node, nodesOf } from '../graph/graph.js';
import { BATCH, LENGTH } from '../nn/layers.js';
import { runPasses } from '../passes/passes.js';

/** A kind of matrix product in a graph: `batch` independent products [m, k] · [k, n] at once. */
export interface MatrixProduct {
  readonly batch: number;
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** How many nodes of the graph compute one of this kind. */
  readonly count: number;
}

/** 2·m·n·k of all nodes of one kind. */
export function productFlops({ batch, m, k, n, count }: MatrixProduct): number {
  return 2 * batch * m * k * n * count;
}

/**
 * The matrix products of a graph after its passes (dead code costs nothing, equal nodes run once), equal kinds together,
 * the most work first.
 * @param sizes  a value for every named size, for instance batch, length and masked
 */
export function matrixProducts(graph: Graph, sizes: ReadonlyMap<string, number>): MatrixProduct[] {
  const computed = runPasses(graph);
  const kinds = new Map<string, MatrixProduct>();
  for (const node of [...nodesOf(computed, 'linear'), ...nodesOf(computed, 'matmul')]) {
    const product = productOf(node, sizes);
    const { batch, m, k, n, transposeA, transposeB } = product;
    const key = [batch, m, k, n, transposeA, transposeB].join();
    kinds.set(key, { ...product, count: (kinds.get(key)?.count ?? 0) + 1 });
  }
  return [...kinds.values()].sort((a, b) => productFlops(b) - productFlops(a));
}

function productOf(node: Node, sizes: ReadonlyMap<string, number>): MatrixProduct {
  const { transposeA, transposeB } = isOp(node, 'matmul') ? node.attributes : { transposeA: false, transposeB: true };
  const left = evaluateShape(node.inputs[0].shape, sizes);
  const result = evaluateShape(node.shape, sizes);
  return {
    batch: elementCount(result.slice(0, -2)),
    m: result.at(-2)!,
    k: left.at(transposeA ? -2 : -1)!,
    n: result.at(-1)!,
    transposeA,
    transposeB,
    count: 1,
  };
}

/** Floating-point operations of one run of a graph. */
export function graphFlops(graph: Graph, sizes: ReadonlyMap<string, number>): number {
  return matrixProducts(graph, sizes).reduce((total, product) => total + productFlops(product), 0);
}

/** Floating-point operations of one run for each token it reads (batch × length of them, padding included). */
export function flopsPerToken(graph: Graph, sizes: ReadonlyMap<string, number>): number {
  return graphFlops(graph, sizes) / (sizes.get(BATCH)! * sizes.get(LENGTH)!);
}
