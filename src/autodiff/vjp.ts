/**
 * One derivative rule per op: from the cotangent dL/dy of a node's result to those of its operands (a vector-Jacobian
 * product). The rules make nodes; nothing is computed here.
 */
import { type Dim, multiplyDims, type Shape, sameShape } from '../graph/dimensions.js';
import type { GraphBuilder, Node } from '../graph/graph.js';
import type { OpAttributes, OpName } from '../graph/ops.js';

/** Cotangents of the operands, in order; `undefined` where none flows. */
type Cotangents = readonly (Node | undefined)[];
type VjpRule<K extends OpName> = (g: GraphBuilder, y: Node<K>, dy: Node, attributes: OpAttributes[K]) => Cotangents;

/** Sums a cotangent over the axes along which an operand was broadcast: the one place that undoes broadcasting. */
export function unbroadcast(g: GraphBuilder, dy: Node, shape: Shape): Node {
  if (sameShape(dy.shape, shape)) return dy;
  const extra = dy.shape.length - shape.length;
  const axes = dy.shape
    .map((_, axis) => axis)
    .filter((axis) => axis < extra || (shape[axis - extra] === 1 && dy.shape[axis] !== 1));
  const summed = g.reduceSum(dy, axes, true);
  return g.reshape(summed, shape);
}

const none: VjpRule<OpName> = (_g, y) => y.inputs.map(() => undefined);

/** Ops that only derivative rules make; the system needs no second derivatives. */
const noSecondDerivative: VjpRule<OpName> = (_g, y) => {
  throw new Error(`${y.op} is itself a derivative; second derivatives are not supported`);
};

function reshapeRows(g: GraphBuilder, x: Node): Node {
  return g.reshape(x, [multiplyDims(...x.shape.slice(0, -1)), x.shape.at(-1)!]);
}

/** The cotangent of a reduction, with its reduced axes back as 1. */
function keepReduced(g: GraphBuilder, dy: Node, x: Node, axes: readonly number[]): Node {
  return g.reshape(
    dy,
    x.shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim)),
  );
}

function padAxis(g: GraphBuilder, dy: Node, shape: Shape, axis: number, start: number, end: number): Node {
  const size = shape[axis] as number;
  const zeros = (length: Dim) =>
    g.fill(
      shape.map((dim, i) => (i === axis ? length : dim)),
      0,
    );
  const parts = [start > 0 ? zeros(start) : undefined, dy, end < size ? zeros(size - end) : undefined];
  return g.concat(
    parts.filter((part) => part !== undefined),
    axis,
  );
}

