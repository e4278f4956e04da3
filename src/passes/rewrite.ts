/** Copies a graph node by node through a rule: the shape that every pass has. */
import { type Graph, type Node, nodeKey } from '../graph/graph.js';
import type { OpAttributes, OpName } from '../graph/ops.js';
import { inferType } from '../graph/ops.js';

/** Makes nodes of the new graph; a node equal to one already made is that one where `share` is on. */
export class Rewriter {
  readonly nodes: Node[] = [];
  readonly #byKey = new Map<string, Node>();
  readonly #share: boolean;

  constructor(share: boolean) {
    this.#share = share;
  }

  make<K extends OpName>(op: K, inputs: readonly Node[], attributes: OpAttributes[K]): Node {
    const key = this.#share || op === 'input' || op === 'state' ? nodeKey(op, inputs, attributes) : undefined;
    const known = key !== undefined && this.#byKey.get(key);
    if (known) return known;
    const type = inferType(op, inputs, attributes);
    const node = { id: this.nodes.length, op, inputs, attributes, dtype: type.dtype, shape: type.shape };
    this.nodes.push(node);
    if (key !== undefined) this.#byKey.set(key, node);
    return node;
  }
}

/** Gives the node to stand for `node`, whose operands are already rewritten; `undefined` copies it. */
export type RewriteRule = (node: Node, inputs: readonly Node[], make: Rewriter['make']) => Node | undefined;

/** The graph with every node passed through `rule`, in order. */
export function rewriteGraph(graph: Graph, rule: RewriteRule, { share = false } = {}): Graph {
  const rewriter = new Rewriter(share);
  const make = rewriter.make.bind(rewriter) as Rewriter['make'];
  const replaced = new Map<Node, Node>();
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((input) => replaced.get(input)!);
    replaced.set(node, rule(node, inputs, make) ?? make(node.op, inputs, node.attributes));
  }
  const move = (named: ReadonlyMap<string, Node>) =>
    new Map([...named].map(([name, node]) => [name, replaced.get(node)!]));
  return { nodes: rewriter.nodes, outputs: move(graph.outputs), updates: move(graph.updates) };
}
