/**
 * What each op is in oneDNN: one rule per op, complete by type. A rule adds steps to the plan and returns the view in
 * which the result lies; ops that only look at memory otherwise add none.
 */
import { elementCount } from '../../../graph/dimensions.js';
import { isOp, type Node } from '../../../graph/graph.js';
import type { OpName } from '../../../graph/ops.js';
import * as loops from '../loops/kernels.js';
import { mergeAxes } from '../loops/strided.js';
import { constantValue, maskOf, sumsRows } from './facts.js';
import type { Planner, Rule, Rules } from './planner.js';
import type { BinaryAlgorithm, Eltwise, EltwiseAlgorithm, PostOp, PrimitiveKinds } from './primitives.js';
import {
  constantView,
  denseStrides,
  type ElementType,
  isDense,
  isFull,
  permuted,
  reshaped,
  sameSizes,
  scratch,
  stretched,
  type View,
} from './values.js';

// ---- Views of memory

const constants = new Map<string, View>();

/** A vector of one value; the same for every plan, so that the library sees the same memory. */
function constantOf(value: number, count: number, type: ElementType): View {
  const key = `${value} ${count} ${type}`;
  let view = constants.get(key);
  if (!view) {
    const half = new Uint32Array(Float32Array.of(value).buffer)[0] >>> 16;
    const data = type === 'bf16' ? new Uint16Array(count).fill(half) : new Float32Array(count).fill(value);
    view = constantView(data, type, [count]);
    constants.set(key, view);
  }
  return view;
}

function reshape(view: View, shape: readonly number[], planner: Planner): View {
  return reshaped(view, shape) ?? { ...planner.dense(view), shape, strides: denseStrides(shape) };
}

function slice(view: View, { axis, start, end }: { axis: number; start: number; end: number }): View {
  const shape = view.shape.map((size, i) => (i === axis ? end - start : size));
  return { ...view, shape, offset: view.offset + start * view.strides[axis] };
}

const constant: Rule<'constant'> = (node) => {
  const { dtype, shape, data } = node.attributes;
  if (dtype === 'float32') return constantView(Float32Array.from(data), 'f32', shape);
  if (dtype === 'int32') return constantView(Int32Array.from(data), 's32', shape);
  return constantView(Uint8Array.from(data), 'u8', shape);
};

// ---- Chains

/** The steps of arithmetic that a link stands for, applied to what came before it. */
function postOpsOf(links: readonly Node[], head: Node, planner: Planner, shape: readonly number[]): PostOp[] {
  let previous = head;
  return links.flatMap((link) => {
    const postOps = isBinary(link) ? binaryLink(link, previous, planner, shape) : [unaryLink(link)];
    previous = link;
    return postOps;
  });
}

const eltwisePostOp = (algorithm: EltwiseAlgorithm, alpha = 0, beta = 0): PostOp => ({
  kind: 'eltwise',
  algorithm,
  alpha,
  beta,
});
const scaledBy = (factor: number): PostOp => eltwisePostOp('linear', factor);

/** Each f(x) as the library names it. */
const ELTWISE: Partial<Record<OpName, Eltwise>> = {
  neg: { algorithm: 'linear', alpha: -1, beta: 0 },
  exp: { algorithm: 'exp', alpha: 0, beta: 0 },
  log: { algorithm: 'log', alpha: 0, beta: 0 },
  sqrt: { algorithm: 'sqrt', alpha: 0, beta: 0 },
  tanh: { algorithm: 'tanh', alpha: 0, beta: 0 },
  sigmoid: { algorithm: 'logistic', alpha: 0, beta: 0 },
  softplus: { algorithm: 'softRelu', alpha: 1, beta: 0 },
  gelu: { algorithm: 'geluErf', alpha: 0, beta: 0 },
};

function unaryLink({ op }: Node): PostOp {
  return { kind: 'eltwise', ...ELTWISE[op]! };
}

type BinaryOp = 'add' | 'sub' | 'mul' | 'div';
function isBinary(node: Node): node is Node<BinaryOp> {
  return isOp(node, 'add') || isOp(node, 'sub') || isOp(node, 'mul') || isOp(node, 'div');
}

