/**
 * What each op is in ONNX: one rule per op, complete by type. Two targets: `cpu` may use ONNX Runtime's own ops where
 * they are faster; `portable` keeps to the standard, with ops that WebGPU has kernels for.
 */
import { type Dim, type Shape, sameShape } from '../../graph/dimensions.js';
import { isOp, type Node } from '../../graph/graph.js';
import type { OpName } from '../../graph/ops.js';
import type { Emitter, Value } from './emitter.js';
import { elementTypeCode } from './model.js';

export type Target = 'cpu' | 'portable';

/** What a rule may ask for. */
export interface LoweringContext {
  readonly target: Target;
  readonly emitter: Emitter;
  /** The value of a node that came before. */
  value(node: Node): Value;
  /** How many live nodes, outputs and updates read a node. */
  uses(node: Node): number;
}

export type LoweringRule<K extends OpName> = (node: Node<K>, context: LoweringContext) => Value;

const lastAxis = (node: Node) => node.shape.length - 1;

/** One ONNX op over the same operands. */
function direct(op: string): LoweringRule<OpName> {
  return (node, { emitter, value }) => emitter.emit(op, node.inputs.map(value));
}

/** As `direct`, with operands that were only stretched to fit left as they were: ONNX broadcasts by itself. */
function elementwise(op: string): LoweringRule<OpName> {
  return (node, context) => context.emitter.emit(op, broadcastOperands(node, context));
}

function broadcastOperands(node: Node, context: LoweringContext): Value[] {
  const unstretched = (operand: Node): Value | undefined => {
    if (isOp(operand, 'expand')) return context.value(operand.inputs[0]);
    if (isOp(operand, 'fill')) return context.emitter.scalar(operand.attributes.value);
    return undefined;
  };
  const values = node.inputs.map(context.value);
  // Another operand must give the result its full shape.
  const full = node.inputs.findIndex(
    (operand) => unstretched(operand) === undefined && sameShape(operand.shape, node.shape),
  );
  if (full < 0) return values;
  return node.inputs.map((operand, i) => unstretched(operand) ?? values[i]);
}

function reduce(op: string): LoweringRule<'reduceSum' | 'reduceMax'> {
  return (node, { emitter, value }) => {
    const [x] = node.inputs;
    const { axes, keepDims } = node.attributes;
    // Without axes ONNX would reduce over all of them.
    if (axes.length === 0) return value(x);
    return emitter.emit(op, [value(x), emitter.ints(axes)], { keepdims: keepDims ? 1 : 0 });
  };
}

/** Sum of a value over some axes. */
function sum({ emitter }: LoweringContext, x: Value, axes: readonly number[], keepDims: boolean): Value {
  return emitter.emit('ReduceSum', [x, emitter.ints(axes)], { keepdims: keepDims ? 1 : 0 });
}

/** The shape operand of Reshape: 0 keeps an axis, −1 is what is left; only what they cannot say is computed. */
function reshapeTarget({ emitter }: LoweringContext, from: Shape, to: Shape): Value {
  const kept = to.map((dim, axis): Dim => (typeof dim === 'string' && from[axis] === dim ? 0 : dim));
  const unknown = kept.findIndex((dim) => typeof dim === 'string');
  if (unknown >= 0) kept[unknown] = -1;
  return emitter.shape(kept);
}

function reshape(context: LoweringContext, x: Value, from: Shape, to: Shape): Value {
  if (sameShape(from, to)) return x;
  return context.emitter.emit('Reshape', [x, reshapeTarget(context, from, to)]);
}

const transposedAxes = (rank: number) => [...Array(rank - 2).keys(), rank - 1, rank - 2];

const matmul: LoweringRule<'matmul'> = (node, context) => {
  const { emitter, target } = context;
  const [a, b] = node.inputs.map(context.value);
  const { transposeA, transposeB, scale } = node.attributes;
  const rank = node.shape.length;
  const flags = { transA: Number(transposeA), transB: Number(transposeB), alpha: { float: scale } };
  if (rank === 2) return emitter.emit('Gemm', [a, b], flags);
  if (target === 'cpu') return emitter.emitContrib('FusedMatMul', [a, b], flags);
  const perm = { ints: transposedAxes(rank) };
  const product = emitter.emit('MatMul', [
    transposeA ? emitter.emit('Transpose', [a], { perm }) : a,
    transposeB ? emitter.emit('Transpose', [b], { perm }) : b,
  ]);
  return scale === 1 ? product : emitter.emit('Mul', [product, emitter.scalar(scale)]);
};

