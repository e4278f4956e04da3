/**
 * What every op means, as plain float64 loops: the reference that engines and derivatives are held against. Slow and
 * obvious on purpose. All element types are held in a Float64Array; booleans are 0 and 1.
 */
import { elementCount, evaluateDim, evaluateShape, factorsOf, type Shape } from '../graph/dimensions.js';
import type { Graph, Node } from '../graph/graph.js';
import type { DType, OpAttributes, OpName } from '../graph/ops.js';
import { erf } from './erf.js';

export interface Float64Tensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** What a rule may know beyond its operands. */
interface Context {
  readonly feeds: ReadonlyMap<string, Float64Tensor>;
  readonly state: ReadonlyMap<string, Float64Tensor>;
  shape(shape: Shape): number[];
}

type Rule<K extends OpName> = (
  inputs: readonly Float64Tensor[],
  attributes: OpAttributes[K],
  context: Context,
  node: Node,
) => Float64Tensor;

export function float64Tensor(
  shape: readonly number[],
  data: ArrayLike<number>,
  dtype: DType = 'float32',
): Float64Tensor {
  return { dtype, shape, data: Float64Array.from(data) };
}

function zeros(shape: readonly number[], dtype: DType = 'float32'): Float64Tensor {
  return { dtype, shape, data: new Float64Array(elementCount(shape)) };
}

function strides(shape: readonly number[]): number[] {
  const result = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) result[axis] = result[axis + 1] * shape[axis + 1];
  return result;
}

/** For each element of `shape` in order, the index of the element of a tensor of shape `from` that broadcasts to it. */
function broadcastIndices(from: readonly number[], shape: readonly number[]): Int32Array {
  const own = strides(from);
  const offset = shape.length - from.length;
  const steps = shape.map((_, axis) => (axis < offset || from[axis - offset] === 1 ? 0 : own[axis - offset]));
  return walk(shape, steps);
}

/** The offsets Σ index·step over all indices of a shape, in row-major order. */
function walk(shape: readonly number[], steps: readonly number[]): Int32Array {
  const result = new Int32Array(elementCount(shape));
  const index = new Array<number>(shape.length).fill(0);
  let offset = 0;
  for (let i = 0; i < result.length; i++) {
    result[i] = offset;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      offset += steps[axis];
      if (++index[axis] < shape[axis]) break;
      offset -= steps[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return result;
}

function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left !== right && left !== 1 && right !== 1) throw new Error(`[${a}] and [${b}] do not broadcast`);
    return left === 1 ? right : left;
  });
}

function expandTo(x: Float64Tensor, shape: readonly number[]): Float64Tensor {
  const from = broadcastIndices(x.shape, shape);
  return { dtype: x.dtype, shape, data: Float64Array.from(from, (i) => x.data[i]) };
}

function unary(f: (x: number) => number): Rule<OpName> {
  return ([x]) => ({ dtype: x.dtype, shape: x.shape, data: x.data.map((value) => f(value)) });
}

function binary(f: (a: number, b: number) => number, result?: DType): Rule<OpName> {
  return ([a, b]) => {
    const shape = broadcastShape(a.shape, b.shape);
    const left = broadcastIndices(a.shape, shape);
    const right = broadcastIndices(b.shape, shape);
    const data = new Float64Array(left.length);
    for (let i = 0; i < data.length; i++) data[i] = f(a.data[left[i]], b.data[right[i]]);
    return { dtype: result ?? a.dtype, shape, data };
  };
}

/** Applies `f` to each row of the last axis. */
function rowwise(x: Float64Tensor, f: (row: Float64Array, index: number) => ArrayLike<number>): Float64Tensor {
  const width = x.shape.at(-1)!;
  const result = zeros(x.shape);
  for (let row = 0; row * width < x.data.length; row++) {
    result.data.set(f(x.data.subarray(row * width, (row + 1) * width), row), row * width);
  }
  return result;
}

function rowOf(x: Float64Tensor, row: number): Float64Array {
  const width = x.shape.at(-1)!;
  return x.data.subarray(row * width, (row + 1) * width);
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}

function softmaxRow(row: Float64Array): Float64Array {
  const largest = row.reduce((a, b) => Math.max(a, b), -Infinity);
  const exponentials = row.map((value) => Math.exp(value - largest));
  const total = sum(exponentials);
  return exponentials.map((value) => value / total);
}

