import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { evaluateShape, namesIn, type Shape } from '../graph/dimensions.js';
import { type Graph, GraphBuilder, type Node, nodesOf } from '../graph/graph.js';
import type { DType, OpName } from '../graph/ops.js';
import { evaluateGraph, float64Tensor } from '../interpreter/evaluate.js';
import { RandomStream } from '../random/philox.js';
import type { Engine, Tensor, Tensors } from './engine.js';
import { ENGINES } from './testEngines.js';

/** An operand to feed: its type, its shape (with named sizes), and what its values may be. */
interface Operand {
  readonly shape: Shape;
  readonly dtype?: DType;
  /** Values lie in from..to; −2..2 by default. */
  readonly range?: readonly [number, number];
}

/** One use of an op: operands to feed and the node to make of them. */
interface Case {
  readonly operands: readonly Operand[];
  readonly make: (g: GraphBuilder, operands: readonly Node[]) => Node;
}

const float = (...shape: Shape): Operand => ({ shape });
const between = (from: number, to: number, ...shape: Shape): Operand => ({ shape, range: [from, to] });
const ids = (count: number, ...shape: Shape): Operand => ({ shape, dtype: 'int32', range: [0, count] });
const flags = (...shape: Shape): Operand => ({ shape, dtype: 'bool', range: [0, 2] });

/** Every shape that broadcasting must handle: equal, stretched on either side, missing axes, scalars, size-1 axes. */
const BROADCASTS: [Shape, Shape][] = [
  [
    ['batch', 3],
    ['batch', 3],
  ],
  [['batch', 3], [3]],
  [[3], ['batch', 3]],
  [
    ['batch', 1],
    [1, 4],
  ],
  [['batch', 3], []],
  [
    [1, 1],
    [1, 1],
  ],
  [
    ['batch', 2, 'length', 3],
    ['batch', 1, 1, 3],
  ],
];

function unary(
  op: 'neg' | 'exp' | 'log' | 'sqrt' | 'tanh' | 'sigmoid' | 'softplus' | 'floor' | 'gelu',
  from = -4,
  to = 4,
): Case[] {
  const shapes: Shape[] = [['batch', 'length', 5], [1], []];
  return shapes.map((shape) => ({ operands: [between(from, to, ...shape)], make: (g, [x]) => g[op](x) }));
}

function binary(op: 'add' | 'sub' | 'mul' | 'div' | 'equal' | 'less'): Case[] {
  const positive = op === 'div';
  const floats = BROADCASTS.map(
    ([a, b]): Case => ({
      operands: [float(...a), positive ? between(0.5, 2, ...b) : float(...b)],
      make: (g, [x, y]) => g[op](x, y),
    }),
  );
  const integers: Case = {
    operands: [ids(9, 'batch', 3), { shape: [3], dtype: 'int32', range: [1, 5] }],
    make: (g, [x, y]) => g[op](x, y),
  };
  const stretched: Case[] = [
    { operands: [between(0.5, 2, 'batch', 3)], make: (g, [x]) => g[op](x, g.fill(['batch', 3], 0.75)) },
    { operands: [between(0.5, 2, 'batch', 3)], make: (g, [x]) => g[op](g.fill(['batch', 3], 0.75), x) },
    {
      operands: [between(0.5, 2, 'batch', 3), between(0.5, 2, 3)],
      make: (g, [x, y]) => g[op](g.expand(y, ['batch', 3]), x),
    },
    {
      operands: [between(0.5, 2, 'batch', 1), between(0.5, 2, 3)],
      make: (g, [x, y]) => g[op](g.expand(x, ['batch', 3]), g.expand(y, ['batch', 3])),
    },
  ];
  return [...floats, integers, ...stretched];
}

function reductions(op: 'reduceSum' | 'reduceMax'): Case[] {
  const axes = [[0], [1], [2], [0, 1], [0, 1, 2], []];
  return [true, false].flatMap((keepDims) =>
    axes.map((some): Case => ({ operands: [float('batch', 'length', 3)], make: (g, [x]) => g[op](x, some, keepDims) })),
  );
}