/** The terms of a sum: the operands of adds of one shape that nothing else reads. */
function termsOf(node: Node, context: LoweringContext): Node[] {
  return node.inputs.flatMap((operand) =>
    isOp(operand, 'add') && context.uses(operand) === 1 && sameShape(operand.shape, node.shape)
      ? termsOf(operand, context)
      : [operand],
  );
}

/**
 * A sum takes in the scattered rows among its terms: ScatterElements adds to its operand, so that a gradient
 * accumulates in place and no dense table of zeros is made.
 */
const add: LoweringRule<'add'> = (node, context) => {
  const scattered = (term: Node): term is Node<'scatterAddRows'> =>
    isOp(term, 'scatterAddRows') && context.uses(term) === 1;
  const terms = termsOf(node, context);
  const scatters = terms.filter(scattered);
  const others = terms.filter((term) => !scattered(term));
  if (scatters.length === 0 || others.length === 0 || !others.some((term) => sameShape(term.shape, node.shape))) {
    return elementwise('Add')(node, context);
  }
  const base = others.map(context.value).reduce((total, term) => context.emitter.emit('Add', [total, term]));
  return scatters.reduce((total, scatter) => scatterRows(scatter, context, total), base);
};

function scatterRows(node: Node<'scatterAddRows'>, { emitter, value }: LoweringContext, onto: Value): Value {
  const [ids, updates] = node.inputs;
  const column = emitter.emit('Unsqueeze', [value(ids), emitter.ints([1])]);
  const width = updates.shape[1];
  const indices = emitter.emit('Expand', [column, emitter.shape([1, width])]);
  return emitter.emit('ScatterElements', [onto, indices, value(updates)], { axis: 0, reduction: { text: 'add' } });
}

function filled({ emitter }: LoweringContext, shape: Shape, value: number): Value {
  const data = new Uint8Array(new Float32Array([value]).buffer);
  return emitter.emit('ConstantOfShape', [emitter.shape(shape)], {
    value: { tensor: { type: 'float32', shape: [1], data } },
  });
}

/** Φ(x) = ½(1 + erf(x/√2)). HardSigmoid is max(0, min(1, αx + β)): the affine step in one pass. */
function normalDistribution({ emitter }: LoweringContext, x: Value): Value {
  const erf = emitter.emit('Erf', [emitter.emit('Mul', [x, emitter.scalar(Math.SQRT1_2)])]);
  return emitter.emit('HardSigmoid', [erf], { alpha: { float: 0.5 }, beta: { float: 0.5 } });
}

/** d/dx x·Φ(x) = Φ(x) + x·φ(x) with φ(x) = exp(−x²/2)/√(2π); the constant goes into the exponent, which saves a pass. */
const geluGrad: LoweringRule<'geluGrad'> = (node, context) => {
  const { emitter } = context;
  const [x, dy] = node.inputs.map(context.value);
  // With s = x/√2: x·φ(x) = s·exp(−s² − ½ ln π), and s is at hand from Φ.
  const s = emitter.emit('Mul', [x, emitter.scalar(Math.SQRT1_2)]);
  const exponent = emitter.emit('Sub', [emitter.scalar(-0.5 * Math.log(Math.PI)), emitter.emit('Mul', [s, s])]);
  const slope = emitter.emit('Mul', [s, emitter.emit('Exp', [exponent])]);
  return emitter.emit('Mul', [emitter.emit('Add', [normalDistribution(context, x), slope]), dy]);
};

/** −log softmax(x)[label] = max x − log max softmax(x) − x[label]; max softmax(x) ≥ 1/V, so that nothing underflows. */
const softmaxCrossEntropy: LoweringRule<'softmaxCrossEntropy'> = (node, context) => {
  const { emitter } = context;
  const [logits, labels] = node.inputs.map(context.value);
  const last = emitter.ints([1]);
  const largest = emitter.emit('ReduceMax', [logits, last], { keepdims: 0 });
  const largestProbability = emitter.emit('ReduceMax', [emitter.emit('Softmax', [logits], { axis: -1 }), last], {
    keepdims: 0,
  });
  const logSum = emitter.emit('Sub', [largest, emitter.emit('Log', [largestProbability])]);
  return emitter.emit('Sub', [logSum, pickColumn(context, logits, labels)]);
};

