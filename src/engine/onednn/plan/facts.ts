/** What the rules ask about a graph at concrete sizes: shapes, readers, patterns of constants. */
import { elementCount, evaluateShape } from '../../../graph/dimensions.js';
import { type Graph, isOp, type Node } from '../../../graph/graph.js';
import type { OpName } from '../../../graph/ops.js';

export class GraphFacts {
  readonly graph: Graph;
  readonly sizes: ReadonlyMap<string, number>;
  readonly #shapes = new Map<Node, readonly number[]>();
  readonly #consumers = new Map<Node, Node[]>();
  readonly #results = new Set<Node>();

  /** @param graph  without dead nodes */
  constructor(graph: Graph, sizes: ReadonlyMap<string, number>) {
    this.graph = graph;
    this.sizes = sizes;
    for (const node of graph.nodes) {
      this.#shapes.set(node, evaluateShape(node.shape, sizes));
      for (const input of node.inputs) this.#consumers.set(input, [...(this.#consumers.get(input) ?? []), node]);
    }
    for (const node of [...graph.outputs.values(), ...graph.updates.values()]) this.#results.add(node);
  }

  shape(node: Node): readonly number[] {
    return this.#shapes.get(node)!;
  }
  size(node: Node): number {
    return elementCount(this.shape(node));
  }
  /** The nodes that read a node, once for each operand. */
  consumers(node: Node): readonly Node[] {
    return this.#consumers.get(node) ?? [];
  }
  /** Whether an output or an update is this node. */
  isResult(node: Node): boolean {
    return this.#results.has(node);
  }
  /** The one reader of a node that is no result; undefined when there are more, or none. */
  onlyConsumer(node: Node): Node | undefined {
    const consumers = this.consumers(node);
    return consumers.length === 1 && !this.isResult(node) ? consumers[0] : undefined;
  }
}

/** Ops whose result is their operand's memory, seen otherwise. */
const VIEWS: ReadonlySet<OpName> = new Set<OpName>(['reshape', 'transpose', 'expand', 'slice', 'stopGradient']);

export function isView(node: Node): boolean {
  return VIEWS.has(node.op);
}

/** The node whose memory a chain of views looks at. */
export function viewed(node: Node): Node {
  while (isView(node)) node = node.inputs[0];
  return node;
}

/** The one value of all elements of a constant. */
export function constantValue(node: Node): number | undefined {
  const base = viewed(node);
  if (isOp(base, 'fill')) return base.attributes.value;
  return isOp(base, 'constant') && base.dtype === 'float32' && base.attributes.data.length === 1
    ? Math.fround(base.attributes.data[0])
    : undefined;
}

/** A bool as a number, perhaps times a constant: a dropout mask, which is read as the bytes that were fed. */
export interface Mask {
  readonly flags: Node;
  readonly scale: number;
}

export function maskOf(node: Node): Mask | undefined {
  if (isOp(node, 'cast') && node.dtype === 'float32' && node.inputs[0].dtype === 'bool') {
    return { flags: node.inputs[0], scale: 1 };
  }
  if (!isOp(node, 'mul')) return undefined;
  for (const [a, b] of [node.inputs, [...node.inputs].reverse()]) {
    const scale = constantValue(b);
    const mask = maskOf(a);
    if (scale !== undefined && mask && a.shape.join() === node.shape.join()) {
      return { ...mask, scale: mask.scale * scale };
    }
  }
  return undefined;
}

/** Σ over all axes but the last, which is done as a product. */
export function sumsRows(node: Node<'reduceSum'>, facts: Pick<GraphFacts, 'shape'>): boolean {
  const rank = facts.shape(node.inputs[0]).length;
  return rank > 1 && node.attributes.axes.length === rank - 1 && !node.attributes.axes.includes(rank - 1);
}
