/**
 * Which elementwise nodes are done as post-ops of the primitive before them: a chain is a product or a binary op, its
 * head, and the nodes that alone read what came before. Its result is the value of the last of them, its root.
 */
import { isOp, type Node } from '../../../graph/graph.js';
import type { OpName } from '../../../graph/ops.js';
import { constantValue, type GraphFacts, maskOf } from './facts.js';
import { sameSizes } from './values.js';

export interface Chain {
  readonly head: Node;
  /** The nodes after the head, in order; each reads the one before. */
  readonly links: readonly Node[];
}

/** Primitives that take post-ops in fast implementations; the larger number is the better head of two operands. */
const HEADS: Partial<Record<OpName, number>> = { matmul: 2, linear: 2, add: 1, sub: 1, mul: 1, div: 1 };
const UNARY_LINKS: ReadonlySet<OpName> = new Set<OpName>([
  'neg',
  'exp',
  'log',
  'sqrt',
  'tanh',
  'sigmoid',
  'softplus',
  'gelu',
]);
const BINARY_LINKS: ReadonlySet<OpName> = new Set<OpName>(['add', 'sub', 'mul', 'div']);
/** The library passes operands of post-ops in registers, of which it has few. */
const MOST_LINKS = 5;

/** Chains by their root. A node that is in a chain and no root has no value of its own. */
export class Chains {
  readonly #byRoot = new Map<Node, Chain>();
  readonly #absorbed = new Set<Node>();
  readonly #rootOf = new Map<Node, Node>();

  constructor(facts: GraphFacts) {
    for (const node of facts.graph.nodes) {
      if (node.dtype !== 'float32' || maskOf(node)) continue;
      const previous = this.#previousOf(node, facts);
      if (previous) {
        const { head, links } = this.#byRoot.get(previous)!;
        this.#byRoot.delete(previous);
        this.#absorbed.add(previous);
        this.#byRoot.set(node, { head, links: [...links, node] });
      } else if (HEADS[node.op] !== undefined) {
        this.#byRoot.set(node, { head: node, links: [] });
      }
    }
    for (const [root, { head, links }] of this.#byRoot) {
      for (const node of [head, ...links]) this.#rootOf.set(node, root);
    }
  }

  /** The operand whose chain a node goes on, the better head first, then the later one. */
  #previousOf(node: Node, facts: GraphFacts): Node | undefined {
    const rank = (operand: Node) => HEADS[this.#byRoot.get(operand)?.head.op ?? 'input'] ?? 0;
    const candidates = node.inputs.filter((operand) => this.#mayFollow(node, operand, facts));
    return candidates.sort((a, b) => rank(b) - rank(a) || b.id - a.id)[0];
  }

  #mayFollow(node: Node, operand: Node, facts: GraphFacts): boolean {
    const chain = this.#byRoot.get(operand);
    if (!chain || chain.links.length >= MOST_LINKS || facts.onlyConsumer(operand) !== node) return false;
    if (!sameSizes(facts.shape(operand), facts.shape(node))) return false;
    if (UNARY_LINKS.has(node.op)) return true;
    if (!BINARY_LINKS.has(node.op)) return false;
    const other = node.inputs[0] === operand ? node.inputs[1] : node.inputs[0];
    // Scattered rows are added in place, see the rule of add.
    return !isOp(other, 'scatterAddRows') && stretchesWell(other, node, chain.head, facts);
  }

  /** The chain that ends in a node; the node alone where there is none. */
  of(root: Node): Chain {
    return this.#byRoot.get(root) ?? { head: root, links: [] };
  }
  isAbsorbed(node: Node): boolean {
    return this.#absorbed.has(node);
  }
  /** The node with whose value a node is computed: the root of its chain, or itself. */
  rootOf(node: Node): Node {
    return this.#rootOf.get(node) ?? node;
  }
}

/** Whether an operand is whole, one row, one value, or the mask [B, 1, 1, S] of a 4-D product: what has fast kernels. */
function stretchesWell(operand: Node, node: Node, head: Node, facts: GraphFacts): boolean {
  if (constantValue(operand) !== undefined) return true;
  const shape = facts.shape(node);
  const own = facts.shape(operand);
  const padded = [...new Array<number>(shape.length - own.length).fill(1), ...own];
  if (padded.every((size, axis) => size === shape[axis]) || padded.every((size) => size === 1)) return true;
  const last = shape.length - 1;
  const only = (axes: readonly number[]) =>
    padded.every((size, axis) => size === (axes.includes(axis) ? shape[axis] : 1));
  return only([last]) || (isOp(head, 'matmul') && shape.length === 4 && only([0, last]));
}