const softmaxCrossEntropyGrad: LoweringRule<'softmaxCrossEntropyGrad'> = (node, context) => {
  const { emitter } = context;
  const [logits, labels, dloss] = node.inputs.map(context.value);
  const last = emitter.ints([1]);
  const column = emitter.emit('Unsqueeze', [dloss, last]);
  const scaled = emitter.emit('Mul', [emitter.emit('Softmax', [logits], { axis: -1 }), column]);
  const at = emitter.emit('Unsqueeze', [labels, last]);
  return emitter.emit('ScatterElements', [scaled, at, emitter.emit('Neg', [column])], {
    axis: 1,
    reduction: { text: 'add' },
  });
};

/** x[n, ids[n]] */
function pickColumn({ emitter }: LoweringContext, x: Value, ids: Value): Value {
  const last = emitter.ints([1]);
  const picked = emitter.emit('GatherElements', [x, emitter.emit('Unsqueeze', [ids, last])], { axis: 1 });
  return emitter.emit('Squeeze', [picked, last]);
}

interface Normalized {
  readonly xhat: Value;
  /** 1/√(var + epsilon), with a last axis of 1. */
  readonly inverseDeviation: Value;
}

/** x̂ = (x − mean)/√(var + epsilon): layer norm with a scale of 1 and no shift, one pass of the kernel. */
function normalized({ emitter }: LoweringContext, x: Node, value: Value, epsilon: number): Normalized {
  const width = x.shape.at(-1) as number;
  const ones = emitter.constant('float32', [width], new Float32Array(width).fill(1));
  const [xhat, , inverseDeviation] = emitter.emitAll(
    'LayerNormalization',
    [value, ones],
    3,
    layerNormAttributes(epsilon),
  );
  return { xhat, inverseDeviation };
}

const layerNormAttributes = (epsilon: number) => ({ axis: -1, epsilon: { float: epsilon } });

/** With g = dy·scale: dx = (g − mean g − x̂·mean(g·x̂)) / √(var + epsilon), means over the last axis. */
const layerNormGradInput: LoweringRule<'layerNormGradInput'> = (node, context) => {
  const { emitter } = context;
  const [x, scale, dy] = node.inputs.map(context.value);
  const { xhat, inverseDeviation } = normalized(context, node.inputs[0], x, node.attributes.epsilon);
  const mean = (value: Value) => emitter.emit('ReduceMean', [value, emitter.ints([-1])], { keepdims: 1 });
  const g = emitter.emit('Mul', [dy, scale]);
  const along = emitter.emit('Mul', [xhat, mean(emitter.emit('Mul', [g, xhat]))]);
  const centred = emitter.emit('Sub', [emitter.emit('Sub', [g, mean(g)]), along]);
  return emitter.emit('Mul', [centred, inverseDeviation]);
};

const layerNormGradScale: LoweringRule<'layerNormGradScale'> = (node, context) => {
  const [x, dy] = node.inputs.map(context.value);
  const { xhat } = normalized(context, node.inputs[0], x, node.attributes.epsilon);
  const leading = [...Array(lastAxis(node.inputs[0])).keys()];
  const product = context.emitter.emit('Mul', [dy, xhat]);
  return leading.length === 0 ? product : sum(context, product, leading, false);
};

const reduceSum: LoweringRule<'reduceSum'> = (node, context) => {
  const { emitter, value } = context;
  const [x] = node.inputs;
  const all = node.attributes.axes.length === x.shape.length;
  if (all && isOp(x, 'mul') && x.inputs[0] === x.inputs[1] && x.shape.length > 0) {
    return emitter.emit('ReduceSumSquare', [value(x.inputs[0]), emitter.ints(node.attributes.axes)], {
      keepdims: Number(node.attributes.keepDims),
    });
  }
  if (context.target === 'cpu' && x.shape.length === 2 && node.attributes.axes.join() === '0')
    return sumOfRows(node, context);
  return reduce('ReduceSum')(node, context);
};

/** Sum of a matrix's rows (the derivative of a bias) as a product with a row of ones: half the time of ReduceSum. */
function sumOfRows(node: Node<'reduceSum'>, context: LoweringContext): Value {
  const { emitter } = context;
  const [x] = node.inputs;
  const total = emitter.emit('Gemm', [filled(context, [1, x.shape[0]], 1), context.value(x)]);
  return node.attributes.keepDims ? total : emitter.emit('Squeeze', [total, emitter.ints([0])]);
}

/** Rows shorter than this are not worth more than one node. */
const LONG_ROW = 1024;
const BLOCK = 64;

