/**
 * The ceiling of a step: how fast the same engine computes the step's matrix products when it computes nothing else.
 * Built from our ops and run through the Engine interface, so it is the same code path.
 *
 * Results do not leave the engine. Tried and dropped: results as state, which the runtime's binding copies on every run;
 * that ceiling came out so low that a step reached 136 % of it. Operands are distinct and more than a last-level cache
 * holds, since a step does not find its operands in a cache either.
 */
import type { Engine, EngineState, Program, StateLayout, StateSlot } from '../src/engine/engine.js';
import { type Graph, GraphBuilder, type Node } from '../src/graph/graph.js';
import { type MatrixProduct, productFlops } from '../src/models/flops.js';
import { RandomStream } from '../src/random/philox.js';

export interface ProductCeiling {
  /** Measures once. @returns GFLOP/s over the products, each as often as it occurs */
  measure(): Promise<number>;
  release(): Promise<void>;
}

/** Work of one measurement of a product: calling costs less than a hundredth of it. */
const LEAST_FLOPS = 4e9;
/** Room for operands, which all products share: 128 MiB of float32. */
const ARENA_LENGTH = 2 ** 25;
/** Products of one program; more only make the graph longer. */
const MOST_PAIRS = 48;
/** Operands start at multiples of 64 bytes, as a runtime's own buffers do. */
const ALIGNMENT = 16;

/** One kind of product: its operands in the arena, and how often its program runs in one measurement. */
interface ProductPlan {
  readonly product: MatrixProduct;
  readonly pairs: number;
  readonly calls: number;
}

interface CompiledProduct extends ProductPlan {
  readonly program: Program;
}

/**
 * @param products  with their counts, as `matrixProducts` of a training graph gives them
 * @param now       a clock in milliseconds
 */
export async function createProductCeiling(
  engine: Engine,
  products: readonly MatrixProduct[],
  now = () => performance.now(),
): Promise<ProductCeiling> {
  const plans = products.map(planOf);
  const state = await createOperands(engine, plans);
  const kinds: CompiledProduct[] = [];
  for (const [kind, plan] of plans.entries()) {
    const { m, k, n } = plan.product;
    const graph = productsGraph(plan, kind);
    kinds.push({ ...plan, program: await engine.compile(graph, { label: `product ${m}×${k}×${n}`, state }) });
  }
  for (const { program } of kinds) await program.run({}); // warms up
  return {
    async measure() {
      let flops = 0;
      let elapsedMs = 0;
      for (const kind of kinds) {
        elapsedMs += (await msPerProduct(kind, now)) * kind.product.count;
        flops += productFlops(kind.product);
      }
      return flops / elapsedMs / 1e6;
    },
    async release() {
      for (const { program } of kinds) await program.release();
      await state.release();
    },
  };
}

async function msPerProduct({ program, pairs, calls }: CompiledProduct, now: () => number): Promise<number> {
  const startedAt = now();
  for (let call = 0; call < calls; call++) await program.run({});
  return (now() - startedAt) / (calls * pairs);
}

function planOf(product: MatrixProduct): ProductPlan {
  const wanted = Math.ceil(LEAST_FLOPS / productFlops({ ...product, count: 1 }));
  const fitting = Math.max(1, Math.floor(ARENA_LENGTH / pairLength(product)));
  const pairs = Math.min(wanted, fitting, MOST_PAIRS);
  return { product, pairs, calls: Math.ceil(wanted / pairs) };
}

function aligned(length: number): number {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT;
}

/** Elements of a left and a right operand. */
function pairLength({ batch, m, k, n }: MatrixProduct): number {
  return aligned(batch * m * k) + aligned(batch * k * n);
}

function operandShapes({ batch, m, k, n, transposeA, transposeB }: MatrixProduct) {
  const lead = batch === 1 ? [] : [batch];
  return { left: [...lead, ...(transposeA ? [k, m] : [m, k])], right: [...lead, ...(transposeB ? [n, k] : [k, n])] };
}

const operandName = (side: 'left' | 'right', kind: number, pair: number) => `${side} ${pair} of product ${kind}`;

/** One arena in which the operands of every product begin at 0: only one product runs at a time, and none is written. */
async function createOperands(engine: Engine, plans: readonly ProductPlan[]): Promise<EngineState> {
  const slots = new Map<string, StateSlot>();
  for (const [kind, { product, pairs }] of plans.entries()) {
    const { batch, m, k } = product;
    const { left, right } = operandShapes(product);
    for (let pair = 0; pair < pairs; pair++) {
      const offset = pair * pairLength(product);
      slots.set(operandName('left', kind, pair), { arena: 'operands', offset, shape: left });
      slots.set(operandName('right', kind, pair), {
        arena: 'operands',
        offset: offset + aligned(batch * m * k),
        shape: right,
      });
    }
  }
  const length = Math.max(...plans.map(({ product, pairs }) => pairs * pairLength(product)));
  const layout: StateLayout = { arenas: { operands: length }, slots };
  const state = await engine.createState(layout);
  await state.write('operands', repeatedNormals(length));
  return state;
}

/** A thousand draws again and again: drawing millions would take longer than the benchmark. */
function repeatedNormals(length: number): Float32Array {
  const random = new RandomStream(0, 'test');
  const values = new Float32Array(length);
  let filled = Math.min(length, 1009);
  for (let i = 0; i < filled; i++) values[i] = random.normal();
  for (; filled < length; filled *= 2) values.copyWithin(filled, 0, filled);
  return values;
}

/** Products of distinct operands (equal nodes would run once). One element of each is kept, so that none is dead code. */
function productsGraph({ product, pairs }: ProductPlan, kind: number): Graph {
  const { transposeA, transposeB } = product;
  const shapes = operandShapes(product);
  const g = new GraphBuilder();
  const kept: Node[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const left = g.state(operandName('left', kind, pair), shapes.left);
    const right = g.state(operandName('right', kind, pair), shapes.right);
    kept.push(firstElement(g, g.matmul(left, right, { transposeA, transposeB })));
  }
  g.output('kept', g.concat(kept, 0));
  return g.build();
}

function firstElement(g: GraphBuilder, value: Node): Node {
  let first = value;
  for (const axis of value.shape.keys()) first = g.slice(first, axis, 0, 1);
  return g.reshape(first, [1]);
}