function binaryLink(link: Node<BinaryOp>, previous: Node, planner: Planner, shape: readonly number[]): PostOp[] {
  const isLeft = link.inputs[0] === previous;
  const other = link.inputs[isLeft ? 1 : 0];
  const value = constantValue(other);
  if (value !== undefined) return [withConstant(link.op, value, isLeft)].flat();
  if (link.op === 'mul') {
    const { operand, scale } = factor(other, planner, shape);
    return [{ kind: 'binary', algorithm: 'mul', operand }, ...scaling(scale)];
  }
  const operand = stretchedFloats(other, planner, shape);
  const combine = (algorithm: BinaryAlgorithm): PostOp => ({ kind: 'binary', algorithm, operand });
  if (link.op === 'add' || isLeft) return [combine(link.op)];
  // other − x = −x + other; other / x = x⁻¹ · other
  return link.op === 'sub' ? [scaledBy(-1), combine('add')] : [eltwisePostOp('power', 1, -1), combine('mul')];
}

/** What something is multiplied by; a dropout mask as the bytes that were fed, and what its ones stand for. */
function factor(node: Node, planner: Planner, shape: readonly number[]): { operand: View; scale: number } {
  const mask = maskOf(node);
  if (mask && sameSizes(planner.shape(node), shape)) {
    return { operand: planner.dense(planner.value(mask.flags)), scale: mask.scale };
  }
  return { operand: stretchedFloats(node, planner, shape), scale: 1 };
}

function scaling(scale: number): PostOp[] {
  return scale === 1 ? [] : [scaledBy(scale)];
}

/** x ∘ c, or c ∘ x, as functions of x. */
function withConstant(op: BinaryOp, c: number, isLeft: boolean): PostOp | PostOp[] {
  switch (op) {
    case 'add':
      return eltwisePostOp('linear', 1, c);
    case 'sub':
      return isLeft ? eltwisePostOp('linear', 1, -c) : eltwisePostOp('linear', -1, c);
    case 'mul':
      return scaledBy(c);
    case 'div':
      return isLeft ? scaledBy(1 / c) : [eltwisePostOp('power', c, -1)];
  }
}

/** The links behind a head, as post-ops. */
function chainOf(head: Node, root: Node, planner: Planner): PostOp[] {
  return postOpsOf(planner.chains.of(root).links, head, planner, planner.shape(root));
}

// ---- Products

const matmul: Rule<'matmul'> = (node, planner, root) => {
  const { transposeA, transposeB, scale } = node.attributes;
  const [a, b] = productOperands(node, planner);
  const rank = planner.shape(node).length;
  const swapped = [...Array(rank - 2).keys(), rank - 1, rank - 2];
  const dst = planner.result(root);
  const product = {
    src: transposeA ? permuted(a, swapped) : a,
    weights: transposeB ? permuted(b, swapped) : b,
    dst,
    postOps: [...scaling(scale), ...chainOf(node, root, planner)],
  };
  planner.chained('matmul', { kind: 'matmul', ...withoutUnitAxes(product) });
  return dst;
};

/**
 * An axis of size 1 before the matrices keeps the library from its fast products of strided ones: attention with one head. One
 * text of several heads, [1, heads, …], keeps its four axes, for which there are such products and with three there are none.
 */
function withoutUnitAxes(product: Omit<PrimitiveKinds['matmul'], 'bias'>): Omit<PrimitiveKinds['matmul'], 'bias'> {
  const { src, weights, dst, postOps } = product;
  const rank = dst.shape.length;
  if (rank === 4 && dst.shape[1] !== 1) return product;
  const kept = dst.shape.flatMap((size, axis) => (size !== 1 || axis >= rank - 2 ? [axis] : []));
  if (kept.length === rank) return product;
  const cut = (view: View): View => ({
    ...view,
    shape: kept.map((axis) => view.shape[axis]),
    strides: kept.map((axis) => view.strides[axis]),
  });
  return {
    src: cut(src),
    weights: cut(weights),
    dst: cut(dst),
    postOps: postOps.map((postOp) => (postOp.kind === 'binary' ? { ...postOp, operand: cut(postOp.operand) } : postOp)),
  };
}