function logSumExp(row: Float64Array): number {
  const largest = row.reduce((a, b) => Math.max(a, b), -Infinity);
  return largest + Math.log(sum(row.map((value) => Math.exp(value - largest))));
}

function reduce(start: number, f: (a: number, b: number) => number): Rule<'reduceSum' | 'reduceMax'> {
  return ([x], { axes, keepDims }) => {
    const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    const to = broadcastIndices(kept, x.shape);
    const data = new Float64Array(elementCount(kept)).fill(start);
    for (let i = 0; i < to.length; i++) data[to[i]] = f(data[to[i]], x.data[i]);
    return { dtype: x.dtype, shape: keepDims ? kept : x.shape.filter((_, axis) => !axes.includes(axis)), data };
  };
}

function transpose(x: Float64Tensor, permutation: readonly number[]): Float64Tensor {
  const own = strides(x.shape);
  const shape = permutation.map((axis) => x.shape[axis]);
  const from = walk(
    shape,
    permutation.map((axis) => own[axis]),
  );
  return { dtype: x.dtype, shape, data: Float64Array.from(from, (i) => x.data[i]) };
}

function swapLast(x: Float64Tensor): Float64Tensor {
  const rank = x.shape.length;
  return transpose(x, [...Array(rank - 2).keys(), rank - 1, rank - 2]);
}

function matmul(a: Float64Tensor, b: Float64Tensor, scale: number): Float64Tensor {
  const [m, k] = a.shape.slice(-2);
  const n = b.shape.at(-1)!;
  const result = zeros([...a.shape.slice(0, -1), n]);
  const count = elementCount(a.shape.slice(0, -2));
  for (let matrix = 0; matrix < count; matrix++) {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let total = 0;
        for (let l = 0; l < k; l++) total += a.data[(matrix * m + i) * k + l] * b.data[(matrix * k + l) * n + j];
        result.data[(matrix * m + i) * n + j] = scale * total;
      }
    }
  }
  return result;
}

/** Row statistics of a layer norm: x̂ = (x − mean)/√(var + ε) and 1/√(var + ε). */
function normalizeRow(row: Float64Array, epsilon: number): { normalized: Float64Array; inverse: number } {
  const mean = sum(row) / row.length;
  const variance = sum(row.map((value) => (value - mean) ** 2)) / row.length;
  const inverse = 1 / Math.sqrt(variance + epsilon);
  return { normalized: row.map((value) => (value - mean) * inverse), inverse };
}

const normalDensity = (x: number) => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
const normalDistribution = (x: number) => 0.5 * (1 + erf(x / Math.SQRT2));

