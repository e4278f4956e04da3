import { describe, expect, it } from 'vitest';
import { checkGraph } from '../graph/check.js';
import { GraphBuilder, type Node } from '../graph/graph.js';
import type { OpName } from '../graph/ops.js';
import { evaluateGraph, type Float64Tensor, float64Tensor } from '../interpreter/evaluate.js';
import { RandomStream } from '../random/philox.js';
import { gradients } from './gradients.js';

type Operands = Record<string, readonly number[]>;
/** Shapes of the operands to differentiate by, and the value built from them. */
interface Case {
  readonly operands: Operands;
  readonly positive?: boolean;
  readonly build: (g: GraphBuilder, operands: Record<string, Node>) => Node;
}

const pair = (f: (g: GraphBuilder) => (a: Node, b: Node) => Node, options: { positive?: boolean } = {}): Case[] =>
  [
    { a: [2, 3], b: [2, 3] },
    { a: [2, 3], b: [3] },
    { a: [2, 1, 3], b: [4, 1] },
    { a: [], b: [2, 2] },
  ].map((operands) => ({ operands: operands as Operands, ...options, build: (g, { a, b }) => f(g)(a, b) }));

const single = (f: (g: GraphBuilder) => (x: Node) => Node, options: { positive?: boolean } = {}): Case[] => [
  { operands: { x: [3, 4] }, ...options, build: (g, { x }) => f(g)(x) },
];

/** No derivative exists or is wanted: nothing to compare, which the tests below state on their own. */
const constant: Case[] = [];