function products(): Case[] {
  const lead: Shape[] = [[], ['batch'], ['batch', 2]];
  const flips = [false, true];
  return lead.flatMap((axes) =>
    flips.flatMap((transposeA) =>
      flips.flatMap((transposeB) =>
        [1, 0.25].map(
          (scale): Case => ({
            operands: [
              float(...axes, ...(transposeA ? [3, 'length'] : ['length', 3])),
              float(...axes, ...(transposeB ? [4, 3] : [3, 4])),
            ],
            make: (g, [a, b]) => g.matmul(a, b, { transposeA, transposeB, scale }),
          }),
        ),
      ),
    ),
  );
}

/** Products of attention, whose heads lie side by side in [B, S, A·D]: of one text and several, of one head and several. */
function attentionProducts(): Case[] {
  const counts: [texts: 1 | 'batch', heads: number][] = [
    [1, 3],
    [1, 1],
    ['batch', 3],
    ['batch', 1],
  ];
  return counts.map(([texts, heads]): Case => {
    const operand = float(texts, 'length', heads, 4);
    return {
      operands: [operand, operand, operand, float(texts, 1, 1, 'length')],
      make(g, [query, key, value, bias]) {
        const [q, k, v] = [query, key, value].map((each) => g.transpose(each, [0, 2, 1, 3]));
        const scores = g.add(g.matmul(q, k, { transposeB: true, scale: 0.5 }), bias);
        return g.transpose(g.matmul(scores, v), [0, 2, 1, 3]);
      },
    };
  });
}

const EPSILON = 1e-12;
/** Cross entropy of ordinary logits, and of some so far apart that a probability underflows. */
const LOGITS: Operand[] = [float('batch', 7), between(-300, 300, 'batch', 7), float(1, 3)];
const rowsOfLogits = (logits: Operand): Shape => logits.shape.slice(0, 1);

