/**
 * What an ONNX file is, without loading it: its inputs and outputs, the operator sets it needs, how many weights it has.
 * FieldExtent numbers are those of onnx.proto3. The weights are skipped, so a file of gigabytes takes as long as a small one.
 */

import { type ByteSource, readBytes } from '../files/byteSource.js';
import { damaged } from '../formats/damaged.js';
import {
  type FieldExtent,
  LONGEST_START,
  ProtobufProblem,
  protobufFields,
  readCount,
  readFieldExtent,
} from '../formats/protobuf.js';
import { elementCount } from '../graph/dimensions.js';

export interface OnnxPort {
  readonly name: string;
  /** For instance int64; empty where it is no tensor. */
  readonly type: string;
  /** Sizes, or their names where they may vary. */
  readonly shape: readonly (number | string)[];
}

export interface OnnxHeader {
  readonly irVersion: number;
  /** Who wrote the file, as it says. */
  readonly producer: string;
  /** By domain, "" for the standard's own ops. */
  readonly opsets: readonly { readonly domain: string; readonly version: number }[];
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
  readonly numNodes: number;
  /** Values of all weights and constants that have a shape. */
  readonly parameters: number;
  /** Their types, the one with the most values first. */
  readonly types: readonly string[];
  /** Files beside it that hold weights (ONNX: external data). */
  readonly externalFiles: readonly string[];
}

const MODEL = { irVersion: 1, producer: 2, producerVersion: 3, graph: 7, opset: 8 } as const;
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12 } as const;
const TENSOR = { dims: 1, type: 2, name: 8, external: 13 } as const;

const TYPES: Readonly<Record<number, string>> = {
  ...{ 1: 'float32', 2: 'uint8', 3: 'int8', 4: 'uint16', 5: 'int16', 6: 'int32', 7: 'int64', 8: 'string', 9: 'bool' },
  ...{ 10: 'float16', 11: 'float64', 12: 'uint32', 13: 'uint64', 14: 'complex64', 15: 'complex128', 16: 'bfloat16' },
  ...{ 17: 'float8e4m3fn', 18: 'float8e4m3fnuz', 19: 'float8e5m2', 20: 'float8e5m2fnuz', 21: 'uint4', 22: 'int4' },
};
const typeName = (code: number) => TYPES[code] ?? `type ${code}`;

/** @throws CheckpointError when it is no ONNX model, or damaged */
export async function readOnnxHeader(source: ByteSource): Promise<OnnxHeader> {
  try {
    const header = await readModel(source);
    if (header) return header;
  } catch (error) {
    if (!(error instanceof ProtobufProblem)) throw error;
    throw damaged(source.name, `as an ONNX model, it ${error.message}`, undefined, error);
  }
  throw damaged(source.name, 'it is no ONNX model: it has no graph');
}

async function readModel(source: ByteSource): Promise<OnnxHeader | undefined> {
  const scanner = new Scanner(source);
  const producer: string[] = [];
  const opsets: { domain: string; version: number }[] = [];
  let irVersion = 0;
  let graph: Graph | undefined;
  for await (const field of scanner.fields(0, source.size)) {
    if (field.number === MODEL.irVersion) irVersion = Number(field.value);
    else if (field.number === MODEL.producer || field.number === MODEL.producerVersion) {
      producer.push(textOf(await scanner.bytes(field)));
    } else if (field.number === MODEL.opset) opsets.push(opsetOf(await scanner.bytes(field)));
    else if (field.number === MODEL.graph) graph = await readGraph(scanner, field);
  }
  if (!graph) return undefined;
  const { initializers, inputs, ...rest } = graph;
  const shaped = initializers.filter(({ dims }) => dims.length > 0);
  const counts = new Map<string, number>();
  for (const { type, dims } of shaped) counts.set(type, (counts.get(type) ?? 0) + elementCount(dims));
  // Old files list their weights among the inputs too.
  const weights = new Set(initializers.map(({ name }) => name));
  return {
    irVersion,
    producer: producer.filter((part) => part !== '').join(' '),
    opsets,
    inputs: inputs.filter(({ name }) => !weights.has(name)),
    ...rest,
    parameters: [...counts.values()].reduce((sum, count) => sum + count, 0),
    types: [...counts.keys()].sort((a, b) => counts.get(b)! - counts.get(a)!),
    externalFiles: [...new Set(initializers.flatMap(({ external }) => external ?? []))],
  };
}

interface Graph extends Pick<OnnxHeader, 'inputs' | 'outputs' | 'numNodes'> {
  readonly initializers: readonly Initializer[];
}

interface Initializer {
  readonly name: string;
  readonly type: string;
  readonly dims: readonly number[];
  readonly external?: string;
}