const linear: Rule<'linear'> = (node, planner, root) => {
  const [x, weight] = productOperands(node, planner);
  const dst = planner.result(root);
  planner.chained('linear', {
    kind: 'matmul',
    src: x,
    weights: permuted(weight, [1, 0]),
    bias: planner.floats(node.inputs[2]),
    dst,
    postOps: chainOf(node, root, planner),
    ...(weight.buffer.residence.kind === 'constant' && { packs: true }),
  });
  return dst;
};

function productOperands(node: Node<'matmul' | 'linear'>, planner: Planner): [View, View] {
  const type = planner.productType;
  const operand = (input: Node) => {
    const view = planner.typed(input, type);
    return isProductOperand(view) ? view : planner.dense(view);
  };
  return [operand(node.inputs[0]), operand(node.inputs[1])];
}

/** Whether a view's matrices lie so that the library's fast products read them: one axis dense, none repeated. */
function isProductOperand(view: View): boolean {
  const [rows, columns] = view.shape.slice(-2);
  const [rowStep, columnStep] = view.strides.slice(-2);
  const hasDenseAxis = columnStep === 1 || rowStep === 1 || columns === 1 || rows === 1;
  return isFull(view) && hasDenseAxis;
}

/** Σ over rows as a product with ones: the reduction primitive has no fast kernel for it (5–22 ms against 0.01–0.3). */
function sumOfRows(x: View, planner: Planner): View {
  const [rows, width] = [elementCount(x.shape.slice(0, -1)), x.shape.at(-1)!];
  const dst = scratch('f32', [1, width]);
  planner.primitive('sum of rows', {
    kind: 'matmul',
    src: { ...constantOf(1, rows, x.type), shape: [1, rows], strides: [rows, 1] },
    weights: { ...x, shape: [rows, width], strides: [width, 1] },
    dst,
    postOps: [],
  });
  return dst;
}

// ---- Elementwise

function unary(op: OpName): Rule<OpName> {
  return (node, planner, root) => {
    const type = planner.typeOf(root) === 'bf16' ? 'bf16' : 'f32';
    const src = planner.dense(planner.typed(node.inputs[0], type));
    const dst = scratch(type, src.shape);
    planner.primitive(op, { kind: 'eltwise', ...ELTWISE[op]!, src, dst, postOps: [] });
    return dst;
  };
}

/** An elementwise loop, over operands of any type. */
function elementwise(op: OpName, f: (...values: number[]) => number): Rule<OpName> {
  return (node, planner, root) => {
    const shape = planner.shape(node);
    const operands = node.inputs.map((input) =>
      stretched(input.dtype === 'float32' ? planner.typed(input, 'f32') : planner.value(input), shape),
    );
    const dst = scratch(planner.typeOf(root), shape);
    const overwrites = operands.flatMap((view, i) =>
      view.type === dst.type && isDense(view) && isFull(view) ? [i] : [],
    );
    planner.loop(op, operands, [dst], loops.elementwise(operands, dst, f), overwrites);
    return dst;
  };
}

const integers: Readonly<Record<BinaryOp, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => Math.trunc(a / b),
};

function binary(op: BinaryOp): Rule<BinaryOp> {
  const integer = elementwise(op, integers[op]);
  return (node, planner, root) => {
    if (node.dtype !== 'float32') return integer(node, planner, root);
    const shape = planner.shape(node);
    const type = planner.typeOf(root) === 'bf16' ? 'bf16' : 'f32';
    const { a, b, algorithm, before } = binaryOperands(node, planner, type);
    const postOps = [...before, ...chainOf(node, root, planner)];
    const dst = scratch(type, shape);
    planner.chained(op, { kind: 'binary', algorithm, ...withFewAxes({ a, b, dst }, postOps) });
    return dst;
  };
}

interface BinaryOperands {
  readonly algorithm: BinaryAlgorithm;
  readonly a: View;
  readonly b: View;
  /** What turns a ∘ b into the op, where the operands had to change places. */
  readonly before: readonly PostOp[];
}

