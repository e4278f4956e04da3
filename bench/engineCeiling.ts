/**
 * The engine's own speed at matrix products, without anything around them: the ceiling that a training step is held
 * against. Built from our ops and run through the Engine interface, so it is the same code path.
 */
import type { Engine, Tensors } from '../src/engine/engine.js';
import { type Graph, GraphBuilder, type Node } from '../src/graph/graph.js';
import { type MatrixProduct, productFlops } from '../src/models/flops.js';

/** How fast one kind of product runs. */
export interface ProductSpeed extends MatrixProduct {
  readonly gflopsPerSecond: number;
}

export interface Ceiling {
  readonly products: readonly ProductSpeed[];
  /** All work over all time, each product weighed as it occurs in the model. */
  readonly gflopsPerSecond: number;
}

/** Work of one measurement: long against a call's overhead, short enough that seven of each kind take seconds. */
const MEASURED_FLOPS = 2e9;

/** What a call costs besides (feeding operands, returning results) must not count: a run with one product is taken off. */
function repeatsOf(product: MatrixProduct): number {
  return Math.min(400, Math.max(2, Math.round(MEASURED_FLOPS / productFlops({ ...product, count: 1 }))));
}

/**
 * Measures every kind of product, alternating over them so that a busy moment of the machine falls on all, and takes
 * medians.
 * @param rounds  measurements of each product; 7 by default
 */
export async function matmulCeiling(engine: Engine, products: readonly MatrixProduct[], rounds = 7): Promise<Ceiling> {
  const programs = [];
  for (const product of products) {
    const baseline = await engine.compile(repeatedProduct(product, 1), { label: 'ceiling, once' });
    const repeats = repeatsOf(product);
    const repeated = await engine.compile(repeatedProduct(product, 1 + repeats), { label: 'ceiling, repeated' });
    programs.push({ product, repeats, baseline, repeated, feeds: operands(product), elapsedMs: [] as number[] });
  }
  const time = async (run: () => Promise<unknown>) => {
    const startedAt = performance.now();
    await run();
    return performance.now() - startedAt;
  };
  for (let round = -1; round < rounds; round++) {
    for (const { repeats, baseline, repeated, feeds, elapsedMs } of programs) {
      const once = await time(() => baseline.run(feeds));
      const many = await time(() => repeated.run(feeds));
      if (round >= 0) elapsedMs.push((many - once) / repeats);
    }
  }
  for (const { baseline, repeated } of programs) {
    await baseline.release();
    await repeated.release();
  }
  const timed = programs.map(({ product, elapsedMs }) => ({ product, elapsedMs: median(elapsedMs) }));
  const work = products.reduce((total, product) => total + productFlops(product), 0);
  const totalMs = timed.reduce((total, { product, elapsedMs }) => total + elapsedMs * product.count, 0);
  return {
    gflopsPerSecond: work / totalMs / 1e6,
    products: timed.map(({ product, elapsedMs }) => ({
      ...product,
      gflopsPerSecond: productFlops({ ...product, count: 1 }) / elapsedMs / 1e6,
    })),
  };
}

/** `times` products of x with matrices of their own, of which only one element each is kept. */
function repeatedProduct({ batch, m, k, n, transposeA, transposeB }: MatrixProduct, times: number): Graph {
  const g = new GraphBuilder();
  const lead = batch === 1 ? [] : [batch];
  const a = g.input('a', 'float32', [...lead, ...(transposeA ? [k, m] : [m, k])]);
  const b = g.input('b', 'float32', [...lead, ...(transposeB ? [n, k] : [k, n])]);
  const kept: Node[] = [];
  for (let i = 0; i < times; i++) {
    // The scale makes each product a node of its own.
    let product = g.matmul(a, b, { transposeA, transposeB, scale: 1 + i / 1024 });
    for (let axis = 0; axis < product.shape.length; axis++) product = g.slice(product, axis, 0, 1);
    kept.push(g.reshape(product, [1]));
  }
  g.output('kept', g.concat(kept, 0));
  return g.build();
}

function operands({ batch, m, k, n, transposeA, transposeB }: MatrixProduct): Tensors {
  const lead = batch === 1 ? [] : [batch];
  const random = (shape: number[]) => {
    const size = shape.reduce((product, dim) => product * dim, 1);
    return { dtype: 'float32' as const, shape, data: Float32Array.from({ length: size }, (_, i) => Math.sin(i)) };
  };
  return {
    a: random([...lead, ...(transposeA ? [k, m] : [m, k])]),
    b: random([...lead, ...(transposeB ? [n, k] : [k, n])]),
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
