/**
 * Every operation of the graph, declared once: its attributes and its shape rule. What an op *means* stands in further
 * tables over the same names, each complete by type: derivatives (autodiff/vjp.ts), float64 reference
 * (interpreter/evaluate.ts), ONNX (engine/onnx/lowering.ts).
 */
import { broadcastShapes, type Dim, formatShape, multiplyDims, type Shape, sameShape, sizeOf } from './dimensions.js';

export type DType = 'float32' | 'int32' | 'bool';
export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

type None = Record<never, never>;

/** Attributes of each op. Axes are non-negative. */
export interface OpAttributes {
  /** A tensor fed at each call. */
  input: { name: string; dtype: DType; shape: Shape };
  /** A named tensor that stays with the engine: a parameter, a gradient, a moment. Always float32. */
  state: { name: string; shape: Shape };
  constant: { dtype: DType; shape: readonly number[]; data: readonly number[] | Float32Array | Int32Array };
  /** A float32 tensor of one value, for shapes with named sizes. */
  fill: { shape: Shape; value: number };

  add: None;
  sub: None;
  mul: None;
  div: None;
  equal: None;
  less: None;
  neg: None;
  exp: None;
  log: None;
  sqrt: None;
  tanh: None;
  sigmoid: None;
  /** log(1 + eˣ), without overflow. */
  softplus: None;
  floor: None;
  /** x·Φ(x) with the exact normal distribution function (Hendrycks & Gimpel 2016), not the tanh approximation. */
  gelu: None;
  /** (x, dy) → dy · (Φ(x) + x·φ(x)) */
  geluGrad: None;
  cast: { to: DType };
  /** (condition, a, b) → a where the condition holds, else b */
  where: None;
  /** The value unchanged; no derivative passes. */
  stopGradient: None;

  reshape: { shape: Shape };
  transpose: { permutation: readonly number[] };
  /** Broadcast to a shape. */
  expand: { shape: Shape };
  slice: { axis: number; start: number; end: number };
  /** Zeros of a shape with the operand from `start` on of an axis: the derivative of slice. */
  sliceGrad: { shape: Shape; axis: number; start: number };
  concat: { axis: number };

  reduceSum: { axes: readonly number[]; keepDims: boolean };
  reduceMax: { axes: readonly number[]; keepDims: boolean };
  /** Index of the largest value of the last axis, the first of equals; int32. */
  argMax: None;
  /** Running sum along the last axis; from its end with `reverse`. */
  cumulativeSum: { reverse: boolean };
  /** (probabilities [N, V], uniforms [N] in (0, 1)) → int32 [N]: the first index whose running sum reaches u·total */
  sampleRows: None;

  /** scale · op(a) @ op(b) over the last two axes; leading axes are equal. */
  matmul: { transposeA: boolean; transposeB: boolean; scale: number };
  /** (x [T, in], weight [out, in], bias [out]) → x @ weightᵀ + bias */
  linear: None;

  /** Softmax over the last axis. */
  softmax: None;
  /** (y, dy) → y · (dy − Σ dy·y), the derivative of softmax from its result. */
  softmaxGrad: None;
  /** (logits [N, V], labels int32 [N]) → −log softmax(logits)[label], [N] */
  softmaxCrossEntropy: None;
  /** (logits, labels, dloss [N]) → (softmax(logits) − onehot(labels)) · dloss */
  softmaxCrossEntropyGrad: None;
  /** (x [..., H], scale [H], shift [H]) → (x − mean)/√(var + epsilon) · scale + shift over the last axis */
  layerNorm: { epsilon: number };
  /** (x, scale, dy) → derivative with respect to x */
  layerNormGradInput: { epsilon: number };
  /** (x, dy) → derivative with respect to scale, [H] */
  layerNormGradScale: { epsilon: number };

  /** (table [R, E], ids int32 [...]) → [..., E] */
  gather: None;
  /** (ids int32 [N], updates [N, E]) → [rows, E], rows of equal id added: the derivative of gather */
  scatterAddRows: { rows: Dim };
  /** (data [N], positions int32 [M], updates [M]) → data with updates written, or added, at the positions */
  scatter: { add: boolean };
  /** (x [N, V], ids int32 [N]) → x[n, ids[n]], [N] */
  pick: None;
  /** (ids int32 [...]) → float32 [..., depth] */
  oneHot: { depth: number };
}

export type OpName = keyof OpAttributes;

/** A shape or type that an op cannot take. */
export class ShapeError extends Error {
  override name = 'ShapeError';
}

