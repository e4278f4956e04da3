/** Passes from graph to graph that leave every output and update as it is, and what runs them. */
import { checkGraph } from '../graph/check.js';
import { elementCount, sameShape } from '../graph/dimensions.js';
import { type Graph, isOp, type Node } from '../graph/graph.js';
import { evaluateGraph } from '../interpreter/evaluate.js';
import { type RewriteRule, rewriteGraph } from './rewrite.js';

export interface Pass {
  readonly name: string;
  run(graph: Graph): Graph;
}

/** Drops every node that no output or update needs. */
export const deadCode: Pass = {
  name: 'dead code',
  run(graph) {
    const needed = new Set<Node>([...graph.outputs.values(), ...graph.updates.values()]);
    for (const node of [...graph.nodes].reverse()) {
      if (needed.has(node)) for (const input of node.inputs) needed.add(input);
    }
    return { ...graph, nodes: graph.nodes.filter((node) => needed.has(node)) };
  },
};

/** Computes equal nodes once. */
export const commonSubexpressions: Pass = {
  name: 'common subexpressions',
  run: (graph) => rewriteGraph(graph, () => undefined, { share: true }),
};

/** Folding makes no constant larger than this many elements: a large one would only bloat the program. */
const LARGEST_FOLD = 4096;

function isConstant(node: Node): node is Node<'constant'> {
  return isOp(node, 'constant');
}

/** Evaluates a node whose operands are all constants. */
const foldNode: RewriteRule = (node, inputs, make) => {
  const fixed = node.shape.every((dim) => typeof dim === 'number');
  if (inputs.length === 0 || !inputs.every(isConstant) || !fixed) return undefined;
  if (elementCount(node.shape as number[]) > LARGEST_FOLD) return undefined;
  return make('constant', [], { dtype: node.dtype, shape: node.shape as number[], data: foldValue(node, inputs) });
};

function foldValue(node: Node, inputs: readonly Node[]): number[] {
  const copy = { ...node, inputs };
  const nodes = [...new Set(inputs), copy];
  const { outputs } = evaluateGraph({ nodes, outputs: new Map([['value', copy]]), updates: new Map() }, new Map());
  return Array.from(outputs.get('value')!.data, node.dtype === 'float32' ? Math.fround : Number);
}

function isAll(node: Node, value: number): boolean {
  if (isConstant(node)) return Array.from(node.attributes.data).every((x) => x === value);
  return isOp(node, 'fill') && node.attributes.value === value;
}

/**
 * Identities that need no arithmetic. Each keeps the type of the node it replaces:
 *   (1) x + 0, 0 + x, x − 0, x·1, 1·x, x/1 → x
 *   (2) reshape to the same shape → x;   (3) reshape of a reshape → one reshape
 *   (4) transpose of a transpose that undoes it → x;   (5) cast to the same type → x
 */
const simplifyNode: RewriteRule = (node, inputs, make) => {
  const [a, b] = inputs;
  const keeps = (x: Node) => (sameShape(x.shape, node.shape) && x.dtype === node.dtype ? x : undefined);
  if (isOp(node, 'add')) return (isAll(b, 0) && keeps(a)) || (isAll(a, 0) && keeps(b)) || undefined;
  if (isOp(node, 'sub')) return (isAll(b, 0) && keeps(a)) || undefined;
  if (isOp(node, 'mul')) return (isAll(b, 1) && keeps(a)) || (isAll(a, 1) && keeps(b)) || undefined;
  if (isOp(node, 'div')) return (isAll(b, 1) && keeps(a)) || undefined;
  if (isOp(node, 'cast')) return keeps(a);
  if (isOp(node, 'reshape')) {
    if (keeps(a)) return a;
    return isOp(a, 'reshape') ? make('reshape', a.inputs, node.attributes) : undefined;
  }
  if (isOp(node, 'transpose') && isOp(a, 'transpose')) {
    const inner = a.attributes.permutation;
    if (node.attributes.permutation.every((axis, i) => inner[axis] === i)) return a.inputs[0];
  }
  return undefined;
};

/** Evaluates what depends on constants alone, and applies the identities. */
export const constants: Pass = {
  name: 'constants',
  run: (graph) =>
    rewriteGraph(graph, (node, inputs, make) => simplifyNode(node, inputs, make) ?? foldNode(node, inputs, make)),
};

export const standardPasses: readonly Pass[] = [deadCode, constants, commonSubexpressions, deadCode];

/** Runs passes in order, checking the graph after each. */
export function runPasses(graph: Graph, passes: readonly Pass[] = standardPasses): Graph {
  checkGraph(graph);
  for (const pass of passes) {
    graph = pass.run(graph);
    checkGraph(graph, `pass "${pass.name}"`);
  }
  return graph;
}
