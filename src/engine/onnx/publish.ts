/**
 * From a lowered graph to an ONNX model that others load: inputs and outputs under the names and with the types that
 * transformers.js (and optimum) expect, positions computed inside.
 */
import { EngineError } from '../engineError.js';
import { elementTypeCode, type OnnxModel, type OnnxTensor, type OnnxValue, standardNode } from './model.js';

/** Our names of an encoder's inputs → theirs. */
export const PUBLISHED_INPUTS: Readonly<Record<string, string>> = {
  inputIds: 'input_ids',
  attentionMask: 'attention_mask',
  tokenTypeIds: 'token_type_ids',
};
const POSITIONS = 'positionIds';

/** Our names of outputs → theirs; those of ELECTRA's own head for question answering, which nobody else exports, in their way of writing. */
export const PUBLISHED_OUTPUTS: Readonly<Record<string, string>> = {
  logits: 'logits',
  nextSentenceLogits: 'seq_relationship_logits',
  startLogits: 'start_logits',
  endLogits: 'end_logits',
  beamStarts: 'beam_starts',
  beamEndLogits: 'beam_end_logits',
  noAnswerLogits: 'no_answer_logits',
  lastHiddenState: 'last_hidden_state',
  poolerOutput: 'pooler_output',
};

const SIZES: Readonly<Record<string, string>> = { batch: 'batch_size', length: 'sequence_length' };

const int64 = (value: number, shape: readonly number[]): OnnxTensor => ({
  type: 'int64',
  shape,
  data: new Uint8Array(BigInt64Array.of(BigInt(value)).buffer),
});

const TO_INT32 = { to: { int: elementTypeCode('int32') } };

/**
 * @param model  a lowered encoder with its head, weights in initializers
 * @throws EngineError when it has an input or output that has no published name
 */
export function publishModel(model: OnnxModel): OnnxModel {
  const unknown = [
    ...model.inputs.filter(({ name }) => name !== POSITIONS && !Object.hasOwn(PUBLISHED_INPUTS, name)),
    ...model.outputs.filter(({ name }) => !Object.hasOwn(PUBLISHED_OUTPUTS, name)),
  ];
  if (unknown.length > 0) {
    throw new EngineError(`"${unknown[0].name}" has no published name`, { subject: unknown[0].name });
  }
  // Positions 0, 1, … as long as a row.
  const initializers = new Map([
    ...model.initializers,
    ['positions.zero', int64(0, [])] as const,
    ['positions.one', int64(1, [])] as const,
    ['positions.axis', int64(0, [1])] as const,
  ]);
  const before = [
    ...Object.entries(PUBLISHED_INPUTS).map(([ours, theirs]) => standardNode('Cast', [theirs], [ours], TO_INT32)),
    standardNode('Shape', ['input_ids'], ['positions.shape'], { start: { int: 1 }, end: { int: 2 } }),
    standardNode('Squeeze', ['positions.shape', 'positions.axis'], ['positions.count']),
    standardNode('Range', ['positions.zero', 'positions.count', 'positions.one'], ['positions.int64']),
    standardNode('Cast', ['positions.int64'], [POSITIONS], TO_INT32),
  ];
  const after = model.outputs
    .filter(({ name }) => PUBLISHED_OUTPUTS[name] !== name)
    .map(({ name }) => standardNode('Identity', [name], [PUBLISHED_OUTPUTS[name]]));
  const sizes = (shape: OnnxValue['shape']) =>
    shape.map((dim) => (typeof dim === 'string' ? (SIZES[dim] ?? dim) : dim));
  return {
    ...model,
    initializers,
    nodes: [...before, ...model.nodes, ...after],
    inputs: Object.values(PUBLISHED_INPUTS).map((name) => ({
      name,
      type: 'int64',
      shape: ['batch_size', 'sequence_length'],
    })),
    outputs: model.outputs.map(({ name, type, shape }) => ({
      name: PUBLISHED_OUTPUTS[name],
      type,
      shape: sizes(shape),
    })),
  };
}
