/**
 * Every primitive as loops of TypeScript over the same memory: what runs where the library has no implementation, or none
 * but its own slow reference. Obvious rather than fast.
 */
import { elementCount } from '../../../graph/dimensions.js';
import { erf } from '../../../interpreter/erf.js';
import type { Elements } from '../plan/plan.js';
import type {
  ArgumentName,
  BinaryAlgorithm,
  Eltwise,
  EltwiseAlgorithm,
  PostOp,
  Primitive,
  PrimitiveKind,
  PrimitiveKinds,
} from '../plan/primitives.js';
import { denseStrides, type View } from '../plan/values.js';
import { fromBfloat16, toBfloat16 } from './bfloat16.js';
import { forEachRun, mergeAxes } from './strided.js';

/** The memory of a view, as the primitive at hand names it. */
export type Memory = (view: View, name: ArgumentName) => Elements;

const normalDistribution = (x: number) => 0.5 * (1 + erf(x * Math.SQRT1_2));
const normalDensity = (x: number) => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
const logistic = (x: number) => 1 / (1 + Math.exp(-x));

interface Curve {
  readonly value: (x: number, alpha: number, beta: number) => number;
  readonly slope: (x: number, alpha: number, beta: number) => number;
}

const curves: Readonly<Record<EltwiseAlgorithm, Curve>> = {
  linear: { value: (x, alpha, beta) => alpha * x + beta, slope: (_x, alpha) => alpha },
  exp: { value: Math.exp, slope: Math.exp },
  log: { value: Math.log, slope: (x) => 1 / x },
  sqrt: { value: Math.sqrt, slope: (x) => 0.5 / Math.sqrt(x) },
  tanh: { value: Math.tanh, slope: (x) => 1 - Math.tanh(x) ** 2 },
  logistic: { value: logistic, slope: (x) => logistic(x) * (1 - logistic(x)) },
  softRelu: { value: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), slope: logistic },
  geluErf: {
    value: (x) => x * normalDistribution(x),
    slope: (x) => normalDistribution(x) + x * normalDensity(x),
  },
  power: {
    value: (x, alpha, beta) => alpha * x ** beta,
    slope: (x, alpha, beta) => alpha * beta * x ** (beta - 1),
  },
};

const combinations: Readonly<Record<BinaryAlgorithm, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  max: Math.max,
  min: Math.min,
};

type Rule<K extends PrimitiveKind> = (primitive: PrimitiveKinds[K], memory: Memory) => void;

/** Computes a primitive. */
export function runPrimitive(primitive: Primitive, memory: Memory): void {
  (rules[primitive.kind] as Rule<PrimitiveKind>)(primitive, memory);
}

/** The elements of a view in row-major order. */
function read(view: View, elements: Elements): Float64Array {
  const result = new Float64Array(elementCount(view.shape));
  let at = 0;
  const half = view.type === 'bf16';
  forEachRun(mergeAxes([view]), ([offset], [step], count) => {
    for (let i = 0; i < count; i++) {
      const element = elements[offset + i * step];
      result[at++] = half ? fromBfloat16(element) : element;
    }
  });
  return result;
}

/** Writes values, in row-major order, to a view. */
function write(view: View, elements: Elements, values: ArrayLike<number>): void {
  let at = 0;
  const half = view.type === 'bf16';
  forEachRun(mergeAxes([view]), ([offset], [step], count) => {
    for (let i = 0; i < count; i++) {
      const value = values[at++];
      elements[offset + i * step] = half ? toBfloat16(value) : value;
    }
  });
}

/** Applies the post-ops of a primitive to its values and writes them. */
function finish(values: Float64Array, dst: View, postOps: readonly PostOp[], memory: Memory): void {
  const target = memory(dst, 'dst');
  for (const [place, postOp] of postOps.entries()) {
    if (postOp.kind === 'eltwise') {
      mapInPlace(values, postOp);
    } else if (postOp.kind === 'sum') {
      const before = read(dst, target);
      for (let i = 0; i < values.length; i++) values[i] += postOp.scale * before[i];
    } else {
      const operand = read(postOp.operand, memory(postOp.operand, { postOp: place }));
      const combine = combinations[postOp.algorithm];
      for (let i = 0; i < values.length; i++) values[i] = combine(values[i], operand[i]);
    }
  }
  write(dst, target, values);
}

function mapInPlace(values: Float64Array, { algorithm, alpha, beta }: Eltwise): void {
  const { value } = curves[algorithm];
  for (let i = 0; i < values.length; i++) values[i] = value(values[i], alpha, beta);
}