export const rules: { readonly [K in OpName]: Rule<K> } = {
  input: (_inputs, { name }, { feeds }) => feeds.get(name) ?? missing('input', name),
  state: (_inputs, { name }, { state }) => state.get(name) ?? missing('state', name),
  constant: (_inputs, { dtype, shape, data }) => float64Tensor(shape, data, dtype),
  fill: (_inputs, { shape, value }, context) => {
    const result = zeros(context.shape(shape));
    result.data.fill(value);
    return result;
  },

  add: binary((a, b) => a + b),
  sub: binary((a, b) => a - b),
  mul: binary((a, b) => a * b),
  div: (inputs, attributes, context, node) => {
    const integer = inputs[0].dtype === 'int32';
    return binary((a, b) => (integer ? Math.trunc(a / b) : a / b))(inputs, attributes, context, node);
  },
  equal: binary((a, b) => Number(a === b), 'bool'),
  less: binary((a, b) => Number(a < b), 'bool'),
  neg: unary((x) => -x),
  exp: unary(Math.exp),
  log: unary(Math.log),
  sqrt: unary(Math.sqrt),
  tanh: unary(Math.tanh),
  sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
  softplus: unary((x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  floor: unary(Math.floor),
  gelu: unary((x) => x * normalDistribution(x)),
  geluGrad: binary((x, dy) => dy * (normalDistribution(x) + x * normalDensity(x))),
  cast: ([x], { to }) => ({
    dtype: to,
    shape: x.shape,
    data: to === 'bool' ? x.data.map((v) => Number(v !== 0)) : to === 'int32' ? x.data.map(Math.trunc) : x.data,
  }),
  where: ([condition, a, b]) => {
    const shape = broadcastShape(condition.shape, broadcastShape(a.shape, b.shape));
    const [c, yes, no] = [condition, a, b].map((x) => expandTo(x, shape).data);
    return { dtype: a.dtype, shape, data: c.map((holds, i) => (holds ? yes[i] : no[i])) };
  },
  stopGradient: ([x]) => x,

  reshape: ([x], { shape }, context) => ({ dtype: x.dtype, shape: context.shape(shape), data: x.data }),
  transpose: ([x], { permutation }) => transpose(x, permutation),
  expand: ([x], { shape }, context) => expandTo(x, context.shape(shape)),
  slice: ([x], { axis, start, end }) => {
    const shape = x.shape.map((size, i) => (i === axis ? end - start : size));
    const own = strides(x.shape);
    const from = walk(shape, own);
    return { dtype: x.dtype, shape, data: Float64Array.from(from, (i) => x.data[i + start * own[axis]]) };
  },
  sliceGrad: ([dy], { shape, axis, start }, context) => {
    const result = zeros(context.shape(shape));
    const own = strides(result.shape);
    walk(dy.shape, own).forEach((to, i) => {
      result.data[to + start * own[axis]] = dy.data[i];
    });
    return result;
  },
  concat: (inputs, { axis }) => {
    const total = inputs.reduce((size, x) => size + x.shape[axis], 0);
    const shape = inputs[0].shape.map((size, i) => (i === axis ? total : size));
    const result = zeros(shape, inputs[0].dtype);
    const own = strides(shape);
    let start = 0;
    for (const x of inputs) {
      walk(x.shape, own).forEach((to, i) => {
        result.data[to + start * own[axis]] = x.data[i];
      });
      start += x.shape[axis];
    }
    return result;
  },

  reduceSum: reduce(0, (a, b) => a + b),
  reduceMax: reduce(-Infinity, Math.max),
  argMax: ([x]) => {
    const shape = x.shape.slice(0, -1);
    const best = Float64Array.from({ length: elementCount(shape) }, (_, row) => {
      const values = rowOf(x, row);
      return values.indexOf(values.reduce((a, b) => Math.max(a, b), -Infinity));
    });
    return { dtype: 'int32', shape, data: best };
  },
  cumulativeSum: ([x], { reverse }) =>
    rowwise(x, (row) => {
      const values = reverse ? row.slice().reverse() : row.slice();
      for (let i = 1; i < values.length; i++) values[i] += values[i - 1];
      return reverse ? values.reverse() : values;
    }),
  sampleRows: ([probabilities, uniforms]) => ({
    dtype: 'int32',
    shape: uniforms.shape,
    data: uniforms.data.map((uniform, row) => {
      const running = rowOf(probabilities, row).slice();
      for (let i = 1; i < running.length; i++) running[i] += running[i - 1];
      const reached = running.findIndex((value) => value >= uniform * running.at(-1)!);
      return Math.max(0, reached);
    }),
  }),

  matmul: ([a, b], { transposeA, transposeB, scale }) =>
    matmul(transposeA ? swapLast(a) : a, transposeB ? swapLast(b) : b, scale),
  linear: ([x, weight, bias]) => {
    const product = matmul(x, swapLast(weight), 1);
    return { ...product, data: product.data.map((value, i) => value + bias.data[i % bias.data.length]) };
  },

  softmax: ([x]) => rowwise(x, softmaxRow),
  softmaxGrad: ([y, dy]) =>
    rowwise(y, (row, index) => {
      const cotangent = rowOf(dy, index);
      const inner = sum(row.map((value, i) => value * cotangent[i]));
      return row.map((value, i) => value * (cotangent[i] - inner));
    }),
  softmaxCrossEntropy: ([logits, labels]) => ({
    dtype: 'float32',
    shape: labels.shape,
    data: labels.data.map((label, row) => logSumExp(rowOf(logits, row)) - rowOf(logits, row)[label]),
  }),
  softmaxCrossEntropyGrad: ([logits, labels, dloss]) =>
    rowwise(logits, (row, index) =>
      softmaxRow(row).map((probability, i) => (probability - Number(i === labels.data[index])) * dloss.data[index]),
    ),
  layerNorm: ([x, scale, shift], { epsilon }) =>
    rowwise(x, (row) => normalizeRow(row, epsilon).normalized.map((value, i) => value * scale.data[i] + shift.data[i])),
  layerNormGradInput: ([x, scale, dy], { epsilon }) =>
    rowwise(x, (row, index) => {
      // dx = (g − mean(g) − x̂·mean(g·x̂)) / √(var + ε) with g = dy · scale
      const { normalized, inverse } = normalizeRow(row, epsilon);
      const g = rowOf(dy, index).map((value, i) => value * scale.data[i]);
      const meanG = sum(g) / g.length;
      const meanProduct = sum(g.map((value, i) => value * normalized[i])) / g.length;
      return g.map((value, i) => (value - meanG - normalized[i] * meanProduct) * inverse);
    }),
  layerNormGradScale: ([x, dy], { epsilon }) => {
    const result = zeros([x.shape.at(-1)!]);
    rowwise(x, (row, index) => {
      const cotangent = rowOf(dy, index);
      normalizeRow(row, epsilon).normalized.forEach((value, i) => {
        result.data[i] += value * cotangent[i];
      });
      return row;
    });
    return result;
  },

  gather: ([table, ids]) => {
    const result = zeros([...ids.shape, table.shape[1]], table.dtype);
    ids.data.forEach((id, row) => {
      result.data.set(rowOf(table, id), row * table.shape[1]);
    });
    return result;
  },
  scatterAddRows: ([ids, updates], { rows }, context) => {
    const width = updates.shape[1];
    const result = zeros([context.shape([rows])[0], width]);
    ids.data.forEach((id, row) => {
      rowOf(updates, row).forEach((value, i) => {
        result.data[id * width + i] += value;
      });
    });
    return result;
  },
  scatter: ([data, positions, updates], { add }) => {
    const result = { ...data, data: data.data.slice() };
    positions.data.forEach((position, i) => {
      result.data[position] = updates.data[i] + (add ? result.data[position] : 0);
    });
    return result;
  },
  pick: ([x, ids]) => ({ dtype: x.dtype, shape: ids.shape, data: ids.data.map((id, row) => rowOf(x, row)[id]) }),
  oneHot: ([ids], { depth }) => {
    const result = zeros([...ids.shape, depth]);
    ids.data.forEach((id, i) => {
      result.data[i * depth + id] = 1;
    });
    return result;
  },
};

function missing(kind: string, name: string): never {
  throw new Error(`${kind} "${name}" was not fed`);
}

/** Solves for the named sizes from the concrete shapes of inputs and states. */
export function bindSizes(nodes: readonly Node[], shapeOf: (node: Node) => readonly number[]): Map<string, number> {
  const values = new Map<string, number>();
  const sources = nodes.filter((node) => node.op === 'input' || node.op === 'state');
  // Bare names first, so that products such as "batch*length" can be checked or divided out afterwards.
  for (const bare of [true, false]) {
    for (const node of sources) {
      const actual = shapeOf(node);
      node.shape.forEach((dim, axis) => {
        const { coefficient, names } = factorsOf(dim);
        const unknown = names.filter((name) => !values.has(name));
        if (unknown.length > 1 || (names.length === 1 && coefficient === 1) !== bare) return;
        if (unknown.length === 1) {
          const known = names
            .filter((name) => values.has(name))
            .reduce((product, name) => product * values.get(name)!, coefficient);
          values.set(unknown[0], actual[axis] / known);
        }
      });
    }
  }
  for (const node of sources) {
    const expected = node.shape.map((dim) => evaluateDim(dim, values));
    const actual = shapeOf(node);
    if (expected.join() !== actual.join()) {
      const { name } = (node as Node<'input'>).attributes;
      throw new Error(`${node.op} "${name}" is [${actual}], expected [${node.shape}] = [${expected}]`);
    }
  }
  return values;
}

export interface Evaluation {
  readonly outputs: Map<string, Float64Tensor>;
  readonly updates: Map<string, Float64Tensor>;
}

/** Evaluates a whole graph in float64. */
export function evaluateGraph(
  graph: Graph,
  feeds: ReadonlyMap<string, Float64Tensor>,
  state: ReadonlyMap<string, Float64Tensor> = new Map(),
): Evaluation {
  const values = new Map<Node, Float64Tensor>();
  const context: Context = { feeds, state, shape: (shape) => evaluateShape(shape, sizes) };
  const sizes = bindSizes(graph.nodes, (node) => rules[node.op]([], node.attributes as never, context, node).shape);
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((input) => values.get(input)!);
    const rule = rules[node.op] as Rule<OpName>;
    values.set(node, rule(inputs, node.attributes, context, node));
  }
  const pick = (named: ReadonlyMap<string, Node>) =>
    new Map([...named].map(([name, node]) => [name, values.get(node)!]));
  return { outputs: pick(graph.outputs), updates: pick(graph.updates) };
}
