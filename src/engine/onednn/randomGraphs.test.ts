/**
 * Random graphs over shared memory: what is fused, overwritten or placed where another value was must not change a
 * result. Held against the interpreter; in loops of TypeScript everywhere, and in the library where it is.
 */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { GraphBuilder, type Node } from '../../graph/graph.js';
import { evaluateGraph, type Float64Tensor, float64Tensor } from '../../interpreter/evaluate.js';
import { RandomStream } from '../../random/philox.js';
import type { Engine, StateLayout, Tensors } from '../engine.js';
import { createLoopEngine, oneDnnMissing } from '../testEngines.js';
import { createOneDnnEngine } from './engine.node.js';

const SHAPE = [6, 6] as const;
const STATES = ['s0', 's1', 's2'] as const;
const INPUTS = ['x0', 'x1'] as const;

/** A node as a choice of an op and of its operands among the nodes before it. */
type Make = (g: GraphBuilder, a: Node, b: Node, c: Node) => Node;
const ops: readonly Make[] = [
  (g, a, b) => g.add(a, b),
  (g, a, b) => g.add(a, b),
  (g, a, b) => g.sub(a, b),
  (g, a, b) => g.mul(a, b),
  (g, a) => g.mul(a, g.scalar(0.5)),
  (g, a) => g.sub(g.scalar(1), a),
  (g, a, b) => g.div(a, g.add(g.mul(b, b), g.scalar(1))),
  (g, a) => g.tanh(a),
  (g, a) => g.gelu(a),
  (g, a) => g.neg(a),
  (g, a, b) => g.geluGrad(a, b),
  (g, a, b) => g.matmul(a, b, { scale: 0.25 }),
  (g, a, b) => g.matmul(a, b, { transposeA: true }),
  (g, a, b) => g.matmul(a, b, { transposeB: true }),
  (g, a) => g.transpose(a, [1, 0]),
  (g, a) => g.reshape(g.transpose(g.reshape(a, [2, 3, 6]), [1, 0, 2]), SHAPE),
  (g, a, b) => g.concat([g.slice(a, 0, 2, 6), g.slice(b, 0, 1, 3)], 0),
  (g, a) => g.softmax(a),
  (g, a, b) => g.softmaxGrad(g.softmax(a), b),
  (g, a, b) => g.add(a, g.reduceSum(b, [0], true)),
  (g, a, b) => g.mul(a, g.reduceMax(b, [1], true)),
  // Compared are fed values, which float32 and float64 order alike.
  (g, a, b) => g.where(g.less(g.input('x0', 'float32', SHAPE), g.input('x1', 'float32', SHAPE)), b, a),
  (g, a, b) => g.add(a, g.scatterAddRows(g.constant([3, 3, 0, 1, 5, 0], [6], 'int32'), b, 6)),
  (g, a) => g.gather(a, g.constant([5, 0, 0, 2, 1, 3], [6], 'int32')),
  (g, a, b, c) => g.layerNorm(a, g.reshape(g.slice(b, 0, 0, 1), [6]), g.reshape(g.slice(c, 0, 5, 6), [6]), 0.1),
  (g, a, b, c) => g.layerNormGradInput(a, g.reshape(g.slice(b, 0, 0, 1), [6]), c, 0.1),
  (g, a, b) => g.add(a, g.layerNormGradScale(a, b, 0.1)),
  (g, a) => g.mul(a, g.cast(g.less(g.scalar(0), a), 'float32')),
];

interface Choice {
  readonly op: number;
  readonly operands: readonly [number, number, number];
}
interface Recipe {
  readonly choices: readonly Choice[];
  /** Nodes that are outputs, and those that states become. */
  readonly outputs: readonly number[];
  readonly updates: readonly number[];
}

const recipes = fc.record({
  choices: fc.array(fc.record({ op: fc.nat(ops.length - 1), operands: fc.tuple(fc.nat(), fc.nat(), fc.nat()) }), {
    minLength: 1,
    maxLength: 14,
  }),
  outputs: fc.array(fc.nat(), { minLength: 1, maxLength: 2 }),
  updates: fc.array(fc.nat(), { maxLength: STATES.length }),
});

function build({ choices, outputs, updates }: Recipe) {
  const g = new GraphBuilder();
  const nodes: Node[] = [
    ...INPUTS.map((name) => g.input(name, 'float32', SHAPE)),
    ...STATES.map((name) => g.state(name, SHAPE)),
  ];
  // The latest nodes are the likeliest operands, so that chains come about.
  const operand = (choice: number) => nodes[nodes.length - 1 - (choice % Math.min(nodes.length, 6))];
  for (const { op, operands } of choices) {
    const made = ops[op](g, operand(operands[0]), operand(operands[1]), operand(operands[2]));
    // Bounded, so that values stay where float32 and float64 agree.
    nodes.push(nodes.length % 4 === 0 ? g.tanh(made) : made);
  }
  g.output('last', nodes.at(-1)!);
  for (const choice of outputs) g.output(`output ${choice}`, nodes[choice % nodes.length]);
  for (const [i, choice] of updates.entries()) g.update(STATES[i], nodes[nodes.length - 1 - (choice % nodes.length)]);
  return g.build();
}