/** The library stretches only the second operand, so the first must be the whole one. */
function binaryOperands(node: Node<BinaryOp>, planner: Planner, type: 'f32' | 'bf16'): BinaryOperands {
  const shape = planner.shape(node);
  const [left, right] = node.inputs;
  const isWhole = (input: Node) =>
    sameSizes(planner.shape(input), shape) && isFull(planner.value(input)) && constantValue(input) === undefined;
  const whole = (input: Node) => planner.dense(stretched(planner.typed(input, type), shape));
  // A mask is no whole operand: it stays the bytes that were fed.
  const first = [left, right].find((input) => isWhole(input) && !maskOf(input)) ?? left;
  if (node.op === 'mul') {
    const { operand, scale } = factor(first === left ? right : left, planner, shape);
    return { algorithm: 'mul', a: whole(first), b: operand, before: scaling(scale) };
  }
  if (first === left) {
    return { algorithm: node.op, a: whole(left), b: stretchedFloats(right, planner, shape), before: [] };
  }
  const a = whole(right);
  const b = stretchedFloats(left, planner, shape);
  if (node.op === 'add') return { algorithm: 'add', a, b, before: [] };
  // left − right = −(right − left)
  if (node.op === 'sub') return { algorithm: 'sub', a, b, before: [scaledBy(-1)] };
  return { algorithm: 'div', a: planner.dense(b), b: a, before: [] };
}

function stretchedFloats(node: Node, planner: Planner, shape: readonly number[]): View {
  return stretched(planner.typed(node, 'f32'), shape);
}

/** Operands of an elementwise primitive under as few axes as they allow: the library's fast kernels know few patterns. */
function withFewAxes(views: { a: View; b: View; dst: View }, postOps: readonly PostOp[]) {
  const operands = postOps.flatMap((postOp) => (postOp.kind === 'binary' ? [postOp.operand] : []));
  const all = [views.dst, views.a, views.b, ...operands];
  const { shape, strides } = mergeAxes(all);
  const merged = all.map((view, i): View => {
    if (shape.length === 0) return { ...view, shape: [1], strides: [1] };
    return { ...view, shape, strides: strides[i] };
  });
  const [dst, a, b] = merged;
  let next = 3;
  return {
    a,
    b,
    dst,
    postOps: postOps.map((postOp) => (postOp.kind === 'binary' ? { ...postOp, operand: merged[next++] } : postOp)),
  };
}

/** A sum takes in the scattered rows among its terms, which are added in place: no dense table of zeros is made. */
const add: Rule<'add'> = (node, planner, root) => {
  const scattered = node.inputs.filter(
    (input): input is Node<'scatterAddRows'> =>
      isOp(input, 'scatterAddRows') && planner.facts.onlyConsumer(input) === node,
  );
  const isWhole = (input: Node) => sameSizes(planner.shape(input), planner.shape(node));
  if (root !== node || scattered.length === 0 || !node.inputs.every(isWhole)) {
    return binary('add')(node, planner, root);
  }
  const base = node.inputs.find((input) => input !== scattered[0])!;
  return addScatteredRows(scattered[0], planner, planner.floats(base));
};

function addScatteredRows(node: Node<'scatterAddRows'>, planner: Planner, base?: View): View {
  const [ids, updates] = node.inputs;
  const [rows, width] = planner.shape(node);
  const dst = scratch('f32', [rows, width]);
  const reads = [...(base ? [base] : []), planner.dense(planner.value(ids)), planner.floats(updates)];
  planner.loop('scatterAddRows', reads, [dst], loops.addRows(rows, width), base ? [0] : []);
  return dst;
}

const geluGrad: Rule<'geluGrad'> = (node, planner) => {
  const type = planner.typeOf(node) === 'bf16' ? 'bf16' : 'f32';
  const [src, diffDst] = node.inputs.map((input) => planner.dense(planner.typed(input, type)));
  const diffSrc = scratch(type, src.shape);
  planner.primitive('geluGrad', { kind: 'eltwiseBackward', ...ELTWISE.gelu!, src, diffDst, diffSrc });
  return diffSrc;
};

