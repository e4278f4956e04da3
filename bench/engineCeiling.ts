/**
 * The engine's own speed at matrix products, without anything around them: the ceiling that a training step is held
 * against. Built from our ops and run through the Engine interface, so it is the same code path. Results do not leave the
 * engine: returning them (or keeping them as state) makes copies that cost more than many a product, and a ceiling that
 * counts them is lower than what a step reaches.
 */
import type { Engine, EngineState, Program, StateLayout, StateSlot } from '../src/engine/engine.js';
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

/** Work of one call: enough that calling costs less than a hundredth of it. */
const FLOPS_A_CALL = 4e9;
/** Distinct left operands, as a step has them: they come from memory, not from the cache of the run before. */
const MOST_OPERANDS = 48;

interface RepeatedProduct {
  readonly product: MatrixProduct;
  readonly repeats: number;
  readonly program: Program;
  readonly state: EngineState;
  readonly elapsedMs: number[];
}

/**
 * Measures every kind of product, alternating over them so that a busy moment of the machine falls on all, and takes
 * medians.
 * @param rounds  measurements of each product
 */
export async function matmulCeiling(engine: Engine, products: readonly MatrixProduct[], rounds = 5): Promise<Ceiling> {
  const kinds: RepeatedProduct[] = [];
  for (const product of products) kinds.push(await compileRepeated(engine, product));
  for (const { program } of kinds) await program.run({}); // warms up
  for (let round = 0; round < rounds; round++) {
    for (const { program, repeats, elapsedMs } of kinds) {
      const startedAt = performance.now();
      for (let done = 0; done < repeats; done += MOST_OPERANDS) await program.run({});
      elapsedMs.push((performance.now() - startedAt) / repeats);
    }
  }
  for (const { program, state } of kinds) {
    await program.release();
    await state.release();
  }
  const work = products.reduce((total, product) => total + productFlops(product), 0);
  const totalMs = kinds.reduce((total, { product, elapsedMs }) => total + median(elapsedMs) * product.count, 0);
  return {
    gflopsPerSecond: work / totalMs / 1e6,
    products: kinds.map(({ product, elapsedMs }) => ({
      ...product,
      gflopsPerSecond: productFlops({ ...product, count: 1 }) / median(elapsedMs) / 1e6,
    })),
  };
}

async function compileRepeated(engine: Engine, product: MatrixProduct): Promise<RepeatedProduct> {
  const wanted = Math.ceil(FLOPS_A_CALL / productFlops({ ...product, count: 1 }));
  const operands = Math.min(wanted, MOST_OPERANDS);
  const { graph, layout } = repeatedProduct(product, operands);
  const state = await engine.createState(layout);
  for (const [arena, length] of Object.entries(layout.arenas)) {
    await state.write(
      arena,
      Float32Array.from({ length }, (_, i) => ((i * 7919) % 2003) / 1001 - 1),
    );
  }
  const program = await engine.compile(graph, { label: `product ${product.m}x${product.k}x${product.n}`, state });
  return { product, repeats: Math.ceil(wanted / operands) * operands, program, state, elapsedMs: [] };
}

/** Products of distinct left operands with one right operand; one element of each is kept, so that all are computed. */
function repeatedProduct(product: MatrixProduct, operands: number): { graph: Graph; layout: StateLayout } {
  const { batch, m, k, n, transposeA, transposeB } = product;
  const lead = batch === 1 ? [] : [batch];
  const left = [...lead, ...(transposeA ? [k, m] : [m, k])];
  const right = [...lead, ...(transposeB ? [n, k] : [k, n])];
  const slots = new Map<string, StateSlot>([['right', { arena: 'rights', offset: 0, shape: right }]]);
  const g = new GraphBuilder();
  const kept: Node[] = [];
  for (let i = 0; i < operands; i++) {
    slots.set(`left ${i}`, { arena: 'lefts', offset: i * batch * m * k, shape: left });
    let value = g.matmul(g.state(`left ${i}`, left), g.state('right', right), { transposeA, transposeB });
    value.shape.forEach((_, axis) => {
      value = g.slice(value, axis, 0, 1);
    });
    kept.push(g.reshape(value, [1]));
  }
  g.output('kept', g.concat(kept, 0));
  return { graph: g.build(), layout: { arenas: { lefts: operands * batch * m * k, rights: batch * k * n }, slots } };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
