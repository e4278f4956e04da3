/** Says whether a graph is well formed; run after building and after each pass. */
import { formatShape, sameShape } from './dimensions.js';
import type { Graph, Node } from './graph.js';
import { inferType } from './ops.js';
import { printNode } from './print.js';

/** A graph that breaks a rule; the message shows the nodes around the fault. */
export class GraphError extends Error {
  override name = 'GraphError';
}

function around(graph: Graph, at: number): string {
  return graph.nodes
    .slice(Math.max(0, at - 3), at + 3)
    .map((node) => `  ${node === graph.nodes[at] ? '→' : ' '} ${printNode(node)}`)
    .join('\n');
}

function problemOf(node: Node, seen: ReadonlySet<Node>): string | undefined {
  const missing = node.inputs.find((input) => !seen.has(input));
  if (missing) return `operand %${missing.id} does not come before it`;
  try {
    const type = inferType(node.op, node.inputs, node.attributes);
    if (type.dtype !== node.dtype || !sameShape(type.shape, node.shape)) {
      return `its type is ${node.dtype}${formatShape(node.shape)}, the rule gives ${type.dtype}${formatShape(type.shape)}`;
    }
  } catch (error) {
    return (error as Error).message;
  }
  return undefined;
}

/**
 * Checks that every node follows its operands and has the type its shape rule gives, that outputs and updates belong to
 * the graph, and that names of inputs and states are unique.
 * @throws GraphError with the nodes around the fault
 */
export function checkGraph(graph: Graph, after = 'building'): void {
  const seen = new Set<Node>();
  const names = new Set<string>();
  graph.nodes.forEach((node, at) => {
    const problem = problemOf(node, seen);
    if (problem) throw new GraphError(`after ${after}: ${node.op} %${node.id}: ${problem}\n${around(graph, at)}`);
    if (node.op === 'input' || node.op === 'state') {
      const name = `${node.op} ${(node as Node<'input'>).attributes.name}`;
      if (names.has(name)) throw new GraphError(`after ${after}: two nodes are ${name}\n${around(graph, at)}`);
      names.add(name);
    }
    seen.add(node);
  });
  for (const [kind, values] of [
    ['output', graph.outputs],
    ['update', graph.updates],
  ] as const) {
    for (const [name, node] of values) {
      if (!seen.has(node))
        throw new GraphError(`after ${after}: ${kind} "${name}" is ${printNode(node)}, which is not in the graph`);
    }
  }
}