/**
 * CumSum takes one element at a time in one thread. For long rows (a vocabulary's probabilities) the sums within blocks
 * of 64 are a product with a triangle of ones, and only the block totals are summed one by one: less than half the time.
 * It stays monotone: a block begins with just the sum that the block before ends with.
 */
const cumulativeSum: LoweringRule<'cumulativeSum'> = (node, context) =>
  runningSum(context, node.inputs[0], node.attributes.reverse);

function runningSum(context: LoweringContext, x: Node, reverse: boolean): Value {
  const { emitter, target } = context;
  const value = context.value(x);
  const width = x.shape.at(-1);
  const running = (of: Value, axis: number, exclusive: boolean) =>
    emitter.emit('CumSum', [of, emitter.scalar(axis, 'int32')], {
      reverse: Number(reverse),
      exclusive: Number(exclusive),
    });
  if (target !== 'cpu' || x.shape.length !== 2 || typeof width !== 'number' || width < LONG_ROW) {
    return running(value, lastAxis(x), false);
  }
  const blocks = Math.ceil(width / BLOCK);
  const padded = emitter.emit('Pad', [value, emitter.ints([0, 0, 0, blocks * BLOCK - width])]);
  const rows = emitter.emit('Reshape', [padded, emitter.ints([-1, BLOCK])]);
  const within = emitter.emit('Gemm', [rows, triangleOfOnes(emitter)], { transB: Number(reverse) });
  const edge = reverse ? 0 : BLOCK - 1;
  const totals = emitter.emit('Slice', [within, emitter.ints([edge]), emitter.ints([edge + 1]), emitter.ints([1])]);
  const before = running(emitter.emit('Reshape', [totals, emitter.ints([-1, blocks])]), 1, true);
  const sums = emitter.emit('Add', [
    emitter.emit('Reshape', [within, emitter.ints([-1, blocks, BLOCK])]),
    emitter.emit('Unsqueeze', [before, emitter.ints([2])]),
  ]);
  const joined = emitter.emit('Reshape', [sums, emitter.ints([-1, blocks * BLOCK])]);
  return emitter.emit('Slice', [joined, emitter.ints([0]), emitter.ints([width]), emitter.ints([1])]);
}

/**
 * How many running sums are still below u·total. Comparing with u times the last sum, not with u, makes float32 rounding
 * of the total harmless: the result is below V.
 */
const sampleRows: LoweringRule<'sampleRows'> = (node, context) => {
  const { emitter } = context;
  const [probabilities, uniforms] = node.inputs;
  const width = Number(probabilities.shape[1]);
  const last = emitter.ints([1]);
  const running = runningSum(context, probabilities, false);
  const total = emitter.emit('Slice', [running, emitter.ints([width - 1]), emitter.ints([width]), last]); // [N, 1]
  const threshold = emitter.emit('Mul', [emitter.emit('Unsqueeze', [context.value(uniforms), last]), total]);
  const below = emitter.emit('Cast', [emitter.emit('Less', [running, threshold])], { to: elementTypeCode('float32') });
  const count = emitter.emit('ReduceSum', [below, last], { keepdims: 0 });
  return emitter.emit('Cast', [count], { to: elementTypeCode('int32') });
};

/** [BLOCK, BLOCK] with ones on and above the diagonal. */
function triangleOfOnes(emitter: Emitter): Value {
  const ones = Float32Array.from({ length: BLOCK * BLOCK }, (_, i) => Number(i % BLOCK >= Math.floor(i / BLOCK)));
  return emitter.constant('float32', [BLOCK, BLOCK], ones);
}

const expand: LoweringRule<'expand'> = (node, { emitter, value }) => {
  const [x] = node.inputs;
  const missing = node.shape.length - x.shape.length;
  // An axis that has its size already is left to broadcasting, so that its size need not be computed.
  const target = node.shape.map((dim, axis) => (x.shape[axis - missing] === dim ? 1 : dim));
  if (target.every((dim) => dim === 1) && missing === 0) return value(x);
  return emitter.emit('Expand', [value(x), emitter.shape(target)]);
};

const notLowered: LoweringRule<'input' | 'state'> = (node) => {
  throw new Error(`${node.op} "${node.attributes.name}" is bound by name, not lowered`);
};

