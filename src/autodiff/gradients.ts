/** Reverse-mode differentiation, graph to graph: walks the nodes backwards and adds up cotangents. */
import { sameShape } from '../graph/dimensions.js';
import type { GraphBuilder, Node } from '../graph/graph.js';
import { vjps } from './vjp.js';

/** The nodes that depend on one of `sources`, found by walking back from `from`. */
function dependents(from: Node, sources: ReadonlySet<Node>): Set<Node> {
  const depends = new Map<Node, boolean>();
  // Explicit stack: a deep model's chain of nodes would overflow the call stack.
  const stack: Node[] = [from];
  while (stack.length) {
    const node = stack.at(-1)!;
    const open = node.inputs.filter((input) => !depends.has(input));
    if (open.length && !depends.has(node)) {
      stack.push(...open);
      continue;
    }
    stack.pop();
    depends.set(
      node,
      sources.has(node) || (node.op !== 'stopGradient' && node.inputs.some((input) => depends.get(input))),
    );
  }
  return new Set([...depends].filter(([, yes]) => yes).map(([node]) => node));
}

/**
 * Adds the derivative of a scalar to the graph being built.
 * @param loss     float32 scalar, shape []
 * @param sources  nodes to differentiate by, usually parameters
 * @returns        the derivative for each source, of its shape; zeros where the loss does not depend on it
 */
export function gradients(g: GraphBuilder, loss: Node, sources: readonly Node[]): Map<Node, Node> {
  if (loss.shape.length !== 0) throw new Error(`the loss is [${loss.shape}], expected a scalar`);
  const wanted = new Set(sources);
  const active = dependents(loss, wanted);
  const cotangents = new Map<Node, Node>([[loss, g.scalar(1)]]);
  const order = [...active].sort((a, b) => b.id - a.id);
  for (const node of order) {
    const dy = cotangents.get(node);
    if (!dy || node.inputs.length === 0) continue;
    const rule = vjps[node.op] as (
      g: GraphBuilder,
      y: Node,
      dy: Node,
      attributes: unknown,
    ) => readonly (Node | undefined)[];
    rule(g, node, dy, node.attributes).forEach((cotangent, i) => {
      const input = node.inputs[i];
      if (!cotangent || !active.has(input)) return;
      if (!sameShape(cotangent.shape, input.shape)) {
        throw new Error(
          `the derivative of ${node.op} gives [${cotangent.shape}] for operand ${i}, which is [${input.shape}]`,
        );
      }
      const sum = cotangents.get(input);
      cotangents.set(input, sum ? g.add(sum, cotangent) : cotangent);
    });
  }
  return new Map(sources.map((source) => [source, cotangents.get(source) ?? g.fill(source.shape, 0)]));
}
