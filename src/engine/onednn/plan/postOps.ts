/** Chains of post-ops as the library computes them rightly: folded, and cut where a release of it is known to err. */
import type { EltwiseAlgorithm, PostOp } from './primitives.js';

/** Curves with parameters. */
const PARAMETRIC: ReadonlySet<EltwiseAlgorithm> = new Set<EltwiseAlgorithm>(['linear', 'power']);

/** Neighbouring straight lines as one: c·(a·x + b) + d = ca·x + (cb + d). */
export function foldLines(postOps: readonly PostOp[]): PostOp[] {
  const folded: PostOp[] = [];
  for (const postOp of postOps) {
    const before = folded.at(-1);
    if (isLine(before) && isLine(postOp)) {
      const alpha = postOp.alpha * before.alpha;
      folded[folded.length - 1] = { ...postOp, alpha, beta: postOp.alpha * before.beta + postOp.beta };
    } else {
      folded.push(postOp);
    }
  }
  return folded;
}

function isLine(postOp: PostOp | undefined): postOp is Extract<PostOp, { kind: 'eltwise' }> {
  return postOp?.kind === 'eltwise' && postOp.algorithm === 'linear';
}

/**
 * Cuts a chain before a curve with parameters that it has had already: of two lines in one primitive, version 2.6.3
 * computes both with the parameters of the first. The first piece belongs to the primitive at hand, each other to one of
 * its own; a piece that begins with a curve is that curve alone, since a curve's own primitive takes no fast post-ops.
 */
export function safePieces(postOps: readonly PostOp[]): PostOp[][] {
  const pieces: PostOp[][] = [[]];
  let seen = new Set<EltwiseAlgorithm>();
  for (const postOp of postOps) {
    const last = pieces.at(-1)!;
    const repeats = postOp.kind === 'eltwise' && seen.has(postOp.algorithm);
    const followsCurve = pieces.length > 1 && last[0].kind === 'eltwise';
    if (repeats || followsCurve) {
      pieces.push([postOp]);
      seen = new Set();
    } else {
      last.push(postOp);
    }
    if (postOp.kind === 'eltwise' && PARAMETRIC.has(postOp.algorithm)) seen.add(postOp.algorithm);
  }
  return pieces;
}
