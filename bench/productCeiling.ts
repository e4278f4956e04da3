/**
 * The ceiling of a step: how fast the same engine computes the step's matrix products when it computes nothing else.
 * Operands and results lie in the engine's state, as in training, so that no copy counts.
 */
import type { Engine, EngineState, Program, StateLayout, StateSlot } from '../src/engine/engine.js';
import { type Graph, GraphBuilder } from '../src/graph/graph.js';
import { type MatrixProduct, productFlops } from '../src/models/flops.js';
import { RandomStream } from '../src/random/philox.js';

export interface ProductCeiling {
  /** Measures once. @returns GFLOP/s over the products, each as often as it occurs */
  measure(): Promise<number>;
  release(): Promise<void>;
}

/** Work of one call: enough that calling costs less than a hundredth of it. */
const FLOPS_A_CALL = 2e9;

/** One kind of product, compiled to be repeated. */
interface RepeatedProduct {
  readonly product: MatrixProduct;
  readonly repeats: number;
  readonly program: Program;
  readonly state: EngineState;
}

/** @param products  with their counts, as `matrixProducts` of a training graph gives them */
export async function createProductCeiling(
  engine: Engine,
  products: readonly MatrixProduct[],
): Promise<ProductCeiling> {
  const kinds: RepeatedProduct[] = [];
  for (const product of products) kinds.push(await compileRepeated(engine, product));
  for (const { program } of kinds) await program.run({}); // warms up
  return {
    async measure() {
      let flops = 0;
      let elapsedMs = 0;
      for (const { product, repeats, program } of kinds) {
        const startedAt = performance.now();
        await program.run({});
        elapsedMs += ((performance.now() - startedAt) / repeats) * product.count;
        flops += productFlops(product);
      }
      return flops / elapsedMs / 1e6;
    },
    async release() {
      for (const { program, state } of kinds) {
        await program.release();
        await state.release();
      }
    },
  };
}

async function compileRepeated(engine: Engine, product: MatrixProduct): Promise<RepeatedProduct> {
  const { m, k, n, count } = product;
  const repeats = Math.ceil(FLOPS_A_CALL / (productFlops(product) / count));
  const { graph, layout } = repeatedProduct(product, repeats);
  const state = await engine.createState(layout);
  const random = new RandomStream(0, 'test');
  for (const [arena, length] of Object.entries(layout.arenas)) {
    if (arena === 'results') continue;
    await state.write(arena, repeatedNormals(length, random));
  }
  const program = await engine.compile(graph, { label: `product ${m}x${k}x${n}`, state });
  return { product, repeats, program, state };
}

/** A thousand draws again and again: drawing millions would take longer than the benchmark. */
function repeatedNormals(length: number, random: RandomStream): Float32Array {
  const values = new Float32Array(length);
  let filled = Math.min(length, 1009);
  for (let i = 0; i < filled; i++) values[i] = random.normal();
  for (; filled < length; filled *= 2) values.copyWithin(filled, 0, filled);
  return values;
}

/** `repeats` products of distinct left operands (equal nodes would run once) with one right operand. */
function repeatedProduct(product: MatrixProduct, repeats: number): { graph: Graph; layout: StateLayout } {
  const { batch, m, k, n, transposeA, transposeB } = product;
  const lead = batch === 1 ? [] : [batch];
  const left = [...lead, ...(transposeA ? [k, m] : [m, k])];
  const right = [...lead, ...(transposeB ? [n, k] : [k, n])];
  const g = new GraphBuilder();
  const slots = new Map<string, StateSlot>([['right', { arena: 'rights', offset: 0, shape: right }]]);
  for (let i = 0; i < repeats; i++) {
    slots.set(`left ${i}`, { arena: 'lefts', offset: i * batch * m * k, shape: left });
    slots.set(`result ${i}`, { arena: 'results', offset: i * batch * m * n, shape: [...lead, m, n] });
    g.update(`result ${i}`, g.matmul(g.state(`left ${i}`, left), g.state('right', right), { transposeA, transposeB }));
  }
  const arenas = { lefts: repeats * batch * m * k, rights: batch * k * n, results: repeats * batch * m * n };
  return { graph: g.build(), layout: { arenas, slots } };
}
