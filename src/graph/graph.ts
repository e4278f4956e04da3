/**
 * The graph: typed nodes in the order they were made, which is an order of evaluation. Knows no model, no derivative and
 * no file format.
 */
import { formatShape, type Shape } from './dimensions.js';
import { type DType, inferType, type OpAttributes, type OpName, ShapeError, type TensorType } from './ops.js';

/** One operation and its result. */
export interface Node<out K extends OpName = OpName> extends TensorType {
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
    this.#nodes.push(node);
    if (key !== undefined) this.#byKey.set(key, node);
    return node;
  }

  #once<K extends 'input' | 'state'>(op: K, attributes: OpAttributes[K]): Node {
    const key = `${op} ${attributes.name}`;
    const known = this.#named.get(key);
    if (!known) {
      const made = this.node(op, [], attributes);
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
    return this.node('constant', [], { dtype, shape, data });
  }
  scalar(value: number, dtype: DType = 'float32'): Node {
    return this.constant([value], [], dtype);
  }
  fill(shape: Shape, value: number): Node {
    return this.node('fill', [], { shape, value });
  }

  add = (a: Node, b: Node): Node => this.node('add', [a, b], {});
  sub = (a: Node, b: Node): Node => this.node('sub', [a, b], {});
  mul = (a: Node, b: Node): Node => this.node('mul', [a, b], {});
  div = (a: Node, b: Node): Node => this.node('div', [a, b], {});
  equal = (a: Node, b: Node): Node => this.node('equal', [a, b], {});
  less = (a: Node, b: Node): Node => this.node('less', [a, b], {});
  neg = (x: Node): Node => this.node('neg', [x], {});
  exp = (x: Node): Node => this.node('exp', [x], {});
  log = (x: Node): Node => this.node('log', [x], {});
  sqrt = (x: Node): Node => this.node('sqrt', [x], {});
  tanh = (x: Node): Node => this.node('tanh', [x], {});
  sigmoid = (x: Node): Node => this.node('sigmoid', [x], {});
  softplus = (x: Node): Node => this.node('softplus', [x], {});
  floor = (x: Node): Node => this.node('floor', [x], {});
  gelu = (x: Node): Node => this.node('gelu', [x], {});
  geluGrad = (x: Node, dy: Node): Node => this.node('geluGrad', [x, dy], {});
  cast = (x: Node, to: DType): Node => (x.dtype === to ? x : this.node('cast', [x], { to }));
  where = (condition: Node, a: Node, b: Node): Node => this.node('where', [condition, a, b], {});
  stopGradient = (x: Node): Node => this.node('stopGradient', [x], {});

  reshape = (x: Node, shape: Shape): Node => this.node('reshape', [x], { shape });
  transpose = (x: Node, permutation: readonly number[]): Node => this.node('transpose', [x], { permutation });
  expand = (x: Node, shape: Shape): Node => this.node('expand', [x], { shape });
  slice = (x: Node, axis: number, start: number, end: number): Node => this.node('slice', [x], { axis, start, end });
  concat = (inputs: readonly Node[], axis: number): Node => this.node('concat', inputs, { axis });

  /** Sum over `axes`, over all of them by default. */
  reduceSum = (x: Node, axes: readonly number[] = x.shape.map((_, axis) => axis), keepDims = false): Node =>
    this.node('reduceSum', [x], { axes, keepDims });
  reduceMax = (x: Node, axes: readonly number[], keepDims = false): Node =>
    this.node('reduceMax', [x], { axes, keepDims });
  argMax = (x: Node): Node => this.node('argMax', [x], {});
  cumulativeSum = (x: Node, reverse = false): Node => this.node('cumulativeSum', [x], { reverse });
  sampleRows = (probabilities: Node, uniforms: Node): Node => this.node('sampleRows', [probabilities, uniforms], {});

  matmul = (a: Node, b: Node, { transposeA = false, transposeB = false, scale = 1 } = {}): Node =>
    this.node('matmul', [a, b], { transposeA, transposeB, scale });
  linear = (x: Node, weight: Node, bias: Node): Node => this.node('linear', [x, weight, bias], {});

  softmax = (x: Node): Node => this.node('softmax', [x], {});
  softmaxGrad = (y: Node, dy: Node): Node => this.node('softmaxGrad', [y, dy], {});
  softmaxCrossEntropy = (logits: Node, labels: Node): Node => this.node('softmaxCrossEntropy', [logits, labels], {});
  softmaxCrossEntropyGrad = (logits: Node, labels: Node, dloss: Node): Node =>
    this.node('softmaxCrossEntropyGrad', [logits, labels, dloss], {});
  layerNorm = (x: Node, scale: Node, shift: Node, epsilon: number): Node =>
    this.node('layerNorm', [x, scale, shift], { epsilon });
  layerNormGradInput = (x: Node, scale: Node, dy: Node, epsilon: number): Node =>
    this.node('layerNormGradInput', [x, scale, dy], { epsilon });
  layerNormGradScale = (x: Node, dy: Node, epsilon: number): Node =>
    this.node('layerNormGradScale', [x, dy], { epsilon });

  sliceGrad = (dy: Node, shape: Shape, axis: number, start: number): Node =>
    this.node('sliceGrad', [dy], { shape, axis, start });

  gather = (table: Node, ids: Node): Node => this.node('gather', [table, ids], {});
  scatterAddRows = (ids: Node, updates: Node, rows: Node['shape'][number]): Node =>
    this.node('scatterAddRows', [ids, updates], { rows });
  scatter = (data: Node, positions: Node, updates: Node, { add = false } = {}): Node =>
    this.node('scatter', [data, positions, updates], { add });
  pick = (x: Node, ids: Node): Node => this.node('pick', [x, ids], {});
  oneHot = (ids: Node, depth: number): Node => this.node('oneHot', [ids], { depth });

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
