/** A graph as text that a person can read: one node a line, operands by number, sizes by name. */
import { formatShape } from './dimensions.js';
import type { Graph, Node } from './graph.js';

function formatAttribute(value: unknown): string {
  if (ArrayBuffer.isView(value) || Array.isArray(value)) {
    const values = Array.from(value as ArrayLike<unknown>);
    return values.length > 8 ? `[${values.slice(0, 8).join(', ')}, … ${values.length}]` : `[${values.join(', ')}]`;
  }
  return String(value);
}

/** `%7: float32[batch*length, 256] = linear(%3, %4, %5)` */
export function printNode(node: Node): string {
  const operands = node.inputs.map((input) => `%${input.id}`);
  const attributes = Object.entries(node.attributes)
    .filter(([key]) => key !== 'dtype' && (key !== 'shape' || node.op === 'constant'))
    .map(([key, value]) => `${key}=${formatAttribute(value)}`);
  return `%${node.id}: ${node.dtype}${formatShape(node.shape)} = ${node.op}(${[...operands, ...attributes].join(', ')})`;
}

export function printGraph(graph: Graph): string {
  const lines = graph.nodes.map(printNode);
  for (const [name, node] of graph.outputs) lines.push(`output ${name} = %${node.id}`);
  for (const [name, node] of graph.updates) lines.push(`update ${name} = %${node.id}`);
  return lines.join('\n');
}