const cases: Record<OpName, Case[]> = {
  input: [{ operands: [float('batch')], make: (_g, [x]) => x }],
  state: [{ operands: [float('batch')], make: (g, [x]) => g.mul(x, g.state('scale', [1])) }],
  constant: [
    { operands: [], make: (g) => g.constant([1, -2, 3.5, 4], [2, 2]) },
    { operands: [], make: (g) => g.constant([1, -2], [2], 'int32') },
    { operands: [], make: (g) => g.scalar(7) },
  ],
  fill: [
    { operands: [float('batch', 2)], make: (g) => g.fill(['batch', 3], 1.5) },
    { operands: [float('batch', 'length')], make: (g) => g.fill(['2*batch*length'], -1) },
    { operands: [], make: (g) => g.fill([2, 2], 4) },
  ],
  add: [
    ...binary('add'),
    {
      operands: [float(5, 2), ids(5, 'length'), float('length', 2), float(5, 2)],
      make: (g, [a, at, rows, b]) => g.add(g.add(a, g.scatterAddRows(at, rows, 5)), b),
    },
    {
      operands: [ids(5, 'length'), float('length', 2)],
      make: (g, [at, rows]) => g.add(g.scatterAddRows(at, rows, 5), g.scatterAddRows(at, g.mul(rows, rows), 5)),
    },
    { operands: [float('batch', 3), float(3, 4), float('batch', 4)], make: (g, [a, b, c]) => g.add(c, g.matmul(a, b)) },
  ],
  sub: binary('sub'),
  mul: binary('mul'),
  div: binary('div'),
  equal: binary('equal'),
  less: binary('less'),
  neg: unary('neg'),
  exp: unary('exp'),
  log: unary('log', 0.1, 9),
  sqrt: unary('sqrt', 0, 9),
  tanh: unary('tanh'),
  sigmoid: unary('sigmoid', -30, 30),
  softplus: unary('softplus', -10, 100),
  floor: unary('floor'),
  gelu: unary('gelu'),
  geluGrad: [
    { operands: [between(-6, 6, 'batch', 50), float('batch', 50)], make: (g, [x, dy]) => g.geluGrad(x, dy) },
    { operands: [float(1), float(1)], make: (g, [x, dy]) => g.add(g.gelu(x), g.geluGrad(x, dy)) },
  ],
  cast: [
    { operands: [float('batch')], make: (g, [x]) => g.cast(x, 'int32') },
    { operands: [ids(3, 'batch')], make: (g, [x]) => g.cast(x, 'float32') },
    { operands: [ids(3, 'batch')], make: (g, [x]) => g.cast(x, 'bool') },
    { operands: [flags('batch')], make: (g, [x]) => g.cast(x, 'float32') },
    { operands: [flags('batch')], make: (g, [x]) => g.cast(x, 'int32') },
  ],
  where: [
    { operands: [flags('batch', 3), float('batch', 3), float(3)], make: (g, [c, a, b]) => g.where(c, a, b) },
    { operands: [flags('batch', 1), float(3), float()], make: (g, [c, a, b]) => g.where(c, a, b) },
    { operands: [flags('batch'), ids(4, 'batch'), ids(4, 'batch')], make: (g, [c, a, b]) => g.where(c, a, b) },
    { operands: [flags('batch', 3)], make: (g, [c]) => g.where(c, g.fill(['batch', 3], 1), g.fill(['batch', 3], -1)) },
  ],
  stopGradient: [{ operands: [float('batch')], make: (g, [x]) => g.add(x, g.stopGradient(x)) }],

  reshape: [
    { operands: [float('batch', 'length', 6)], make: (g, [x]) => g.reshape(x, ['batch', 'length', 2, 3]) },
    { operands: [float('batch', 'length', 6)], make: (g, [x]) => g.reshape(x, ['batch*length', 6]) },
    {
      operands: [float('batch', 'length', 6)],
      make: (g, [x]) => g.reshape(g.reshape(x, ['batch*length', 6]), ['batch', 'length', 6]),
    },
    {
      operands: [float('batch', 'length', 6)],
      make: (g, [x]) => g.reshape(g.transpose(x, [1, 0, 2]), ['6*length', 'batch']),
    },
    { operands: [float(2, 3)], make: (g, [x]) => g.reshape(x, [3, 2, 1]) },
    { operands: [float(1, 1)], make: (g, [x]) => g.reshape(x, []) },
    { operands: [ids(5, 'batch')], make: (g, [x]) => g.reshape(x, ['batch', 1, 1]) },
  ],
  transpose: [
    { operands: [float('batch', 'length', 2, 3)], make: (g, [x]) => g.transpose(x, [0, 2, 1, 3]) },
    { operands: [float('batch', 3)], make: (g, [x]) => g.transpose(x, [1, 0]) },
    { operands: [float(1, 3, 1)], make: (g, [x]) => g.transpose(x, [2, 0, 1]) },
  ],
  expand: [
    { operands: [float('batch', 1, 3), float('length')], make: (g, [x]) => g.expand(x, ['batch', 'length', 3]) },
    { operands: [float(3), float('batch')], make: (g, [x]) => g.expand(x, ['batch', 2, 3]) },
    { operands: [float(), float('batch')], make: (g, [x]) => g.expand(x, ['batch']) },
    { operands: [float('batch', 3)], make: (g, [x]) => g.expand(x, ['batch', 3]) },
  ],
  slice: [
    { operands: [float('batch', 5)], make: (g, [x]) => g.slice(x, 1, 1, 4) },
    { operands: [float('length', 5)], make: (g, [x]) => g.slice(x, 0, 0, 1) },
    { operands: [ids(9, 4)], make: (g, [x]) => g.slice(x, 0, 3, 4) },
  ],
  sliceGrad: [
    {
      operands: [float('batch', 1, 3)],
      make: (g, [dy]) => g.sliceGrad(dy, ['batch', 'length', 3], 1, 0),
    },
    { operands: [float(2, 3)], make: (g, [dy]) => g.sliceGrad(dy, [2, 8], 1, 4) },
    { operands: [float(1, 'batch')], make: (g, [dy]) => g.sliceGrad(dy, ['length', 'batch'], 0, 0) },
    {
      operands: [float('batch', 'length', 4), float('batch', 'length', 1)],
      make: (g, [x, y]) => g.add(g.sliceGrad(g.slice(x, 2, 1, 3), ['batch', 'length', 5], 2, 2), y),
    },
  ],
  concat: [
    { operands: [float('batch', 1), float('batch', 3)], make: (g, [a, b]) => g.concat([a, b], 1) },
    { operands: [float(2, 'batch')], make: (g, [a]) => g.concat([a], 0) },
    { operands: [ids(3, 2), ids(3, 1), ids(3, 4)], make: (g, all) => g.concat(all, 0) },
  ],

  reduceSum: [
    ...reductions('reduceSum'),
    { operands: [float('batch', 3)], make: (g, [x]) => g.reduceSum(g.mul(x, x)) },
    { operands: [float()], make: (g, [x]) => g.reduceSum(g.mul(x, x)) },
    { operands: [between(-1, 1, 999)], make: (g, [x]) => g.reduceSum(x) },
    { operands: [between(-1, 1, 64)], make: (g, [x]) => g.reduceSum(x) },
    { operands: [between(-1, 1, 128)], make: (g, [x]) => g.reduceSum(x) },
  ],
  reduceMax: reductions('reduceMax'),
  argMax: [
    { operands: [float('batch', 9)], make: (g, [x]) => g.argMax(x) },
    { operands: [float(4)], make: (g, [x]) => g.argMax(x) },
    { operands: [ids(2, 'batch', 'length', 9)], make: (g, [x]) => g.argMax(g.cast(x, 'float32')) },
  ],
  cumulativeSum: [false, true].flatMap((reverse): Case[] => [
    { operands: [between(0, 1, 'batch', 40)], make: (g, [x]) => g.cumulativeSum(x, reverse) },
    { operands: [float(3)], make: (g, [x]) => g.cumulativeSum(x, reverse) },
    // Long rows are summed in blocks of 64, which divides the first of these widths.
    { operands: [between(0, 1, 'batch', 1024)], make: (g, [x]) => g.cumulativeSum(x, reverse) },
    { operands: [between(0, 1, 'batch', 1100)], make: (g, [x]) => g.cumulativeSum(g.softmax(x), reverse) },
  ]),
  sampleRows: [
    { operands: [between(0, 1, 'batch', 9), between(0, 1, 'batch')], make: (g, [p, u]) => g.sampleRows(p, u) },
    { operands: [between(0, 1, 'batch', 2000), between(0, 1, 'batch')], make: (g, [p, u]) => g.sampleRows(p, u) },
    // All the weight on one index, and uniforms next to 0 and to 1.
    {
      operands: [ids(2000, 'batch'), between(0, 1, 'batch')],
      make: (g, [at, u]) => g.sampleRows(g.oneHot(at, 2000), u),
    },
    {
      operands: [],
      make: (g) => g.sampleRows(g.constant([0, 0.3, 0.3, 0, 0.3, 0], [2, 3]), g.constant([1 - 2 ** -24, 2 ** -24])),
    },
  ],

  matmul: [...products(), ...attentionProducts()],
  linear: [
    { operands: [float('batch*length', 3), float(4, 3), float(4)], make: (g, [x, w, b]) => g.linear(x, w, b) },
    { operands: [float(1, 2), float(1, 2), float(1)], make: (g, [x, w, b]) => g.linear(x, w, b) },
  ],

  softmax: [
    { operands: [float('batch', 2, 'length')], make: (g, [x]) => g.softmax(x) },
    { operands: [between(-300, 300, 'batch', 5)], make: (g, [x]) => g.softmax(x) },
    { operands: [float(1)], make: (g, [x]) => g.softmax(x) },
  ],
  softmaxGrad: [
    {
      operands: [float('batch', 'length'), float('batch', 'length')],
      make: (g, [x, dy]) => g.softmaxGrad(g.softmax(x), dy),
    },
    { operands: [float(3), float(3)], make: (g, [x, dy]) => g.softmaxGrad(g.softmax(x), dy) },
  ],
  softmaxCrossEntropy: LOGITS.map(
    (logits): Case => ({
      operands: [logits, ids(3, ...rowsOfLogits(logits))],
      make: (g, [x, labels]) => g.softmaxCrossEntropy(x, labels),
    }),
  ),
  softmaxCrossEntropyGrad: LOGITS.map(
    (logits): Case => ({
      operands: [logits, ids(3, ...rowsOfLogits(logits)), float(...rowsOfLogits(logits))],
      make: (g, [x, labels, dloss]) => g.softmaxCrossEntropyGrad(x, labels, dloss),
    }),
  ),
  layerNorm: [
    { operands: [float('batch*length', 8), float(8), float(8)], make: (g, [x, a, b]) => g.layerNorm(x, a, b, EPSILON) },
    { operands: [float('batch', 'length', 8), float(8), float(8)], make: (g, [x, a, b]) => g.layerNorm(x, a, b, 1e-5) },
    { operands: [float(1, 4), float(4), float(4)], make: (g, [x, a, b]) => g.layerNorm(x, a, b, EPSILON) },
  ],
  layerNormGradInput: [
    {
      operands: [float('batch', 8), float(8), float('batch', 8)],
      make: (g, [x, a, dy]) => g.layerNormGradInput(x, a, dy, EPSILON),
    },
    {
      operands: [float('batch', 'length', 8), float(8), float('batch', 'length', 8)],
      make: (g, [x, a, dy]) => g.layerNormGradInput(x, a, dy, 1e-5),
    },
    {
      operands: [float('batch', 8), float(8), float('batch', 8)],
      make: (g, [x, a, dy]) => g.add(g.layerNorm(x, a, a, EPSILON), g.layerNormGradInput(x, a, dy, EPSILON)),
    },
  ],
  layerNormGradScale: [
    { operands: [float('batch', 8), float('batch', 8)], make: (g, [x, dy]) => g.layerNormGradScale(x, dy, EPSILON) },
    {
      operands: [float('batch', 'length', 8), float('batch', 'length', 8)],
      make: (g, [x, dy]) => g.layerNormGradScale(x, dy, 1e-5),
    },
    { operands: [float(8), float(8)], make: (g, [x, dy]) => g.layerNormGradScale(x, dy, EPSILON) },
  ],

  gather: [
    { operands: [float(6, 3), ids(6, 'batch', 'length')], make: (g, [table, at]) => g.gather(table, at) },
    { operands: [float('length', 3), ids(1, 1)], make: (g, [table, at]) => g.gather(table, at) },
  ],
  scatterAddRows: [
    {
      operands: [ids(3, 'batch*length'), float('batch*length', 4)],
      make: (g, [at, rows]) => g.scatterAddRows(at, rows, 6),
    },
    {
      operands: [ids(1, 'length'), float('length', 1), float('batch')],
      make: (g, [at, rows]) => g.scatterAddRows(at, rows, 'batch'),
    },
  ],
  scatter: [
    {
      operands: [float('batch'), float(2)],
      make: (g, [x, updates]) => g.scatter(x, g.constant([1, 0], [2], 'int32'), updates),
    },
    {
      operands: [float(4), ids(4, 'length'), float('length')],
      make: (g, [x, at, updates]) => g.scatter(x, at, updates, { add: true }),
    },
    {
      operands: [ids(9, 4), ids(9, 1)],
      make: (g, [x, updates]) => g.scatter(x, g.constant([3], [1], 'int32'), updates),
    },
  ],
  pick: [
    { operands: [float('batch', 5), ids(5, 'batch')], make: (g, [x, at]) => g.pick(x, at) },
    { operands: [float(1, 1), ids(1, 1)], make: (g, [x, at]) => g.pick(x, at) },
  ],
  oneHot: [
    { operands: [ids(4, 'batch', 'length')], make: (g, [at]) => g.oneHot(at, 4) },
    { operands: [ids(1, 1)], make: (g, [at]) => g.oneHot(at, 1) },
  ],
};

