/**
 * oneDNN primitives as plain data: what is to be computed on which views. They become library objects in `library/`, or
 * loops of TypeScript in `loops/primitives.ts` where the library cannot or should not.
 */
import type { View } from './values.js';

export type EltwiseAlgorithm =
  | 'linear'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'tanh'
  | 'logistic'
  | 'softRelu'
  | 'geluErf'
  | 'power';
export type BinaryAlgorithm = 'add' | 'sub' | 'mul' | 'div' | 'max' | 'min';

/** f(x) of one element: linear is alpha·x + beta, power alpha·x^beta; the others take neither. */
export interface Eltwise {
  readonly algorithm: EltwiseAlgorithm;
  readonly alpha: number;
  readonly beta: number;
}

/** What is done to a result before it is written, in order. */
export type PostOp =
  /** result + scale · what lay there before */
  | { readonly kind: 'sum'; readonly scale: number }
  | ({ readonly kind: 'eltwise' } & Eltwise)
  /** result ∘ operand, which may be stretched */
  | { readonly kind: 'binary'; readonly algorithm: BinaryAlgorithm; readonly operand: View };

/** Every kind of primitive with its operands. `dst` is written, all others are read. */
export interface PrimitiveKinds {
  /**
   * src [..., M, K] @ weights [..., K, N] + bias [N].
   * `packs`: the weights never change, so that the library may have a copy of them in a layout of its own.
   */
  matmul: { src: View; weights: View; bias?: View; dst: View; postOps: readonly PostOp[]; packs?: boolean };
  eltwise: { src: View; dst: View; postOps: readonly PostOp[] } & Eltwise;
  /** diffSrc = f′(src) · diffDst */
  eltwiseBackward: { src: View; diffDst: View; diffSrc: View } & Eltwise;
  /** a ∘ b; b may be stretched, a may not. */
  binary: { algorithm: BinaryAlgorithm; a: View; b: View; dst: View; postOps: readonly PostOp[] };
  /** Over the last axis. */
  softmax: { src: View; dst: View };
  softmaxBackward: { dst: View; diffDst: View; diffSrc: View };
  /** Over the last axis of [rows, width]; writes the statistics of each row where they are asked for. */
  layerNorm: {
    src: View;
    scale: View;
    shift: View;
    dst: View;
    statistics?: { mean: View; variance: View };
    epsilon: number;
  };
  layerNormBackward: {
    src: View;
    scale: View;
    shift: View;
    statistics: { mean: View; variance: View };
    diffDst: View;
    diffSrc: View;
    diffScale: View;
    diffShift: View;
    epsilon: number;
  };
  /** Over every axis that has size 1 in dst. */
  reduction: { algorithm: 'sum' | 'max'; src: View; dst: View };
  /** Copies, with a change of layout or element type. */
  reorder: { src: View; dst: View };
}
export type PrimitiveKind = keyof PrimitiveKinds;
export type Primitive<K extends PrimitiveKind = PrimitiveKind> = {
  [P in K]: { readonly kind: P } & PrimitiveKinds[P];
}[K];

/** An argument of a primitive; a post-op's operand goes by its place in the chain. */
export type ArgumentName =
  | 'src'
  | 'src1'
  | 'weights'
  | 'bias'
  | 'dst'
  | 'mean'
  | 'variance'
  | 'scale'
  | 'shift'
  | 'diffSrc'
  | 'diffDst'
  | 'diffScale'
  | 'diffShift'
  | { readonly postOp: number };

export interface Operand {
  readonly name: ArgumentName;
  readonly view: View;
}

export interface Operands {
  readonly reads: readonly Operand[];
  readonly writes: readonly Operand[];
}

type OperandRules = { readonly [K in PrimitiveKind]: (primitive: PrimitiveKinds[K]) => Operands };

function named(views: { readonly [K in ArgumentName & string]?: View }): Operand[] {
  return Object.entries(views).map(([name, view]) => ({ name: name as ArgumentName, view: view as View }));
}

function postOperands(postOps: readonly PostOp[], dst: View): Operand[] {
  return postOps.flatMap((postOp, i): Operand[] => {
    if (postOp.kind === 'binary') return [{ name: { postOp: i }, view: postOp.operand }];
    return postOp.kind === 'sum' ? [{ name: 'dst', view: dst }] : [];
  });
}

const operandRules: OperandRules = {
  matmul: ({ src, weights, bias, dst, postOps }) => ({
    reads: [...named({ src, weights, ...(bias && { bias }) }), ...postOperands(postOps, dst)],
    writes: named({ dst }),
  }),
  eltwise: ({ src, dst, postOps }) => ({
    reads: [...named({ src }), ...postOperands(postOps, dst)],
    writes: named({ dst }),
  }),
  eltwiseBackward: ({ src, diffDst, diffSrc }) => ({ reads: named({ src, diffDst }), writes: named({ diffSrc }) }),
  binary: ({ a, b, dst, postOps }) => ({
    reads: [...named({ src: a, src1: b }), ...postOperands(postOps, dst)],
    writes: named({ dst }),
  }),
  softmax: ({ src, dst }) => ({ reads: named({ src }), writes: named({ dst }) }),
  softmaxBackward: ({ dst, diffDst, diffSrc }) => ({ reads: named({ dst, diffDst }), writes: named({ diffSrc }) }),
  layerNorm: ({ src, scale, shift, dst, statistics }) => ({
    reads: named({ src, scale, shift }),
    writes: named({ dst, ...statistics }),
  }),
  layerNormBackward: ({ src, scale, shift, statistics, diffDst, diffSrc, diffScale, diffShift }) => ({
    reads: named({ src, scale, shift, ...statistics, diffDst }),
    writes: named({ diffSrc, diffScale, diffShift }),
  }),
  reduction: ({ src, dst }) => ({ reads: named({ src }), writes: named({ dst }) }),
  reorder: ({ src, dst }) => ({ reads: named({ src }), writes: named({ dst }) }),
};

/** What a primitive reads and writes. */
export function operandsOf(primitive: Primitive): Operands {
  return (operandRules[primitive.kind] as (primitive: PrimitiveKinds[PrimitiveKind]) => Operands)(primitive);
}