export const lowering: { readonly [K in OpName]: LoweringRule<K> } = {
  input: notLowered,
  state: notLowered,
  constant: (node, { emitter }) => emitter.constant(node.attributes.dtype, node.attributes.shape, node.attributes.data),
  fill: (node, context) => filled(context, node.shape, node.attributes.value),

  add,
  sub: elementwise('Sub'),
  mul: elementwise('Mul'),
  div: elementwise('Div'),
  equal: elementwise('Equal'),
  less: elementwise('Less'),
  neg: direct('Neg'),
  exp: direct('Exp'),
  log: direct('Log'),
  sqrt: direct('Sqrt'),
  tanh: direct('Tanh'),
  sigmoid: direct('Sigmoid'),
  softplus: direct('Softplus'),
  floor: direct('Floor'),
  gelu: direct('Gelu'),
  geluGrad,
  cast: (node, { emitter, value }) =>
    emitter.emit('Cast', [value(node.inputs[0])], { to: elementTypeCode(node.attributes.to) }),
  where: elementwise('Where'),
  stopGradient: (node, { value }) => value(node.inputs[0]),

  reshape: (node, context) => reshape(context, context.value(node.inputs[0]), node.inputs[0].shape, node.shape),
  transpose: (node, { emitter, value }) =>
    emitter.emit('Transpose', [value(node.inputs[0])], { perm: { ints: node.attributes.permutation } }),
  expand,
  slice: (node, { emitter, value }) => {
    const { axis, start, end } = node.attributes;
    return emitter.emit('Slice', [
      value(node.inputs[0]),
      emitter.ints([start]),
      emitter.ints([end]),
      emitter.ints([axis]),
    ]);
  },
  sliceGrad: (node, { emitter, value }) => {
    const [dy] = node.inputs;
    const { shape, axis, start } = node.attributes;
    const rest = shape.length - axis - 1;
    const before = [...Array(axis).fill(0), start, ...Array(rest + axis).fill(0)];
    const end = start + (dy.shape[axis] as number);
    const after = emitter.emit('Sub', [emitter.shape([shape[axis]]), emitter.ints([end])]);
    const parts = [emitter.ints(before), after, ...(rest > 0 ? [emitter.ints(Array(rest).fill(0))] : [])];
    return emitter.emit('Pad', [value(dy), emitter.emit('Concat', parts, { axis: 0 })]);
  },
  concat: (node, { emitter, value }) => emitter.emit('Concat', node.inputs.map(value), { axis: node.attributes.axis }),

  reduceSum,
  reduceMax: reduce('ReduceMax'),
  argMax: (node, { emitter, value }) =>
    emitter.emit('Cast', [emitter.emit('ArgMax', [value(node.inputs[0])], { axis: -1, keepdims: 0 })], {
      to: elementTypeCode('int32'),
    }),
  cumulativeSum,
  sampleRows,

  matmul,
  linear: (node, { emitter, value }) => emitter.emit('Gemm', node.inputs.map(value), { transB: 1 }),

  softmax: (node, { emitter, value }) => emitter.emit('Softmax', [value(node.inputs[0])], { axis: -1 }),
  softmaxGrad: (node, context) => {
    const { emitter } = context;
    const [y, dy] = node.inputs.map(context.value);
    const product = emitter.emit('Mul', [dy, y]);
    const total = sum(context, product, [lastAxis(node)], true);
    return emitter.emit('Mul', [y, emitter.emit('Sub', [dy, total])]);
  },
  softmaxCrossEntropy,
  softmaxCrossEntropyGrad,
  layerNorm: (node, { emitter, value }) =>
    emitter.emit('LayerNormalization', node.inputs.map(value), layerNormAttributes(node.attributes.epsilon)),
  layerNormGradInput,
  layerNormGradScale,

  gather: (node, { emitter, value }) => emitter.emit('Gather', node.inputs.map(value), { axis: 0 }),
  scatterAddRows: (node, context) => scatterRows(node, context, filled(context, node.shape, 0)),
  scatter: (node, { emitter, value }) =>
    emitter.emit('ScatterElements', node.inputs.map(value), {
      axis: 0,
      reduction: { text: node.attributes.add ? 'add' : 'none' },
    }),
  pick: (node, context) => {
    const [x, ids] = node.inputs.map(context.value);
    return pickColumn(context, x, ids);
  },
  oneHot: (node, { emitter, value }) => {
    const { depth } = node.attributes;
    const classes = emitter.constant(
      'int32',
      [depth],
      Int32Array.from({ length: depth }, (_, i) => i),
    );
    const column = emitter.emit('Unsqueeze', [value(node.inputs[0]), emitter.ints([-1])]);
    return emitter.emit('Cast', [emitter.emit('Equal', [column, classes])], { to: elementTypeCode('float32') });
  },
};