const SCALE = Float32Array.of(1.5);
const SIZES = [
  { batch: 2, length: 3 },
  { batch: 5, length: 1 },
];

/** All cases of an op in one graph, so that one compilation serves them. */
function graphOf(some: readonly Case[]): Graph {
  const g = new GraphBuilder();
  // Where the engine reads the named sizes that a case's own operands do not tell.
  const sizes = g.input('sizes', 'float32', ['batch', 'length']);
  some.forEach(({ operands, make }, i) => {
    const inputs = operands.map(({ shape, dtype = 'float32' }, j) => g.input(`case ${i} operand ${j}`, dtype, shape));
    g.output(`case ${i}`, make(g, inputs));
  });
  g.output('sizes', sizes);
  return g.build();
}

function draw(
  { shape, dtype = 'float32', range = [-2, 2] }: Operand,
  sizes: ReadonlyMap<string, number>,
  random: RandomStream,
): Tensor {
  const concrete = evaluateShape(shape, sizes);
  const count = concrete.reduce((product, size) => product * size, 1);
  const values = Array.from({ length: count }, () => range[0] + (range[1] - range[0]) * random.uniform());
  if (dtype === 'float32') return { dtype, shape: concrete, data: Float32Array.from(values) };
  const whole = values.map(Math.floor);
  return { dtype, shape: concrete, data: dtype === 'int32' ? Int32Array.from(whole) : Uint8Array.from(whole) };
}

