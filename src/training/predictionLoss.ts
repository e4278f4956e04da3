/** Cross entropy of predicted classes, with the hits: the loss of masked LM, span boundaries and next sentences. */
import type { GraphBuilder, Node } from '../graph/graph.js';

/**
 * Σ w·(−log p(label)); also names the sum and the number of hits (ties count as hits) as outputs.
 * @param logits   float32 [N, classes]
 * @param labels   int32 [N]
 * @param weights  1, or 0 for padding, float32 [N]
 */
export function predictionLoss(
  g: GraphBuilder,
  name: string,
  logits: Node,
  { labels, weights }: { labels: Node; weights: Node },
): Node {
  const sum = g.reduceSum(g.mul(g.softmaxCrossEntropy(logits, labels), weights));
  const missed = g.cast(g.less(g.pick(logits, labels), g.reduceMax(logits, [1])), 'float32');
  g.output(`${name}LossSum`, sum);
  g.output(`${name}Correct`, g.reduceSum(g.mul(g.sub(g.scalar(1), missed), weights)));
  return sum;
}
