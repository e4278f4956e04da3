/**
 * Numbers of oneDNN's C headers: one table per major version, whose values are held against the headers' by a test
 * (test/golden/onednn-constants.json). Between 2 and 3 the algorithms and some flags were numbered anew.
 */
import type { BinaryAlgorithm, EltwiseAlgorithm } from '../plan/primitives.js';
import type { ElementType } from '../plan/values.js';

export interface Constants {
  readonly elementTypes: Readonly<Record<ElementType, number>>;
  readonly eltwise: Readonly<Record<EltwiseAlgorithm, number>>;
  readonly binary: Readonly<Record<BinaryAlgorithm, number>>;
  readonly reduction: Readonly<Record<'sum' | 'max', number>>;
  readonly softmaxAccurate: number;
  readonly forwardTraining: number;
  readonly forwardInference: number;
  readonly backward: number;
  readonly useScale: number;
  readonly useShift: number;
  readonly arguments: Readonly<Record<string, number>>;
  /** A binary post-op's operand is argument (place + 1) · postOpBase | src1. */
  readonly postOpBase: number;
  readonly queryImplementation: number;
  readonly queryWeights: number;
  /** The layout that a primitive likes best. */
  readonly anyLayout: number;
}

/** What both versions number alike. */
const common = {
  elementTypes: { bf16: 2, f32: 3, s32: 4, u8: 6 },
  binary: { add: 0x1fff0, mul: 0x1fff1, max: 0x1fff2, min: 0x1fff3, div: 0x1fff4, sub: 0x1fff5 },
  reduction: { max: 0x2fff2, sum: 0x2fff4 },
  softmaxAccurate: 0x30000,
  forwardTraining: 64,
  forwardInference: 96,
  backward: 128,
  arguments: {
    src: 1,
    src1: 2,
    dst: 17,
    weights: 33,
    bias: 41,
    mean: 49,
    variance: 50,
    scale: 51,
    shift: 52,
    diffSrc: 129,
    diffDst: 145,
    diffScale: 255,
    diffShift: 256,
  },
  queryImplementation: 8,
  queryWeights: 131,
  anyLayout: 1,
} satisfies Partial<Constants>;

export const CONSTANTS: Readonly<Record<2 | 3, Constants>> = {
  2: {
    ...common,
    eltwise: {
      linear: 0x7f,
      exp: 0xbf,
      log: 0xef,
      sqrt: 0x6f,
      tanh: 0x2f,
      logistic: 0xaf,
      softRelu: 0x9f,
      geluErf: 0x30,
      power: 0x20,
    },
    useScale: 8,
    useShift: 16,
    postOpBase: 16384,
  },
  3: {
    ...common,
    eltwise: {
      linear: 0x26,
      exp: 0x2a,
      log: 0x2d,
      sqrt: 0x25,
      tanh: 0x21,
      logistic: 0x29,
      softRelu: 0x27,
      geluErf: 0x31,
      power: 0x30,
    },
    useScale: 2,
    useShift: 4,
    postOpBase: 32768,
  },
};