type ShapeRule<K extends OpName> = (inputs: readonly TensorType[], attributes: OpAttributes[K], op: K) => TensorType;

export interface OpDefinition<K extends OpName> {
  /** Number of operands; `undefined` for any number from one up. */
  readonly arity: number | undefined;
  readonly infer: ShapeRule<K>;
}

function fail(op: string, problem: string): never {
  throw new ShapeError(`${op}: ${problem}`);
}

function requireDtype(op: string, type: TensorType, dtype: DType, what: string): void {
  if (type.dtype !== dtype) fail(op, `${what} is ${type.dtype}${formatShape(type.shape)}, expected ${dtype}`);
}

function requireRank(op: string, type: TensorType, rank: number, what: string): void {
  if (type.shape.length !== rank) fail(op, `${what} is ${formatShape(type.shape)}, expected rank ${rank}`);
}

function requireShape(op: string, type: TensorType, shape: Shape, what: string): void {
  if (!sameShape(type.shape, shape)) fail(op, `${what} is ${formatShape(type.shape)}, expected ${formatShape(shape)}`);
}

function broadcast(op: string, a: TensorType, b: TensorType): Dim[] {
  return (
    broadcastShapes(a.shape, b.shape) ??
    fail(op, `${formatShape(a.shape)} and ${formatShape(b.shape)} do not broadcast`)
  );
}

const unary: OpDefinition<OpName> = {
  arity: 1,
  infer: ([x], _attributes, op) => {
    requireDtype(op, x, 'float32', 'operand');
    return x;
  },
};

function binary(result: DType | 'same'): OpDefinition<OpName> {
  return {
    arity: 2,
    infer: ([a, b], _attributes, op) => {
      if (a.dtype !== b.dtype) fail(op, `operands are ${a.dtype} and ${b.dtype}`);
      if (a.dtype === 'bool') fail(op, 'operands are bool; cast them first');
      return { dtype: result === 'same' ? a.dtype : result, shape: broadcast(op, a, b) };
    },
  };
}

/** Operand and cotangent of one shape. */
const gradOfElementwise: OpDefinition<OpName> = {
  arity: 2,
  infer: ([x, dy], _attributes, op) => {
    requireShape(op, dy, x.shape, 'cotangent');
    return x;
  },
};

const reduction: OpDefinition<'reduceSum' | 'reduceMax'> = {
  arity: 1,
  infer: ([x], { axes, keepDims }, op) => {
    requireDtype(op, x, 'float32', 'operand');
    for (const axis of axes) {
      if (axis < 0 || axis >= x.shape.length) fail(op, `axis ${axis} of ${formatShape(x.shape)}`);
    }
    const shape = keepDims
      ? x.shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
      : x.shape.filter((_, axis) => !axes.includes(axis));
    return { dtype: x.dtype, shape };
  },
};