const cast: Rule<'cast'> = (node, planner, root) => {
  const [x] = node.inputs;
  const { to } = node.attributes;
  if (to === x.dtype) return planner.value(x);
  if (to === 'float32' && x.dtype === 'bool') {
    const src = planner.dense(planner.value(x));
    const dst = scratch('f32', src.shape);
    planner.primitive('cast', { kind: 'reorder', src, dst });
    return dst;
  }
  const f =
    to === 'bool' ? (value: number) => Number(value !== 0) : to === 'int32' ? Math.trunc : (value: number) => value;
  return elementwise('cast', f)(node, planner, root);
};

const where = elementwise('where', (condition, a, b) => (condition ? a : b));

// ---- Reductions

const reduceSum: Rule<'reduceSum'> = (node, planner) => {
  const { axes } = node.attributes;
  const [x] = node.inputs;
  const dst = planner.shape(node);
  const shiftGradient = planner.known<View>('shift gradient', x);
  if (shiftGradient && sumsRows(node, planner)) return { ...shiftGradient, shape: dst, strides: denseStrides(dst) };
  const groups = axisGroups(planner.shape(x), axes);
  const kinds = groups.map(({ reduced }) => (reduced ? 'reduced' : 'kept')).join();
  if (kinds === 'reduced,kept') {
    const rows = planner.dense(sumsRows(node, planner) ? planner.value(x) : planner.typed(x, 'f32'));
    return densely(sumOfRows(inGroups(rows, groups), planner), dst);
  }
  if (kinds === 'kept,reduced') return densely(reduceRows('sum', inGroups(planner.floats(x), groups), planner), dst);
  // Rows of one value each are no reduction.
  if (kinds === 'reduced' && groups[0].size > SUM_ROWS && groups[0].size % SUM_ROWS === 0)
    return densely(sumOfAll(planner.floats(x), planner), dst);
  return reduceByLoop(node, planner, 'sum');
};

const reduceMax: Rule<'reduceMax'> = (node, planner) => {
  const [x] = node.inputs;
  const groups = axisGroups(planner.shape(x), node.attributes.axes);
  if (groups.length === 2 && groups[1].reduced) {
    return densely(reduceRows('max', inGroups(planner.floats(x), groups), planner), planner.shape(node));
  }
  return reduceByLoop(node, planner, 'max');
};

interface AxisGroup {
  readonly size: number;
  readonly reduced: boolean;
}

/** Neighbouring axes that are all reduced, or all kept, as one. */
function axisGroups(shape: readonly number[], axes: readonly number[]): AxisGroup[] {
  const groups: { size: number; reduced: boolean }[] = [];
  shape.forEach((size, axis) => {
    const reduced = axes.includes(axis);
    if (groups.at(-1)?.reduced === reduced) groups.at(-1)!.size *= size;
    else groups.push({ size, reduced });
  });
  return groups;
}

function inGroups(view: View, groups: readonly AxisGroup[]): View {
  return densely(
    view,
    groups.map(({ size }) => size),
  );
}

function densely(view: View, shape: readonly number[]): View {
  return { ...view, shape, strides: denseStrides(shape) };
}

function reduceRows(algorithm: 'sum' | 'max', src: View, planner: Planner): View {
  const dst = scratch('f32', [src.shape[0], 1]);
  planner.primitive(algorithm === 'sum' ? 'reduceSum' : 'reduceMax', { kind: 'reduction', algorithm, src, dst });
  return dst;
}

/** One sum over everything goes by rows, so that threads share it; the few that are left are added in float64. */
const SUM_ROWS = 64;

function sumOfAll(x: View, planner: Planner): View {
  const rows = reduceRows('sum', densely(x, [SUM_ROWS, elementCount(x.shape) / SUM_ROWS]), planner);
  const dst = scratch('f32', []);
  const src = densely(rows, [SUM_ROWS]);
  planner.loop('reduceSum', [src], [dst], loops.reduce(src, stretched(dst, [SUM_ROWS]), 'sum'));
  return dst;
}

