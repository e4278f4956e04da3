/** Graphs, derivatives, passes and engines, for models of your own. docs/api.md lists the names. */

// Derivatives
export { gradients } from './autodiff/gradients.js';
// Engines
export type {
  ArenaRange,
  CompileOptions,
  Engine,
  EngineOptions,
  EngineState,
  Precision,
  Program,
  StateLayout,
  StateSlot,
  Tensor,
  Tensors,
} from './engine/engine.js';
export { EngineError } from './engine/engineError.js';
export { createInterpreterEngine } from './engine/interpreterEngine.js';
export { type LoweredGraph, type LoweredUpdate, type LoweringOptions, lowerGraph } from './engine/onnx/lower.js';
export { createWebEngine, type WebEngineOptions } from './engine/onnxruntime/webEngine.js';
export { checkGraph, GraphError } from './graph/check.js';
export {
  broadcastShapes,
  type Dim,
  divideDims,
  elementCount,
  evaluateDim,
  evaluateShape,
  formatShape,
  multiplyDims,
  type Shape,
} from './graph/dimensions.js';
// Graphs
export { type Graph, GraphBuilder, isOp, type Node, nodesOf } from './graph/graph.js';
export type { DType } from './graph/ops.js';
export { printGraph, printNode } from './graph/print.js';
export { bertMaskedLmHead, nextSentenceHead, pooler } from './models/bert.js';
// Models
export { type Architecture, type EncoderConfig, encoderConfig } from './models/config.js';
export { maskedLmHead, replacedTokenHead } from './models/electra.js';
export {
  type EncoderInputs,
  type EncoderOutputs,
  type EncoderStart,
  embed,
  encode,
  encoderInputs,
  wordEmbeddings,
} from './models/encoder.js';
export {
  addHead,
  architectureFor,
  HEAD_DEFAULTS,
  type HeadSettings,
  MODEL_CLASSES,
  type ModelRequest,
  modelForUse,
  predictsTokens,
  QUESTION_ANSWERING_HEADS,
  type QuestionAnsweringHead,
} from './models/heads.js';
export { type AnswerBeam, answerBeam, BEAM_SIZE, type JointAnswers, jointAnswers } from './models/jointAnswerHead.js';
export {
  type EncodedScope,
  firstTokens,
  MODEL_FAMILIES,
  type ModelFamily,
  type ModelGraph,
  modelGraph,
} from './models/modelGraph.js';
export {
  type SpanBoundaryConfig,
  type SpanTargetNodes,
  spanBoundaryHead,
  spanBoundaryParameters,
  spanTargetInputs,
} from './models/spanbert.js';
export { MASKED, tiedLogits, transform } from './models/vocabularyHead.js';
// Layers
export {
  type AttentionStart,
  attentionBias,
  BATCH,
  Dropout,
  type DropoutRate,
  type DropoutSite,
  type LayerSizes,
  LENGTH,
  layerNorm,
  linear,
  selfAttention,
  TOKENS,
  transformerLayer,
} from './nn/layers.js';
export { type FixedStart, type Initializer, ParameterScope, type ParameterSpec } from './nn/parameters.js';
// Passes
export { commonSubexpressions, constants, deadCode, type Pass, runPasses, standardPasses } from './passes/passes.js';