const layout: StateLayout = {
  arenas: { all: 36 * STATES.length },
  slots: new Map(STATES.map((name, i) => [name, { arena: 'all', offset: 36 * i, shape: SHAPE }])),
};

/** Inputs and states begin within ± so much. */
const DRAWN_BOUND = 2;

function draw(seed: number, index: number, count = 36): Float32Array {
  const random = new RandomStream(seed, 'test', index);
  return Float32Array.from({ length: count }, () => DRAWN_BOUND * (2 * random.uniform() - 1));
}

function bounded(value: number): number {
  return DRAWN_BOUND * Math.tanh(value / DRAWN_BOUND);
}

async function expectAgreement(engine: Engine, recipe: Recipe, seed: number): Promise<void> {
  const graph = build(recipe);
  const feeds: Tensors = Object.fromEntries(
    INPUTS.map((name, i) => [name, { dtype: 'float32', shape: [...SHAPE], data: draw(seed, i) }]),
  );
  const start = draw(seed, 9, 36 * STATES.length);
  const state = await engine.createState(layout);
  await state.write('all', start);
  const program = await engine.compile(graph, { label: 'random', state });
  const asFloat64 = (data: Float32Array) => float64Tensor([...SHAPE], data);
  let before = new Map(STATES.map((name, i) => [name, asFloat64(start.subarray(36 * i, 36 * (i + 1)))]));
  // Twice, as the second run finds memory full of the first, and state where the first has left it: unless that is too
  // large. Of values in the hundreds a product and softmaxGrad make differences of like numbers, which float32 has lost.
  for (let run = 0; run < 2; run++) {
    const inputs = new Map(INPUTS.map((name) => [name as string, asFloat64(feeds[name].data as Float32Array)]));
    const expected = evaluateGraph(graph, inputs, before as Map<string, Float64Tensor>);
    const found = await program.run(feeds);
    for (const [name, { data }] of expected.outputs) expectClose(found[name].data, data, `run ${run}: ${name}`);
    const after = await state.read('all');
    for (const [i, name] of STATES.entries()) {
      const now = after.subarray(36 * i, 36 * (i + 1));
      expectClose(now, (expected.updates.get(name) ?? before.get(name)!).data, `run ${run}: state ${name}`);
    }
    const hasGrown = after.some((value) => Math.abs(value) > DRAWN_BOUND);
    const next = hasGrown ? after.map(bounded) : after;
    if (hasGrown) await state.write('all', next);
    before = new Map(STATES.map((name, i) => [name, asFloat64(next.subarray(36 * i, 36 * (i + 1)))]));
  }
  await program.release();
  await state.release();
}

function expectClose(found: ArrayLike<number>, expected: Float64Array, what: string): void {
  const scale = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
  expected.forEach((value, i) => {
    const difference = Math.abs(found[i] - value) / scale;
    if (!(difference <= 1e-3)) expect.fail(`${what}: element ${i} is ${found[i]}, the reference is ${value}`);
  });
}

type Row = readonly [op: number, a?: number, b?: number, c?: number];
const choicesOf = (rows: readonly Row[]): Choice[] =>
  rows.map(([op, a = 0, b = 0, c = 0]) => ({ op, operands: [a, b, c] }));

/** Graphs that once went wrong, each with a seed. */
const KNOWN: [recipe: Recipe, seed: number][] = [
  // x + c·s over s, by a step that reads c·s three times.
  [{ choices: choicesOf([[4, 2], [0], [0], [0, 1, 2], [0]]), outputs: [0], updates: [1] }, 0],
  // The same, where c·s is an output, and where it is another state.
  [{ choices: choicesOf([[0], [0], [0], [0], [4, 5], [0, 0, 1]]), outputs: [9], updates: [3, 0] }, 0],
  [
    {
      choices: choicesOf([
        [4, 2],
        [0, 5, 4],
        [0, 0, 1],
      ]),
      outputs: [0],
      updates: [0, 2],
    },
    0,
  ],
  // Two derivatives of a layer norm, the scale of the one computed from the other.
  [{ choices: choicesOf([[26, 3], [25, 4, 0, 1], [0]]), outputs: [0], updates: [] }, 0],
];

const engines: [string, () => Promise<Engine>, number][] = [
  ['plans in TypeScript', async () => createLoopEngine(), 500],
];
if (!oneDnnMissing) {
  engines.push(['onednn', () => createOneDnnEngine({ threads: 1, precision: 'fp32' }), 250]);
}

describe.each(engines)('random graphs in %s', (_name, create, numRuns) => {
  let engine: Engine | undefined;
  afterAll(() => engine?.close());

  it('have the results and leave the state of the interpreter', async () => {
    engine = await create();
    await fc.assert(
      fc.asyncProperty(recipes, fc.nat(1000), (recipe, seed) => expectAgreement(engine!, recipe, seed)),
      { numRuns, examples: KNOWN },
    );
  }, 300_000);
});