function reduceByLoop(node: Node<'reduceSum' | 'reduceMax'>, planner: Planner, algorithm: 'sum' | 'max'): View {
  const [x] = node.inputs;
  const src = planner.floats(x);
  const kept = src.shape.map((size, axis) => (node.attributes.axes.includes(axis) ? 1 : size));
  const dst = scratch('f32', kept);
  planner.loop(node.op, [src], [dst], loops.reduce(src, stretched(dst, src.shape), algorithm));
  return densely(dst, planner.shape(node));
}

// ---- Softmax, cross entropy, layer norm

/** The softmax of a node is made once, for the op itself and for cross entropies of the same logits. */
function softmaxOf(x: Node, planner: Planner, type: 'f32' | 'bf16'): View {
  const source = isOp(x, 'stopGradient') ? x.inputs[0] : x;
  return planner.shared(`softmax ${type}`, source, () => {
    const src = planner.floats(source);
    const dst = scratch(type, src.shape);
    planner.primitive('softmax', { kind: 'softmax', src, dst });
    return dst;
  });
}

const softmax: Rule<'softmax'> = (node, planner, root) =>
  softmaxOf(node.inputs[0], planner, planner.typeOf(root) === 'bf16' ? 'bf16' : 'f32');

const softmaxGrad: Rule<'softmaxGrad'> = (node, planner) => {
  const type = planner.typeOf(node) === 'bf16' ? 'bf16' : 'f32';
  const [dst, diffDst] = node.inputs.map((input) => planner.dense(planner.typed(input, type)));
  const diffSrc = scratch(type, dst.shape);
  planner.primitive('softmaxGrad', { kind: 'softmaxBackward', dst, diffDst, diffSrc });
  return diffSrc;
};

const softmaxCrossEntropy: Rule<'softmaxCrossEntropy'> = (node, planner) => {
  const [logits, labels] = node.inputs;
  const [rows, width] = planner.shape(logits);
  const reads = [planner.floats(logits), softmaxOf(logits, planner, 'f32'), planner.dense(planner.value(labels))];
  const dst = scratch('f32', [rows]);
  planner.loop(node.op, reads, [dst], loops.crossEntropy(width));
  return dst;
};

/** (softmax − onehot)·dloss: the rows scaled by a primitive, the one element a row by a loop. */
const softmaxCrossEntropyGrad: Rule<'softmaxCrossEntropyGrad'> = (node, planner) => {
  const [logits, labels, dloss] = node.inputs;
  const shape = planner.shape(logits);
  const probabilities = softmaxOf(logits, planner, 'f32');
  const scale = planner.floats(dloss);
  const scaled = scratch('f32', shape);
  planner.primitive(node.op, {
    kind: 'binary',
    algorithm: 'mul',
    a: probabilities,
    b: stretched({ ...scale, shape: [shape[0], 1], strides: [1, 1] }, shape),
    dst: scaled,
    postOps: [],
  });
  const dst = scratch('f32', shape);
  const reads = [scaled, planner.dense(planner.value(labels)), scale];
  planner.loop(node.op, reads, [dst], loops.subtractAtLabels(shape[1]), [0]);
  return dst;
};

interface LayerNormForward {
  readonly src: View;
  readonly dst: View;
  readonly statistics?: { readonly mean: View; readonly variance: View };
}

function rowsOf(view: View): View {
  return densely(view, [elementCount(view.shape.slice(0, -1)), view.shape.at(-1)!]);
}

/** Layer norm of a node, with the statistics of its rows where a derivative needs them. */
function layerNormForward(
  x: Node,
  epsilon: number,
  { scale, shift, statistics }: { scale: View; shift: View; statistics: boolean },
  planner: Planner,
): LayerNormForward {
  const src = rowsOf(planner.floats(x));
  const dst = scratch('f32', src.shape);
  const rows = src.shape.slice(0, 1);
  const made = statistics ? { mean: scratch('f32', rows), variance: scratch('f32', rows) } : undefined;
  planner.primitive('layerNorm', { kind: 'layerNorm', src, scale, shift, dst, statistics: made, epsilon });
  return { src, dst, statistics: made };
}