export const vjps: { readonly [K in OpName]: VjpRule<K> } = {
  input: none,
  state: none,
  constant: none,
  fill: none,

  // d(a+b) = da + db
  add: (g, { inputs: [a, b] }, dy) => [unbroadcast(g, dy, a.shape), unbroadcast(g, dy, b.shape)],
  sub: (g, { inputs: [a, b] }, dy) => [unbroadcast(g, dy, a.shape), unbroadcast(g, g.neg(dy), b.shape)],
  // d(ab) = b·da + a·db
  mul: (g, { inputs: [a, b] }, dy) => [unbroadcast(g, g.mul(dy, b), a.shape), unbroadcast(g, g.mul(dy, a), b.shape)],
  // d(a/b) = da/b − (a/b)·db/b
  div: (g, y, dy) => {
    const [a, b] = y.inputs;
    const da = g.div(dy, b);
    return [unbroadcast(g, da, a.shape), unbroadcast(g, g.neg(g.mul(da, y)), b.shape)];
  },
  equal: none,
  less: none,
  neg: (g, _y, dy) => [g.neg(dy)],
  exp: (g, y, dy) => [g.mul(dy, y)],
  log: (g, { inputs: [x] }, dy) => [g.div(dy, x)],
  // d√x = dx / (2√x)
  sqrt: (g, y, dy) => [g.div(g.mul(dy, g.scalar(0.5)), y)],
  // d tanh = 1 − tanh²
  tanh: (g, y, dy) => [g.mul(dy, g.sub(g.scalar(1), g.mul(y, y)))],
  // dσ = σ(1 − σ)
  sigmoid: (g, y, dy) => [g.mul(dy, g.mul(y, g.sub(g.scalar(1), y)))],
  // d softplus = σ
  softplus: (g, { inputs: [x] }, dy) => [g.mul(dy, g.sigmoid(x))],
  floor: none,
  gelu: (g, { inputs: [x] }, dy) => [g.geluGrad(x, dy)],
  geluGrad: noSecondDerivative,
  cast: (g, { inputs: [x] }, dy, { to }) => [
    x.dtype === 'float32' && to === 'float32' ? g.cast(dy, 'float32') : undefined,
  ],
  where: (g, { inputs: [condition, a, b] }, dy) => {
    const zero = g.scalar(0);
    return [
      undefined,
      unbroadcast(g, g.where(condition, dy, zero), a.shape),
      unbroadcast(g, g.where(condition, zero, dy), b.shape),
    ];
  },
  stopGradient: none,

  reshape: (g, { inputs: [x] }, dy) => [g.reshape(dy, x.shape)],
  transpose: (g, _y, dy, { permutation }) => {
    const inverse = permutation.map((_, axis) => permutation.indexOf(axis));
    return [g.transpose(dy, inverse)];
  },
  expand: (g, { inputs: [x] }, dy) => [unbroadcast(g, dy, x.shape)],
  slice: (g, { inputs: [x] }, dy, { axis, start, end }) => {
    return typeof x.shape[axis] === 'number'
      ? [padAxis(g, dy, x.shape, axis, start, end)]
      : [g.sliceGrad(dy, x.shape, axis, start)];
  },
  sliceGrad: (g, { inputs: [x] }, dy, { axis, start }) => [g.slice(dy, axis, start, start + (x.shape[axis] as number))],
  concat: (g, { inputs }, dy, { axis }) => {
    let start = 0;
    return inputs.map((input) => {
      const end = start + (input.shape[axis] as number);
      const part = g.slice(dy, axis, start, end);
      start = end;
      return part;
    });
  },

  reduceSum: (g, { inputs: [x] }, dy, { axes }) => [g.expand(keepReduced(g, dy, x, axes), x.shape)],
  // Equal maxima share the cotangent, so that the rule agrees with symmetric differences.
  reduceMax: (g, y, dy, { axes }) => {
    const [x] = y.inputs;
    const isMaximum = g.cast(g.equal(x, keepReduced(g, y, x, axes)), 'float32');
    return [g.mul(g.div(isMaximum, g.reduceSum(isMaximum, axes, true)), keepReduced(g, dy, x, axes))];
  },
  argMax: none,
  cumulativeSum: (g, _y, dy, { reverse }) => [g.cumulativeSum(dy, !reverse)],
  sampleRows: none,

  // y = s·a@b: da = s·dy@bᵀ, db = s·aᵀ@dy, and the same with the transposes moved across.
  matmul: (g, { inputs: [a, b] }, dy, { transposeA, transposeB, scale }) => [
    transposeA
      ? g.matmul(b, dy, { transposeA: transposeB, transposeB: true, scale })
      : g.matmul(dy, b, { transposeB: !transposeB, scale }),
    transposeB
      ? g.matmul(dy, a, { transposeA: true, transposeB: transposeA, scale })
      : g.matmul(a, dy, { transposeA: !transposeA, scale }),
  ],
  // y = x@Wᵀ + b: dx = dy@W, dW = dyᵀ@x, db = Σ_rows dy
  linear: (g, { inputs: [x, weight] }, dy) => [
    g.matmul(dy, weight),
    g.matmul(dy, x, { transposeA: true }),
    g.reduceSum(dy, [0]),
  ],

  softmax: (g, y, dy) => [g.softmaxGrad(y, dy)],
  softmaxGrad: noSecondDerivative,
  softmaxCrossEntropy: (g, { inputs: [logits, labels] }, dy) => [
    g.softmaxCrossEntropyGrad(logits, labels, dy),
    undefined,
  ],
  softmaxCrossEntropyGrad: noSecondDerivative,
  layerNorm: (g, { inputs: [x, scale] }, dy, { epsilon }) => [
    g.layerNormGradInput(x, scale, dy, epsilon),
    g.layerNormGradScale(x, dy, epsilon),
    g.reduceSum(dy, dy.shape.map((_, axis) => axis).slice(0, -1)),
  ],
  layerNormGradInput: noSecondDerivative,
  layerNormGradScale: noSecondDerivative,

  gather: (g, { inputs: [table, ids] }, dy) => [
    g.scatterAddRows(g.reshape(ids, [multiplyDims(...ids.shape)]), reshapeRows(g, dy), table.shape[0]),
    undefined,
  ],
  scatterAddRows: (g, { inputs: [ids] }, dy) => [undefined, g.gather(dy, ids)],
  scatter: (g, { inputs: [data, positions, updates] }, dy, { add }) => {
    if (data.dtype !== 'float32') return [undefined, undefined, undefined];
    const zeros = g.fill(updates.shape, 0);
    const column = g.reshape(dy, [...dy.shape, 1]);
    return [
      add ? dy : g.scatter(dy, positions, zeros),
      undefined,
      g.reshape(g.gather(column, positions), updates.shape),
    ];
  },
  pick: (g, { inputs: [x, ids] }, dy) => [
    g.mul(g.oneHot(ids, x.shape[1] as number), g.reshape(dy, [...dy.shape, 1])),
    undefined,
  ],
  oneHot: none,
};