export const ops: { readonly [K in OpName]: OpDefinition<K> } = {
  input: { arity: 0, infer: (_inputs, { dtype, shape }) => ({ dtype, shape }) },
  state: { arity: 0, infer: (_inputs, { shape }) => ({ dtype: 'float32', shape }) },
  constant: {
    arity: 0,
    infer: (_inputs, { dtype, shape, data }) => {
      if (sizeOf(shape) !== data.length) fail('constant', `${data.length} values for ${formatShape(shape)}`);
      return { dtype, shape };
    },
  },
  fill: { arity: 0, infer: (_inputs, { shape }) => ({ dtype: 'float32', shape }) },

  add: binary('same'),
  sub: binary('same'),
  mul: binary('same'),
  div: binary('same'),
  equal: binary('bool'),
  less: binary('bool'),
  neg: unary,
  exp: unary,
  log: unary,
  sqrt: unary,
  tanh: unary,
  sigmoid: unary,
  softplus: unary,
  floor: unary,
  gelu: unary,
  geluGrad: gradOfElementwise,
  cast: { arity: 1, infer: ([x], { to }) => ({ dtype: to, shape: x.shape }) },
  where: {
    arity: 3,
    infer: ([condition, a, b], _attributes, op) => {
      requireDtype(op, condition, 'bool', 'condition');
      if (a.dtype !== b.dtype) fail(op, `branches are ${a.dtype} and ${b.dtype}`);
      const shape = broadcast(op, a, b);
      return { dtype: a.dtype, shape: broadcast(op, condition, { dtype: a.dtype, shape }) };
    },
  },
  stopGradient: { arity: 1, infer: ([x]) => x },

  reshape: {
    arity: 1,
    infer: ([x], { shape }, op) => {
      if (sizeOf(x.shape) !== sizeOf(shape)) {
        fail(op, `${formatShape(x.shape)} has ${sizeOf(x.shape)} elements, ${formatShape(shape)} has ${sizeOf(shape)}`);
      }
      return { dtype: x.dtype, shape };
    },
  },
  transpose: {
    arity: 1,
    infer: ([x], { permutation }, op) => {
      const sorted = [...permutation].sort((a, b) => a - b);
      if (sorted.length !== x.shape.length || sorted.some((axis, i) => axis !== i)) {
        fail(op, `permutation [${permutation}] of ${formatShape(x.shape)}`);
      }
      return { dtype: x.dtype, shape: permutation.map((axis) => x.shape[axis]) };
    },
  },
  expand: {
    arity: 1,
    infer: ([x], { shape }, op) => {
      const result = broadcastShapes(x.shape, shape);
      if (!result || !sameShape(result, shape)) fail(op, `${formatShape(x.shape)} to ${formatShape(shape)}`);
      return { dtype: x.dtype, shape };
    },
  },
  slice: {
    arity: 1,
    infer: ([x], { axis, start, end }, op) => {
      const size = x.shape[axis];
      if (!(start >= 0 && end > start && (typeof size === 'string' || end <= size))) {
        fail(op, `${start}..${end} of axis ${axis} of ${formatShape(x.shape)}`);
      }
      return { dtype: x.dtype, shape: x.shape.map((dim, i) => (i === axis ? end - start : dim)) };
    },
  },
  sliceGrad: {
    arity: 1,
    infer: ([dy], { shape, axis, start }, op) => {
      const size = shape[axis];
      const length = dy.shape[axis];
      requireShape(
        op,
        dy,
        shape.map((dim, i) => (i === axis ? length : dim)),
        'cotangent',
      );
      if (typeof length !== 'number' || start < 0 || (typeof size === 'number' && start + length > size)) {
        fail(op, `${formatShape(dy.shape)} from ${start} on of axis ${axis} of ${formatShape(shape)}`);
      }
      return { dtype: dy.dtype, shape };
    },
  },
  concat: {
    arity: undefined,
    infer: (inputs, { axis }, op) => {
      const [first, ...rest] = inputs;
      let total = 0;
      for (const x of inputs) {
        const size = x.shape[axis];
        if (typeof size !== 'number') fail(op, `axis ${axis} of ${formatShape(x.shape)} has no fixed size`);
        total += size;
      }
      for (const x of rest) {
        requireDtype(op, x, first.dtype, 'operand');
        requireShape(
          op,
          x,
          first.shape.map((dim, i) => (i === axis ? x.shape[axis] : dim)),
          'operand',
        );
      }
      return { dtype: first.dtype, shape: first.shape.map((dim, i) => (i === axis ? total : dim)) };
    },
  },

  reduceSum: reduction,
  reduceMax: reduction,
  argMax: { arity: 1, infer: ([x]) => ({ dtype: 'int32', shape: x.shape.slice(0, -1) }) },
  cumulativeSum: unary,
  sampleRows: {
    arity: 2,
    infer: ([probabilities, uniforms], _attributes, op) => {
      requireDtype(op, probabilities, 'float32', 'probabilities');
      requireRank(op, probabilities, 2, 'probabilities');
      requireDtype(op, uniforms, 'float32', 'uniforms');
      requireShape(op, uniforms, [probabilities.shape[0]], 'uniforms');
      return { dtype: 'int32', shape: uniforms.shape };
    },
  },

  matmul: {
    arity: 2,
    infer: ([a, b], { transposeA, transposeB }, op) => {
      if (a.shape.length < 2 || a.shape.length !== b.shape.length) {
        fail(op, `${formatShape(a.shape)} @ ${formatShape(b.shape)}: expected equal ranks of at least 2`);
      }
      const lead = a.shape.slice(0, -2);
      const [rows, inner] = transposeA ? [a.shape.at(-1)!, a.shape.at(-2)!] : [a.shape.at(-2)!, a.shape.at(-1)!];
      const [innerB, columns] = transposeB ? [b.shape.at(-1)!, b.shape.at(-2)!] : [b.shape.at(-2)!, b.shape.at(-1)!];
      if (inner !== innerB || !sameShape(lead, b.shape.slice(0, -2))) {
        fail(
          op,
          `${formatShape(a.shape)}${transposeA ? 'ᵀ' : ''} @ ${formatShape(b.shape)}${transposeB ? 'ᵀ' : ''}: inner or leading sizes differ`,
        );
      }
      return { dtype: 'float32', shape: [...lead, rows, columns] };
    },
  },
  linear: {
    arity: 3,
    infer: ([x, weight, bias], _attributes, op) => {
      requireRank(op, x, 2, 'x');
      requireRank(op, weight, 2, 'weight');
      if (weight.shape[1] !== x.shape[1]) {
        fail(op, `x is ${formatShape(x.shape)}, weight is ${formatShape(weight.shape)}; expected [out, ${x.shape[1]}]`);
      }
      requireShape(op, bias, [weight.shape[0]], 'bias');
      return { dtype: 'float32', shape: [x.shape[0], weight.shape[0]] };
    },
  },

  softmax: unary,
  softmaxGrad: gradOfElementwise,
  softmaxCrossEntropy: {
    arity: 2,
    infer: ([logits, labels], _attributes, op) => {
      requireRank(op, logits, 2, 'logits');
      requireDtype(op, labels, 'int32', 'labels');
      requireShape(op, labels, [logits.shape[0]], 'labels');
      return { dtype: 'float32', shape: labels.shape };
    },
  },
  softmaxCrossEntropyGrad: {
    arity: 3,
    infer: ([logits, labels, dloss], _attributes, op) => {
      requireShape(op, labels, [logits.shape[0]], 'labels');
      requireShape(op, dloss, [logits.shape[0]], 'cotangent');
      return logits;
    },
  },
  layerNorm: {
    arity: 3,
    infer: ([x, scale, shift], _attributes, op) => {
      requireShape(op, scale, [x.shape.at(-1)!], 'scale');
      requireShape(op, shift, [x.shape.at(-1)!], 'shift');
      return x;
    },
  },
  layerNormGradInput: {
    arity: 3,
    infer: ([x, scale, dy], _attributes, op) => {
      requireShape(op, scale, [x.shape.at(-1)!], 'scale');
      requireShape(op, dy, x.shape, 'cotangent');
      return x;
    },
  },
  layerNormGradScale: {
    arity: 2,
    infer: ([x, dy], _attributes, op) => {
      requireShape(op, dy, x.shape, 'cotangent');
      return { dtype: 'float32', shape: [x.shape.at(-1)!] };
    },
  },

  gather: {
    arity: 2,
    infer: ([table, ids], _attributes, op) => {
      requireRank(op, table, 2, 'table');
      requireDtype(op, ids, 'int32', 'ids');
      return { dtype: table.dtype, shape: [...ids.shape, table.shape[1]] };
    },
  },
  scatterAddRows: {
    arity: 2,
    infer: ([ids, updates], { rows }, op) => {
      requireDtype(op, ids, 'int32', 'ids');
      requireRank(op, ids, 1, 'ids');
      requireRank(op, updates, 2, 'updates');
      requireShape(op, ids, [updates.shape[0]], 'ids');
      return { dtype: 'float32', shape: [rows, updates.shape[1]] };
    },
  },
  scatter: {
    arity: 3,
    infer: ([data, positions, updates], _attributes, op) => {
      requireRank(op, data, 1, 'data');
      requireDtype(op, positions, 'int32', 'positions');
      requireDtype(op, updates, data.dtype, 'updates');
      requireRank(op, positions, 1, 'positions');
      requireShape(op, updates, positions.shape, 'updates');
      return data;
    },
  },
  pick: {
    arity: 2,
    infer: ([x, ids], _attributes, op) => {
      requireRank(op, x, 2, 'x');
      requireDtype(op, ids, 'int32', 'ids');
      requireShape(op, ids, [x.shape[0]], 'ids');
      return { dtype: x.dtype, shape: ids.shape };
    },
  },
  oneHot: {
    arity: 1,
    infer: ([ids], { depth }, op) => {
      requireDtype(op, ids, 'int32', 'ids');
      return { dtype: 'float32', shape: [...ids.shape, depth] };
    },
  },
};

/** The type of an op's result, after checking its operands. */
export function inferType<K extends OpName>(
  op: K,
  inputs: readonly TensorType[],
  attributes: OpAttributes[K],
): TensorType {
  const { arity, infer } = ops[op] as OpDefinition<K>;
  if (arity === undefined ? inputs.length === 0 : inputs.length !== arity) {
    fail(op, `${inputs.length} operands, expected ${arity ?? 'at least 1'}`);
  }
  return infer(inputs, attributes, op);
}

/** The rows of a matrix view of a tensor: the product of all axes but the last. */
export function rowsOf(shape: Shape): Dim {
  return multiplyDims(...shape.slice(0, -1));
}