const layerNorm: Rule<'layerNorm'> = (node, planner) => {
  const [x, scale, shift] = node.inputs;
  const { epsilon } = node.attributes;
  const isDerived = planner.facts
    .consumers(x)
    .some((reader) => isLayerNormGrad(reader) && reader.attributes.epsilon === epsilon);
  const make = () =>
    layerNormForward(
      x,
      epsilon,
      { scale: planner.floats(scale), shift: planner.floats(shift), statistics: isDerived },
      planner,
    );
  // A second layer norm of the same operand, of another scale, keeps its own result.
  const key = `layer norm ${epsilon}`;
  const forward = isDerived && !planner.known(key, x) ? planner.shared(key, x, make) : make();
  return densely(forward.dst, planner.shape(node));
};

function isLayerNormGrad(node: Node): node is Node<'layerNormGradInput' | 'layerNormGradScale'> {
  return isOp(node, 'layerNormGradInput') || isOp(node, 'layerNormGradScale');
}

interface LayerNormGradients {
  readonly input: View;
  readonly scale: View;
}

/**
 * All three derivatives of a layer norm in one primitive: of its input, of its scale and of its shift. They are shared by
 * operand and cotangent; the shift's is left for the sum over dy's rows.
 */
function layerNormBackward(
  x: Node,
  dy: Node,
  scale: Node | undefined,
  epsilon: number,
  planner: Planner,
): LayerNormGradients {
  const width = planner.shape(x).at(-1)!;
  const gradients = (scaleView: View): LayerNormGradients => {
    const neutral = { scale: constantOf(1, width, 'f32'), shift: constantOf(0, width, 'f32'), statistics: true };
    const forward = planner.shared(`layer norm ${epsilon}`, x, () => layerNormForward(x, epsilon, neutral, planner));
    const diffDst = rowsOf(planner.floats(dy));
    const [diffSrc, diffScale, diffShift] = [
      scratch('f32', diffDst.shape),
      scratch('f32', [width]),
      scratch('f32', [width]),
    ];
    planner.primitive('layerNormGrad', {
      kind: 'layerNormBackward',
      src: forward.src,
      scale: scaleView,
      // Not needed by the derivatives, but the library (2.6.3) returns none without it.
      shift: constantOf(0, width, 'f32'),
      statistics: forward.statistics!,
      diffDst,
      diffSrc,
      diffScale,
      diffShift,
      epsilon,
    });
    planner.shared('shift gradient', dy, () => diffShift);
    return { input: diffSrc, scale: diffScale };
  };
  return planner.shared(`layer norm gradients of ${x.id}, ${epsilon} by ${scale?.id}`, dy, () =>
    gradients(scale ? planner.floats(scale) : constantOf(1, width, 'f32')),
  );
}

const layerNormGradInput: Rule<'layerNormGradInput'> = (node, planner) => {
  const [x, scale, dy] = node.inputs;
  const { input } = layerNormBackward(x, dy, scale, node.attributes.epsilon, planner);
  return densely(input, planner.shape(node));
};

/**
 * Does not depend on the scale: the backward pass that gives the input's derivative gives it too. Not where that one's scale
 * is younger than this node, as it may be computed from this node itself.
 */
const layerNormGradScale: Rule<'layerNormGradScale'> = (node, planner) => {
  const [x, dy] = node.inputs;
  const { epsilon } = node.attributes;
  const together = planner.facts
    .consumers(x)
    .find(
      (reader) =>
        isOp(reader, 'layerNormGradInput') &&
        reader.inputs[0] === x &&
        reader.inputs[1].id < node.id &&
        reader.inputs[2] === dy &&
        reader.attributes.epsilon === epsilon,
    );
  return layerNormBackward(x, dy, together?.inputs[1], epsilon, planner).scale;
};

// ---- Loops

const floatsAnd = (node: Node, planner: Planner) =>
  node.inputs.map((input) => (input.dtype === 'float32' ? planner.floats(input) : planner.dense(planner.value(input))));

function looped(
  run: (node: Node, planner: Planner) => (reads: readonly View[], dst: View) => Parameters<Planner['loop']>[3],
  overwrites: readonly number[] = [],
): Rule<OpName> {
  return (node, planner, root) => {
    const reads = floatsAnd(node, planner);
    const dst = scratch(planner.typeOf(root), planner.shape(node));
    planner.loop(node.op, reads, [dst], run(node, planner)(reads, dst), overwrites);
    return dst;
  };
}