const cases: Record<OpName, Case[]> = {
  input: constant,
  state: single(() => (x) => x),
  constant,
  fill: constant,
  add: pair((g) => g.add),
  sub: pair((g) => g.sub),
  mul: pair((g) => g.mul),
  div: pair((g) => g.div, { positive: true }),
  equal: constant,
  less: constant,
  neg: single((g) => g.neg),
  exp: single((g) => g.exp),
  log: single((g) => g.log, { positive: true }),
  sqrt: single((g) => g.sqrt, { positive: true }),
  tanh: single((g) => g.tanh),
  sigmoid: single((g) => g.sigmoid),
  softplus: single((g) => g.softplus),
  floor: single((g) => (x) => g.add(x, g.floor(g.mul(x, g.scalar(0.01))))),
  gelu: single((g) => g.gelu),
  geluGrad: constant,
  cast: single((g) => (x) => g.mul(x, g.cast(g.cast(g.less(x, g.scalar(9)), 'int32'), 'float32'))),
  where: [
    {
      operands: { a: [2, 3], b: [3] },
      build: (g, { a, b }) => g.where(g.constant([1, 0, 0, 0, 1, 0], [2, 3], 'bool'), a, b),
    },
    { operands: { a: [], b: [2, 2] }, build: (g, { a, b }) => g.where(g.constant([1, 0], [2], 'bool'), a, b) },
  ],
  stopGradient: single((g) => (x) => g.add(x, g.stopGradient(g.mul(x, g.scalar(0))))),
  reshape: single((g) => (x) => g.reshape(x, [2, 6])),
  transpose: [
    { operands: { x: [2, 3, 4] }, build: (g, { x }) => g.transpose(x, [2, 0, 1]) },
    { operands: { x: [2, 3] }, build: (g, { x }) => g.transpose(x, [1, 0]) },
  ],
  expand: [{ operands: { x: [3, 1] }, build: (g, { x }) => g.expand(x, [2, 3, 4]) }],
  slice: [
    { operands: { x: [3, 5] }, build: (g, { x }) => g.slice(x, 1, 1, 4) },
    { operands: { x: [3, 5] }, build: (g, { x }) => g.slice(x, 0, 0, 2) },
  ],
  sliceGrad: [
    { operands: { x: [3, 2] }, build: (g, { x }) => g.sliceGrad(x, [3, 6], 1, 3) },
    { operands: { x: [1, 2] }, build: (g, { x }) => g.sliceGrad(x, [4, 2], 0, 0) },
  ],
  concat: [{ operands: { a: [2, 3], b: [2, 1] }, build: (g, { a, b }) => g.concat([a, b, a], 1) }],
  reduceSum: [
    { operands: { x: [2, 3, 4] }, build: (g, { x }) => g.reduceSum(x, [0, 2]) },
    { operands: { x: [2, 3, 4] }, build: (g, { x }) => g.reduceSum(x, [1], true) },
    { operands: { x: [2, 3] }, build: (g, { x }) => g.reduceSum(x) },
  ],
  reduceMax: [{ operands: { x: [4, 5] }, build: (g, { x }) => g.reduceMax(x, [1]) }],
  argMax: constant,
  sampleRows: constant,
  cumulativeSum: [
    { operands: { x: [3, 5] }, build: (g, { x }) => g.cumulativeSum(x) },
    { operands: { x: [3, 5] }, build: (g, { x }) => g.cumulativeSum(x, true) },
  ],
  matmul: [false, true].flatMap((transposeA) =>
    [false, true].flatMap((transposeB) => [
      {
        operands: { a: transposeA ? [4, 2] : [2, 4], b: transposeB ? [3, 4] : [4, 3] },
        build: (g: GraphBuilder, { a, b }: Record<string, Node>) =>
          g.matmul(a, b, { transposeA, transposeB, scale: 0.7 }),
      },
      {
        operands: { a: transposeA ? [2, 2, 4, 3] : [2, 2, 3, 4], b: transposeB ? [2, 2, 5, 4] : [2, 2, 4, 5] },
        build: (g: GraphBuilder, { a, b }: Record<string, Node>) => g.matmul(a, b, { transposeA, transposeB }),
      },
    ]),
  ),
  linear: [{ operands: { x: [5, 3], w: [4, 3], b: [4] }, build: (g, { x, w, b }) => g.linear(x, w, b) }],
  softmax: [{ operands: { x: [3, 5] }, build: (g, { x }) => g.softmax(x) }],
  softmaxGrad: constant,
  softmaxCrossEntropy: [
    { operands: { x: [4, 6] }, build: (g, { x }) => g.softmaxCrossEntropy(x, g.constant([0, 5, 2, 2], [4], 'int32')) },
  ],
  softmaxCrossEntropyGrad: constant,
  layerNorm: [
    { operands: { x: [4, 6], s: [6], b: [6] }, build: (g, { x, s, b }) => g.layerNorm(x, s, b, 1e-12) },
    { operands: { x: [2, 3, 4], s: [4], b: [4] }, build: (g, { x, s, b }) => g.layerNorm(x, s, b, 0.1) },
  ],
  layerNormGradInput: constant,
  layerNormGradScale: constant,
  gather: [
    { operands: { t: [5, 3] }, build: (g, { t }) => g.gather(t, g.constant([4, 0, 4, 2], [4], 'int32')) },
    { operands: { t: [5, 3] }, build: (g, { t }) => g.gather(t, g.constant([4, 0, 4, 2], [2, 2], 'int32')) },
  ],
  scatterAddRows: [
    { operands: { u: [4, 3] }, build: (g, { u }) => g.scatterAddRows(g.constant([1, 0, 1, 4], [4], 'int32'), u, 6) },
  ],
  scatter: [true, false].map((add) => ({
    operands: { x: [6], u: [3] },
    build: (g: GraphBuilder, { x, u }: Record<string, Node>) =>
      g.scatter(x, g.constant([5, 0, 2], [3], 'int32'), u, { add }),
  })),
  pick: [{ operands: { x: [4, 3] }, build: (g, { x }) => g.pick(x, g.constant([2, 0, 0, 1], [4], 'int32')) }],
  oneHot: constant,
};

function randomTensor(shape: readonly number[], stream: RandomStream, positive = false): Float64Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return float64Tensor(
    shape,
    Float64Array.from({ length: size }, () => (positive ? 0.5 + stream.uniform() : stream.normal())),
  );
}