async function readGraph(scanner: Scanner, graph: FieldExtent): Promise<Graph> {
  const initializers: Initializer[] = [];
  const inputs: OnnxPort[] = [];
  const outputs: OnnxPort[] = [];
  let numNodes = 0;
  for await (const field of scanner.fields(graph.begin, graph.end)) {
    if (field.number === GRAPH.node) numNodes++;
    else if (field.number === GRAPH.initializer) initializers.push(await readInitializer(scanner, field));
    else if (field.number === GRAPH.input) inputs.push(portOf(await scanner.bytes(field)));
    else if (field.number === GRAPH.output) outputs.push(portOf(await scanner.bytes(field)));
  }
  return { initializers, inputs, outputs, numNodes };
}

async function readInitializer(scanner: Scanner, tensor: FieldExtent): Promise<Initializer> {
  const dims: number[] = [];
  let [name, type, external] = ['', '', undefined as string | undefined];
  for await (const field of scanner.fields(tensor.begin, tensor.end)) {
    if (field.number === TENSOR.dims) {
      if (field.value !== undefined) dims.push(Number(field.value));
      else dims.push(...packed(await scanner.bytes(field)));
    } else if (field.number === TENSOR.type) type = typeName(Number(field.value));
    else if (field.number === TENSOR.name) name = textOf(await scanner.bytes(field));
    else if (field.number === TENSOR.external) external ??= locationOf(await scanner.bytes(field));
  }
  return { name, type, dims, ...(external !== undefined && { external }) };
}

function packed(bytes: Uint8Array): number[] {
  const values: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const { value, end } = readCount(bytes, at);
    values.push(value);
    at = end;
  }
  return values;
}

const textOf = (bytes: unknown) => (bytes instanceof Uint8Array ? new TextDecoder().decode(bytes) : '');

/** The fields of a small message, each once, by number. */
function fieldMap(bytes: unknown): ReadonlyMap<number, unknown> {
  if (!(bytes instanceof Uint8Array)) return new Map();
  return new Map([...protobufFields(bytes)].map(({ number, value }) => [number, value]));
}

function opsetOf(bytes: Uint8Array) {
  const fields = fieldMap(bytes);
  return { domain: textOf(fields.get(1)), version: Number(fields.get(2) ?? 0) };
}

/** The value of the entry `location`. */
function locationOf(bytes: Uint8Array): string | undefined {
  const entry = fieldMap(bytes);
  return textOf(entry.get(1)) === 'location' ? textOf(entry.get(2)) : undefined;
}

/** ValueInfoProto: a name, and a type that may be a tensor's. */
function portOf(bytes: Uint8Array): OnnxPort {
  const info = fieldMap(bytes);
  const tensor = fieldMap(fieldMap(info.get(2)).get(1));
  const shape = tensor.get(2);
  const dims = shape instanceof Uint8Array ? [...protobufFields(shape)] : [];
  const sizes = dims.map(({ value }) => {
    const size = fieldMap(value);
    return size.has(1) ? Number(size.get(1)) : textOf(size.get(2)) || '?';
  });
  return { name: textOf(info.get(1)), type: tensor.size > 0 ? typeName(Number(tensor.get(1))) : '', shape: sizes };
}

const WINDOW = 1 << 16;
/** A name, a port or an entry; weights are never asked for. */
const MOST_BYTES = 1 << 24;

/** Walks the fields of a message in a file, reading what lies around their starts. */
class Scanner {
  #window = new Uint8Array(0);
  #at = 0;

  constructor(private readonly source: ByteSource) {}

  async *fields(begin: number, end: number): AsyncGenerator<FieldExtent> {
    for (let at = begin; at < end; ) {
      const field = await this.#field(at, end);
      if (field.end > end) throw new ProtobufProblem(`ends inside field ${field.number}`);
      yield field;
      at = field.end;
    }
  }

  bytes({ number, begin, end }: FieldExtent): Promise<Uint8Array> {
    if (end - begin > MOST_BYTES) throw new ProtobufProblem(`has ${end - begin} bytes in field ${number}`);
    return readBytes(this.source, begin, end - begin);
  }

  async #field(at: number, limit: number): Promise<FieldExtent> {
    const field = readFieldExtent(await this.#start(at, limit), 0);
    if (field.number === 0) throw new ProtobufProblem('has a field without a number');
    return { ...field, begin: at + field.begin, end: at + field.end };
  }

  async #start(at: number, limit: number): Promise<Uint8Array> {
    const length = Math.min(LONGEST_START, limit - at);
    if (at < this.#at || at + length > this.#at + this.#window.length) {
      this.#at = at;
      this.#window = await readBytes(this.source, at, Math.min(WINDOW, this.source.size - at));
    }
    return this.#window.subarray(at - this.#at, at - this.#at + length);
  }
}