const lastSize = (view: View) => view.shape.at(-1) ?? 1;

const sliceGrad: Rule<'sliceGrad'> = (node, planner) => {
  const { axis, start } = node.attributes;
  const dy = planner.floats(node.inputs[0]);
  const dst = scratch('f32', planner.shape(node));
  const part = slice(dst, { axis, start, end: start + dy.shape[axis] });
  planner.loop('sliceGrad', [dy], [dst], loops.copyIntoZeros(dy, part));
  return dst;
};

const concat: Rule<'concat'> = (node, planner, root) => {
  const { axis } = node.attributes;
  const dst = scratch(planner.typeOf(root), planner.shape(node));
  let start = 0;
  for (const input of node.inputs) {
    const src = input.dtype === 'float32' ? planner.typed(input, 'f32') : planner.value(input);
    const end = start + src.shape[axis];
    const part = slice(dst, { axis, start, end });
    planner.loop('concat', [src], [part], loops.copy(src, part));
    start = end;
  }
  return dst;
};

export const rules: Rules = {
  input: (node, planner) => planner.input(node),
  state: (node, planner) => planner.state(node),
  constant,
  fill: ({ attributes: { value } }, planner, root) =>
    stretched(densely(constantOf(value, 1, 'f32'), []), planner.shape(root)),

  add,
  sub: binary('sub'),
  mul: binary('mul'),
  div: binary('div'),
  equal: elementwise('equal', (a, b) => Number(a === b)),
  less: elementwise('less', (a, b) => Number(a < b)),
  neg: unary('neg'),
  exp: unary('exp'),
  log: unary('log'),
  sqrt: unary('sqrt'),
  tanh: unary('tanh'),
  sigmoid: unary('sigmoid'),
  softplus: unary('softplus'),
  floor: elementwise('floor', Math.floor),
  gelu: unary('gelu'),
  geluGrad,
  cast,
  where,
  stopGradient: ({ inputs: [x] }, planner, _root, source) => source ?? planner.value(x),

  reshape: (node, planner, root, source) =>
    reshape(source ?? planner.value(node.inputs[0]), planner.shape(root), planner),
  transpose: (node, planner, _root, source) =>
    permuted(source ?? planner.value(node.inputs[0]), node.attributes.permutation),
  expand: (node, planner, root, source) => stretched(source ?? planner.value(node.inputs[0]), planner.shape(root)),
  slice: (node, planner, _root, source) => slice(source ?? planner.value(node.inputs[0]), node.attributes),
  sliceGrad,
  concat,

  reduceSum,
  reduceMax,
  argMax: looped(
    () =>
      ([x]) =>
        loops.argMax(lastSize(x)),
  ),
  cumulativeSum: (node, planner, root) => {
    const { reverse } = node.attributes;
    return looped(
      () =>
        ([x]) =>
          loops.runningSums(lastSize(x), reverse),
      [0],
    )(node, planner, root);
  },
  sampleRows: looped(
    () =>
      ([probabilities]) =>
        loops.sampleRows(lastSize(probabilities)),
  ),

  matmul,
  linear,

  softmax,
  softmaxGrad,
  softmaxCrossEntropy,
  softmaxCrossEntropyGrad,
  layerNorm,
  layerNormGradInput,
  layerNormGradScale,

  gather: looped(
    () =>
      ([table]) =>
        loops.gatherRows(table.shape[0], table.shape[1]),
  ),
  scatterAddRows: (node, planner) => addScatteredRows(node, planner),
  scatter: (node, planner, root) => {
    const { add: adds } = node.attributes;
    return looped(() => () => loops.scatter(adds), [0])(node, planner, root);
  },
  pick: looped(
    () =>
      ([x]) =>
        loops.pick(lastSize(x)),
  ),
  oneHot: (node, planner, root) => {
    const { depth } = node.attributes;
    return looped(() => () => loops.oneHot(depth))(node, planner, root);
  },
};
