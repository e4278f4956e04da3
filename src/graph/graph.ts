/**
 * The graph: typed nodes in the order they were made, which is an order of evaluation. Knows no model, no derivative and
 * no file format.
 */
import { formatShape, type Shape } from './dimensions.js';
import { type DType, inferType, type OpAttributes, type OpName, ShapeError, type TensorType } from './ops.js';

/** One operation and its result. */
export interface Node<K extends OpName = OpName> extends TensorType {
  readonly id: number;
  readonly op: K;
  readonly inputs: readonly Node[];
  readonly attributes: OpAttributes[K];
}

/** A finished graph. */
export interface Graph {
  /** Every node after its operands. */
  readonly nodes: readonly Node[];
  /** What a run returns, by name. */
  readonly outputs: ReadonlyMap<string, Node>;
  /** What a run writes to named state, after all of its reads. */
  readonly updates: ReadonlyMap<string, Node>;
}

export function isOp<K extends OpName>(node: Node, op: K): node is Node<K> {
  return node.op === op;
}

/** The nodes of one kind, for instance all inputs. */
export function nodesOf<K extends OpName>(graph: Pick<Graph, 'nodes'>, op: K): Node<K>[] {
  return graph.nodes.filter((node): node is Node<K> => isOp(node, op));
}

/** Two nodes of one key compute the same value. Constants of many values get no key: comparing them would cost more. */
export function nodeKey(op: OpName, inputs: readonly Node[], attributes: object): string | undefined {
  if (op === 'constant' && (attributes as OpAttributes['constant']).data.length > 16) return undefined;
  const values = JSON.stringify(attributes, (_key, value) =>
    ArrayBuffer.isView(value) ? Array.from(value as Float32Array) : value,
  );
  return `${op}(${inputs.map((input) => input.id)})${values}`;
}

/** Makes nodes, checking each as it is made. Asking twice for the same node gives one node. */
export class GraphBuilder {
  readonly #nodes: Node[] = [];
  readonly #byKey = new Map<string, Node>();
  readonly #named = new Map<string, Node>();
  readonly #outputs = new Map<string, Node>();
  readonly #updates = new Map<string, Node>();

  /** The general form; prefer the methods below. */
  node<K extends OpName>(op: K, inputs: readonly Node[], attributes: OpAttributes[K]): Node<K> {
    const key = nodeKey(op, inputs, attributes);
    const known = key !== undefined && this.#byKey.get(key);
    if (known) return known as Node<K>;
    const type = inferType(op, inputs, attributes);
    const node: Node<K> = { id: this.#nodes.length, op, inputs, attributes, dtype: type.dtype, shape: type.shape };
    this.#nodes.push(node as Node);
    if (key !== undefined) this.#byKey.set(key, node as Node);
    return node;
  }

  #once<K extends 'input' | 'state'>(op: K, attributes: OpAttributes[K]): Node {
    const key = `${op} ${attributes.name}`;
    const known = this.#named.get(key);
    if (!known) {
      const made = this.node(op, [], attributes) as Node;
      this.#named.set(key, made);
      return made;
    }
    if (formatShape(known.shape) !== formatShape(attributes.shape)) {
      throw new ShapeError(
        `${op} "${attributes.name}" is ${formatShape(known.shape)} and was asked for as ${formatShape(attributes.shape)}`,
      );
    }
    return known;
  }

  input(name: string, dtype: DType, shape: Shape): Node {
    return this.#once('input', { name, dtype, shape });
  }
  /** A named tensor that lives with the engine; a parameter's name is its published checkpoint key. */
  state(name: string, shape: Shape): Node {
    return this.#once('state', { name, shape });
  }
  constant(
    data: readonly number[] | Float32Array | Int32Array,
    shape: readonly number[] = [data.length],
    dtype: DType = 'float32',
  ): Node {
    return this.node('constant', [], { dtype, shape, data }) as Node;
  }
  scalar(value: number, dtype: DType = 'float32'): Node {
    return this.constant([value], [], dtype);
  }
  fill(shape: Shape, value: number): Node {
    return this.node('fill', [], { shape, value }) as Node;
  }