const rules: { readonly [K in PrimitiveKind]: Rule<K> } = {
  matmul({ src, weights, bias, dst, postOps }, memory) {
    const [a, b] = [read(src, memory(src, 'src')), read(weights, memory(weights, 'weights'))];
    const shift = bias && read(bias, memory(bias, 'bias'));
    const [rows, columns] = dst.shape.slice(-2);
    const inner = src.shape.at(-1)!;
    const values = new Float64Array(elementCount(dst.shape));
    for (let row = 0; row < values.length / columns; row++) {
      const matrix = Math.floor(row / rows);
      const out = values.subarray(row * columns, (row + 1) * columns);
      if (shift) out.set(shift);
      for (let k = 0; k < inner; k++) {
        const factor = a[row * inner + k];
        const from = (matrix * inner + k) * columns;
        for (let column = 0; column < columns; column++) out[column] += factor * b[from + column];
      }
    }
    finish(values, dst, postOps, memory);
  },
  eltwise(primitive, memory) {
    const { src, dst, postOps } = primitive;
    const values = read(src, memory(src, 'src'));
    mapInPlace(values, primitive);
    finish(values, dst, postOps, memory);
  },
  eltwiseBackward({ algorithm, alpha, beta, src, diffDst, diffSrc }, memory) {
    const [x, dy] = [read(src, memory(src, 'src')), read(diffDst, memory(diffDst, 'diffDst'))];
    const { slope } = curves[algorithm];
    write(
      diffSrc,
      memory(diffSrc, 'diffSrc'),
      dy.map((value, i) => value * slope(x[i], alpha, beta)),
    );
  },
  binary({ algorithm, a, b, dst, postOps }, memory) {
    const values = read(a, memory(a, 'src'));
    const other = read(b, memory(b, 'src1'));
    const combine = combinations[algorithm];
    for (let i = 0; i < values.length; i++) values[i] = combine(values[i], other[i]);
    finish(values, dst, postOps, memory);
  },
  softmax({ src, dst }, memory) {
    const values = read(src, memory(src, 'src'));
    forEachRow(src, (from, to) => {
      const row = values.subarray(from, to);
      const largest = row.reduce((a, b) => Math.max(a, b), -Infinity);
      let total = 0;
      for (let i = 0; i < row.length; i++) total += row[i] = Math.exp(row[i] - largest);
      for (let i = 0; i < row.length; i++) row[i] /= total;
    });
    write(dst, memory(dst, 'dst'), values);
  },
  softmaxBackward({ dst, diffDst, diffSrc }, memory) {
    const [y, dy] = [read(dst, memory(dst, 'dst')), read(diffDst, memory(diffDst, 'diffDst'))];
    forEachRow(dst, (from, to) => {
      let total = 0;
      for (let i = from; i < to; i++) total += y[i] * dy[i];
      for (let i = from; i < to; i++) dy[i] = y[i] * (dy[i] - total);
    });
    write(diffSrc, memory(diffSrc, 'diffSrc'), dy);
  },
  layerNorm({ src, scale, shift, dst, statistics, epsilon }, memory) {
    const values = read(src, memory(src, 'src'));
    const [a, b] = [read(scale, memory(scale, 'scale')), read(shift, memory(shift, 'shift'))];
    const mean: number[] = [];
    const variance: number[] = [];
    forEachRow(src, (from, to) => {
      const row = values.subarray(from, to);
      const average = row.reduce((sum, value) => sum + value, 0) / row.length;
      const spread = row.reduce((sum, value) => sum + (value - average) ** 2, 0) / row.length;
      const inverse = 1 / Math.sqrt(spread + epsilon);
      for (let i = 0; i < row.length; i++) row[i] = (row[i] - average) * inverse * a[i] + b[i];
      mean.push(average);
      variance.push(spread);
    });
    write(dst, memory(dst, 'dst'), values);
    if (!statistics) return;
    write(statistics.mean, memory(statistics.mean, 'mean'), mean);
    write(statistics.variance, memory(statistics.variance, 'variance'), variance);
  },
  // With x̂ = (x − mean)/√(var + ε) and g = dy·scale: dx = (g − mean g − x̂·mean(g·x̂)) / √(var + ε).
  layerNormBackward({ src, scale, statistics, diffDst, diffSrc, diffScale, diffShift, epsilon }, memory) {
    const [x, dy] = [read(src, memory(src, 'src')), read(diffDst, memory(diffDst, 'diffDst'))];
    const a = read(scale, memory(scale, 'scale'));
    const mean = read(statistics.mean, memory(statistics.mean, 'mean'));
    const variance = read(statistics.variance, memory(statistics.variance, 'variance'));
    const width = a.length;
    const [dScale, dShift] = [new Float64Array(width), new Float64Array(width)];
    forEachRow(src, (from, to) => {
      const row = from / width;
      const inverse = 1 / Math.sqrt(variance[row] + epsilon);
      let [meanG, meanProduct] = [0, 0];
      for (let i = 0; i < width; i++) {
        const normalized = (x[from + i] - mean[row]) * inverse;
        dScale[i] += dy[from + i] * normalized;
        dShift[i] += dy[from + i];
        meanG += (dy[from + i] * a[i]) / width;
        meanProduct += (dy[from + i] * a[i] * normalized) / width;
      }
      for (let i = from; i < to; i++) {
        const normalized = (x[i] - mean[row]) * inverse;
        dy[i] = (dy[i] * a[i - from] - meanG - normalized * meanProduct) * inverse;
      }
    });
    write(diffSrc, memory(diffSrc, 'diffSrc'), dy);
    write(diffScale, memory(diffScale, 'diffScale'), dScale);
    write(diffShift, memory(diffShift, 'diffShift'), dShift);
  },
  reduction({ algorithm, src, dst }, memory) {
    const values = read(src, memory(src, 'src'));
    const result = new Float64Array(elementCount(dst.shape)).fill(algorithm === 'sum' ? 0 : -Infinity);
    const combine = combinations[algorithm === 'sum' ? 'add' : 'max'];
    const own = denseStrides(dst.shape);
    const steps = dst.shape.map((size, axis) => (size === 1 ? 0 : own[axis]));
    let at = 0;
    forEachRun({ shape: src.shape, strides: [steps] }, ([offset], [step], count) => {
      for (let i = 0; i < count; i++) result[offset + i * step] = combine(result[offset + i * step], values[at++]);
    });
    write(dst, memory(dst, 'dst'), result);
  },
  reorder({ src, dst }, memory) {
    write(dst, memory(dst, 'dst'), read(src, memory(src, 'src')));
  },
};

function forEachRow({ shape }: View, visit: (from: number, to: number) => void): void {
  const width = shape.at(-1) ?? 1;
  const total = elementCount(shape);
  for (let from = 0; from < total; from += width) visit(from, from + width);
}
