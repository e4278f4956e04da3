/**
 * Which values lie in memory as bf16: operands of products, and what lies between two of them where every reader can take
 * it so. The residual stream, layer norm, statistics, losses and gradients of weights stay float32.
 */
import type { Node } from '../../../graph/graph.js';
import type { OpName } from '../../../graph/ops.js';
import type { Precision } from '../../engine.js';
import type { Chains } from './chains.js';
import { type GraphFacts, isView, sumsRows } from './facts.js';

/**
 * Ops whose primitive can write bf16. The softmax's derivative could too, but y·(dy − Σ dy·y) is a difference of like
 * numbers: in bf16 the error of the query's gradients is half as large again, and float32 costs two casts (0.3 % of a step).
 */
const WRITES_BF16: ReadonlySet<OpName> = new Set<OpName>([
  'matmul',
  'linear',
  'add',
  'sub',
  'mul',
  'div',
  'gelu',
  'geluGrad',
  'softmax',
]);
/** Ops that read their operands as bf16 when they write bf16. */
const FOLLOWS_RESULT: ReadonlySet<OpName> = new Set<OpName>(['gelu', 'geluGrad']);

/** Roots of chains, and other nodes, whose value is kept as bf16. */
export function bf16Values(facts: GraphFacts, chains: Chains, precision: Precision): Set<Node> {
  const chosen = new Set<Node>();
  if (precision === 'fp32') return chosen;
  const wanted = new Set<Node>();
  for (const node of [...facts.graph.nodes].reverse()) {
    if (node.dtype !== 'float32' || chains.isAbsorbed(node)) continue;
    const consumers = facts.consumers(node);
    const wants =
      consumers.length > 0 &&
      !facts.isResult(node) &&
      consumers.every((consumer) =>
        isView(consumer) ? wanted.has(consumer) : readsBf16(consumer, node, facts, chains, chosen),
      );
    if (!wants) continue;
    wanted.add(node);
    if (!isView(node) && WRITES_BF16.has(chains.of(node).head.op)) chosen.add(node);
  }
  return chosen;
}

function readsBf16(
  consumer: Node,
  operand: Node,
  facts: GraphFacts,
  chains: Chains,
  chosen: ReadonlySet<Node>,
): boolean {
  switch (consumer.op) {
    case 'matmul':
      return true;
    case 'linear':
      return consumer.inputs[2] !== operand;
    case 'reduceSum':
      return sumsRows(consumer as Node<'reduceSum'>, facts);
    default:
      break;
  }
  if (!chosen.has(chains.rootOf(consumer))) return false;
  // A dropout mask leaves its first operand in the type of the result.
  const isHead = chains.of(chains.rootOf(consumer)).head === consumer;
  return FOLLOWS_RESULT.has(consumer.op) || (isHead && consumer.op === 'mul' && consumer.inputs[0] === operand);
}