  add = (a: Node, b: Node) => this.node('add', [a, b], {}) as Node;
  sub = (a: Node, b: Node) => this.node('sub', [a, b], {}) as Node;
  mul = (a: Node, b: Node) => this.node('mul', [a, b], {}) as Node;
  div = (a: Node, b: Node) => this.node('div', [a, b], {}) as Node;
  equal = (a: Node, b: Node) => this.node('equal', [a, b], {}) as Node;
  less = (a: Node, b: Node) => this.node('less', [a, b], {}) as Node;
  neg = (x: Node) => this.node('neg', [x], {}) as Node;
  exp = (x: Node) => this.node('exp', [x], {}) as Node;
  log = (x: Node) => this.node('log', [x], {}) as Node;
  sqrt = (x: Node) => this.node('sqrt', [x], {}) as Node;
  tanh = (x: Node) => this.node('tanh', [x], {}) as Node;
  sigmoid = (x: Node) => this.node('sigmoid', [x], {}) as Node;
  softplus = (x: Node) => this.node('softplus', [x], {}) as Node;
  floor = (x: Node) => this.node('floor', [x], {}) as Node;
  gelu = (x: Node) => this.node('gelu', [x], {}) as Node;
  geluGrad = (x: Node, dy: Node) => this.node('geluGrad', [x, dy], {}) as Node;
  cast = (x: Node, to: DType) => (x.dtype === to ? x : (this.node('cast', [x], { to }) as Node));
  where = (condition: Node, a: Node, b: Node) => this.node('where', [condition, a, b], {}) as Node;
  stopGradient = (x: Node) => this.node('stopGradient', [x], {}) as Node;

  reshape = (x: Node, shape: Shape) => this.node('reshape', [x], { shape }) as Node;
  transpose = (x: Node, permutation: readonly number[]) => this.node('transpose', [x], { permutation }) as Node;
  expand = (x: Node, shape: Shape) => this.node('expand', [x], { shape }) as Node;
  slice = (x: Node, axis: number, start: number, end: number) => this.node('slice', [x], { axis, start, end }) as Node;
  concat = (inputs: readonly Node[], axis: number) => this.node('concat', inputs, { axis }) as Node;

  /** Sum over `axes`, over all of them by default. */
  reduceSum = (x: Node, axes: readonly number[] = x.shape.map((_, axis) => axis), keepDims = false) =>
    this.node('reduceSum', [x], { axes, keepDims }) as Node;
  reduceMax = (x: Node, axes: readonly number[], keepDims = false) =>
    this.node('reduceMax', [x], { axes, keepDims }) as Node;
  argMax = (x: Node) => this.node('argMax', [x], {}) as Node;
  cumulativeSum = (x: Node, reverse = false) => this.node('cumulativeSum', [x], { reverse }) as Node;
  sampleRows = (probabilities: Node, uniforms: Node) => this.node('sampleRows', [probabilities, uniforms], {}) as Node;

  matmul = (a: Node, b: Node, { transposeA = false, transposeB = false, scale = 1 } = {}) =>
    this.node('matmul', [a, b], { transposeA, transposeB, scale }) as Node;
  linear = (x: Node, weight: Node, bias: Node) => this.node('linear', [x, weight, bias], {}) as Node;

  softmax = (x: Node) => this.node('softmax', [x], {}) as Node;
  softmaxGrad = (y: Node, dy: Node) => this.node('softmaxGrad', [y, dy], {}) as Node;
  softmaxCrossEntropy = (logits: Node, labels: Node) => this.node('softmaxCrossEntropy', [logits, labels], {}) as Node;
  softmaxCrossEntropyGrad = (logits: Node, labels: Node, dloss: Node) =>
    this.node('softmaxCrossEntropyGrad', [logits, labels, dloss], {}) as Node;
  layerNorm = (x: Node, scale: Node, shift: Node, epsilon: number) =>
    this.node('layerNorm', [x, scale, shift], { epsilon }) as Node;
  layerNormGradInput = (x: Node, scale: Node, dy: Node, epsilon: number) =>
    this.node('layerNormGradInput', [x, scale, dy], { epsilon }) as Node;
  layerNormGradScale = (x: Node, dy: Node, epsilon: number) =>
    this.node('layerNormGradScale', [x, dy], { epsilon }) as Node;

  gather = (table: Node, ids: Node) => this.node('gather', [table, ids], {}) as Node;
  scatterAddRows = (ids: Node, updates: Node, rows: Node['shape'][number]) =>
    this.node('scatterAddRows', [ids, updates], { rows }) as Node;
  scatter = (data: Node, positions: Node, updates: Node, { add = false } = {}) =>
    this.node('scatter', [data, positions, updates], { add }) as Node;
  pick = (x: Node, ids: Node) => this.node('pick', [x, ids], {}) as Node;
  oneHot = (ids: Node, depth: number) => this.node('oneHot', [ids], { depth }) as Node;

  /** Names a value as a result of the run. */
  output(name: string, value: Node): void {
    this.#outputs.set(name, value);
  }
  /** Has a value written to the state of this name when the run ends. */
  update(name: string, value: Node): void {
    const state = this.#named.get(`state ${name}`);
    if (state && formatShape(state.shape) !== formatShape(value.shape)) {
      throw new ShapeError(`state "${name}" is ${formatShape(state.shape)}, its update is ${formatShape(value.shape)}`);
    }
    this.#updates.set(name, value);
  }

  build(): Graph {
    return { nodes: [...this.#nodes], outputs: new Map(this.#outputs), updates: new Map(this.#updates) };
  }
}