/** Largest |analytic − numeric| / max(1, |numeric|) over all operands of Σ c·y with random c. */
function worstError({ operands, positive, build }: Case, seed: number): number {
  const g = new GraphBuilder();
  const nodes = Object.fromEntries(Object.entries(operands).map(([name, shape]) => [name, g.state(name, shape)]));
  const y = build(g, nodes);
  const stream = new RandomStream(seed, 'test');
  const weights = randomTensor(y.shape as number[], stream);
  const loss = g.reduceSum(g.mul(y, g.constant(Array.from(weights.data), weights.shape)));
  g.output('loss', loss);
  const derivatives = gradients(g, loss, Object.values(nodes));
  for (const [name, node] of Object.entries(nodes)) g.output(`d${name}`, derivatives.get(node)!);
  const graph = g.build();
  checkGraph(graph, 'differentiation');
  const state = new Map(Object.entries(operands).map(([name, shape]) => [name, randomTensor(shape, stream, positive)]));
  const at = () => evaluateGraph(graph, new Map(), state).outputs;
  const analytic = at();
  let worst = 0;
  for (const [name, tensor] of state) {
    tensor.data.forEach((value, i) => {
      const h = 1e-5;
      tensor.data[i] = value + h;
      const above = at().get('loss')!.data[0];
      tensor.data[i] = value - h;
      const below = at().get('loss')!.data[0];
      tensor.data[i] = value;
      const numeric = (above - below) / (2 * h);
      worst = Math.max(worst, Math.abs(analytic.get(`d${name}`)!.data[i] - numeric) / Math.max(1, Math.abs(numeric)));
    });
  }
  return worst;
}

describe('derivative rules agree with central differences in float64', () => {
  for (const [op, list] of Object.entries(cases)) {
    list.forEach((example, i) => {
      it(`${op} ${Object.values(example.operands)
        .map((shape) => `[${shape}]`)
        .join(' ')}`, () => {
        expect(worstError(example, 1000 + i)).toBeLessThan(2e-8);
      });
    });
  }

  it('finds a wrong derivative (the comparison can fail)', () => {
    const wrong: Case = { operands: { x: [3] }, build: (g, { x }) => g.add(x, g.stopGradient(g.mul(x, x))) };
    expect(worstError(wrong, 1)).toBeGreaterThan(0.1);
  });
});

describe('gradients', () => {
  it('are zeros for a parameter that the loss does not depend on', () => {
    const g = new GraphBuilder();
    const used = g.state('used', [2]);
    const unused = g.state('unused', [3]);
    const found = gradients(g, g.reduceSum(used), [used, unused]);
    g.output('unused', found.get(unused)!);
    const result = evaluateGraph(
      g.build(),
      new Map(),
      new Map([
        ['used', float64Tensor([2], [1, 2])],
        ['unused', float64Tensor([3], [0, 0, 0])],
      ]),
    );
    expect([...result.outputs.get('unused')!.data]).toEqual([0, 0, 0]);
  });

  it('go back to their places through a slice of an axis whose size is known at run time only', () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', ['batch', 'length', 2]);
    const second = g.slice(x, 1, 1, 2);
    g.output('dx', gradients(g, g.reduceSum(g.mul(second, second)), [x]).get(x)!);
    const values = float64Tensor([2, 3, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    const { outputs } = evaluateGraph(g.build(), new Map([['x', values]]), new Map());
    expect([...outputs.get('dx')!.data]).toEqual([0, 0, 6, 8, 0, 0, 0, 0, 18, 20, 0, 0]);
  });

  it('pass nothing through stopGradient', () => {
    const g = new GraphBuilder();
    const x = g.state('x', [2]);
    const found = gradients(g, g.reduceSum(g.mul(x, g.stopGradient(x))), [x]);
    g.output('dx', found.get(x)!);
    const result = evaluateGraph(g.build(), new Map(), new Map([['x', float64Tensor([2], [3, 4])]]));
    expect([...result.outputs.get('dx')!.data]).toEqual([3, 4]);
  });

  it('refuse a loss that is no scalar', () => {
    const g = new GraphBuilder();
    const x = g.state('x', [2]);
    expect(() => gradients(g, x, [x])).toThrow('the loss is [2], expected a scalar');
  });
});