function feedsOf(some: readonly Case[], sizes: ReadonlyMap<string, number>): Tensors {
  const random = new RandomStream(7, 'test', sizes.get('batch')!);
  const feeds: Tensors = { sizes: draw(float('batch', 'length'), sizes, random) };
  some.forEach(({ operands }, i) => {
    operands.forEach((operand, j) => {
      feeds[`case ${i} operand ${j}`] = draw(operand, sizes, random);
    });
  });
  return feeds;
}

function reference(graph: Graph, feeds: Tensors) {
  const inputs = new Map(
    Object.entries(feeds).map(([name, { shape, data, dtype }]) => [name, float64Tensor(shape, data, dtype)]),
  );
  return evaluateGraph(graph, inputs, new Map([['scale', float64Tensor([1], SCALE)]])).outputs;
}

/** Largest |difference| as a share of the largest value (at least 1): float32 sums err by their largest terms. */
function expectClose(
  actual: Tensor,
  expected: { dtype: DType; shape: readonly number[]; data: Float64Array },
  what: string,
): void {
  expect(actual.dtype, `${what}: dtype`).toBe(expected.dtype);
  expect([...actual.shape], `${what}: shape`).toEqual([...expected.shape]);
  const scale = expected.data.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
  expected.data.forEach((value, i) => {
    const difference = Math.abs(actual.data[i] - value) / scale;
    if (!(difference <= 1e-5)) expect.fail(`${what}: element ${i} is ${actual.data[i]}, the reference is ${value}`);
  });
}

describe.each(ENGINES)('%s agrees with the reference', (_name, create) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await create();
  });
  afterAll(() => engine.close());

  test.each(Object.keys(cases) as OpName[])('on %s, for two sizes through one program', async (op) => {
    const graph = graphOf(cases[op]);
    expect(nodesOf(graph, op).length, `nodes of ${op}`).toBeGreaterThan(0);
    const program = await engine.compile(graph, { label: op, weights: new Map([['scale', SCALE]]) });
    for (const size of SIZES) {
      const feeds = feedsOf(cases[op], new Map(Object.entries(size)));
      const [actual, expected] = [await program.run(feeds), reference(graph, feeds)];
      for (const [name, value] of expected) expectClose(actual[name], value, `${op} ${name}, ${JSON.stringify(size)}`);
    }
    await program.release();
  });
});

test('the cases use named sizes of which none is unknown', () => {
  const names = Object.values(cases).flatMap((some) =>
    some.flatMap(({ operands }) => operands.flatMap(({ shape }) => [...namesIn(shape)])),
  );
  expect([...new Set(names)].sort()).toEqual(['batch', 'length']);
});
