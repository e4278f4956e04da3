/**
 * An ONNX model as plain data, and its bytes. Field numbers are those of onnx.proto3 (IR version 9, which opset 20 asks
 * for); this file is the only one that writes them.
 */

import type { StoredValues } from '../../files/storedValues.js';
import { MessageWriter } from '../../formats/protobuf.js';
import type { Shape } from '../../graph/dimensions.js';

const IR_VERSION = 9;
export const OPSET = 20;
/** The domain of ONNX Runtime's own ops. */
export const CONTRIB = 'com.microsoft';

export type OnnxType = 'float32' | 'uint8' | 'int8' | 'int32' | 'int64' | 'bool';
const elementTypes: Record<OnnxType, number> = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9 };

export interface OnnxTensor {
  readonly type: OnnxType;
  readonly shape: readonly number[];
  /** Little-endian elements, row-major; of a weight that stays in its file, read anew each time. */
  readonly data: Uint8Array;
  /** Of a weight that stays in its file. */
  readonly stored?: StoredValues;
}

/** An ONNX attribute; the kind cannot be told from a JS number, so it is said. */
export type OnnxAttribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly ints: readonly number[] }
  | { readonly text: string }
  | { readonly tensor: OnnxTensor };

export interface OnnxNode {
  readonly op: string;
  readonly domain: '' | typeof CONTRIB;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** A node of the standard's own ops. */
export function standardNode(
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: OnnxNode['attributes'] = {},
): OnnxNode {
  return { op, domain: '', inputs, outputs, attributes };
}

export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: Shape;
}

export interface OnnxModel {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly initializers: ReadonlyMap<string, OnnxTensor>;
}

/** The code of an element type, for the `to` attribute of Cast. */
export function elementTypeCode(type: OnnxType): number {
  return elementTypes[type];
}

function encodeTensor(tensor: OnnxTensor, name?: string, external?: ExternalRange): MessageWriter {
  const message = new MessageWriter();
  for (const size of tensor.shape) message.varint(1, size);
  message.varint(2, elementTypes[tensor.type]);
  if (name !== undefined) message.string(8, name);
  if (!external) return message.bytes(9, tensor.data);
  const { path, offset, length } = external;
  for (const [key, value] of [
    ['location', path],
    ['offset', offset],
    ['length', length],
  ]) {
    message.message(13, new MessageWriter().string(1, String(key)).string(2, String(value)));
  }
  return message.varint(14, 1);
}

function encodeAttribute(name: string, attribute: OnnxAttribute): MessageWriter {
  const message = new MessageWriter().string(1, name);
  if ('float' in attribute) return message.float(2, attribute.float).varint(20, 1);
  if ('int' in attribute) return message.varint(3, attribute.int).varint(20, 2);
  if ('text' in attribute) return message.string(4, attribute.text).varint(20, 3);
  if ('tensor' in attribute) return message.message(5, encodeTensor(attribute.tensor)).varint(20, 4);
  for (const value of attribute.ints) message.varint(8, value);
  return message.varint(20, 7);
}

function encodeNode(node: OnnxNode): MessageWriter {
  const message = new MessageWriter();
  for (const input of node.inputs) message.string(1, input);
  for (const output of node.outputs) message.string(2, output);
  message.string(4, node.op);
  for (const [name, attribute] of Object.entries(node.attributes)) message.message(5, encodeAttribute(name, attribute));
  if (node.domain) message.string(7, node.domain);
  return message;
}

function encodeValue({ name, type, shape }: OnnxValue): MessageWriter {
  const dims = new MessageWriter();
  for (const dim of shape) {
    dims.message(1, typeof dim === 'number' ? new MessageWriter().varint(1, dim) : new MessageWriter().string(2, dim));
  }
  const tensorType = new MessageWriter().varint(1, elementTypes[type]).message(2, dims);
  return new MessageWriter().string(1, name).message(2, new MessageWriter().message(1, tensorType));
}

/** Where a tensor lies that is not in the model's own bytes. */
export interface ExternalRange {
  /** Of the file, relative to the model's folder; or the name of a file in memory. */
  readonly path: string;
  /** In bytes, as `length`. */
  readonly offset: number;
  readonly length: number;
}

/** A model's bytes, and the file with its large tensors where they do not fit into one protobuf message (2 GiB). */
export interface EncodedModel {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly external?: { readonly path: string; readonly data: Uint8Array<ArrayBuffer> };
}

/** Above this many bytes of initializers they go to an external file; protobuf ends at 2 GiB. */
const EXTERNAL_ABOVE = 1.5e9;
/** Small tensors stay inside: shapes and axes must be readable while the model loads. */
export const EXTERNAL_FROM_BYTES = 4096;

/** The .onnx file of a model. With more than 1.5 GB of initializers these go to a second file named `externalPath`. */
export function encodeModel(
  model: OnnxModel,
  externalPath = 'model.onnx.data',
  externalAbove = EXTERNAL_ABOVE,
): EncodedModel {
  const large = [...model.initializers.values()].map(bytesIn).filter((bytes) => bytes >= EXTERNAL_FROM_BYTES);
  const total = large.reduce((sum, bytes) => sum + bytes, 0);
  if (total <= externalAbove) return { bytes: encodeModelBeside(model, () => undefined) };
  const data = new Uint8Array(total);
  let end = 0;
  const bytes = encodeModelBeside(model, (tensor) => {
    const length = bytesIn(tensor);
    if (length < EXTERNAL_FROM_BYTES) return undefined;
    const offset = end;
    data.set(tensor.data, offset);
    end += length;
    return { path: externalPath, offset, length };
  });
  return { bytes, external: { path: externalPath, data } };
}

/** Bytes of a tensor's elements. */
export function bytesIn(tensor: OnnxTensor): number {
  return tensor.stored ? tensor.stored.length * Float32Array.BYTES_PER_ELEMENT : tensor.data.length;
}

/**
 * A model's bytes without the tensors that lie elsewhere.
 * @param place  where a tensor lies; undefined for one that goes into the bytes
 */
export function encodeModelBeside(
  model: OnnxModel,
  place: (tensor: OnnxTensor) => ExternalRange | undefined,
): Uint8Array<ArrayBuffer> {
  const graph = new MessageWriter();
  for (const node of model.nodes) graph.message(1, encodeNode(node));
  graph.string(2, model.name);
  for (const [name, tensor] of model.initializers) graph.message(5, encodeTensor(tensor, name, place(tensor)));
  for (const value of model.inputs) graph.message(11, encodeValue(value));
  for (const value of model.outputs) graph.message(12, encodeValue(value));

  const message = new MessageWriter().varint(1, IR_VERSION).string(2, 'pleiad').message(7, graph);
  message.message(8, new MessageWriter().string(1, '').varint(2, OPSET));
  if (model.nodes.some((node) => node.domain === CONTRIB)) {
    message.message(8, new MessageWriter().string(1, CONTRIB).varint(2, 1));
  }
  return message.finish();
}
