/**
 * Emits ONNX nodes, each distinct one once, and computes named sizes ("batch", "4*batch*length") at run time from the
 * shapes of the inputs, so that one model serves every size.
 */
import { type Dim, factorsOf, type Shape } from '../../graph/dimensions.js';
import { EngineError } from '../engineError.js';
import type { OnnxAttribute, OnnxNode, OnnxTensor, OnnxType, OnnxValue } from './model.js';

/** The name of a value in the ONNX graph. */
export type Value = string;

/** `int`s are the common case, so they may be written as plain integers; everything else says its kind. */
export type Attributes = Readonly<Record<string, number | OnnxAttribute>>;

export class Emitter {
  readonly nodes: OnnxNode[] = [];
  readonly initializers = new Map<string, OnnxTensor>();
  readonly #memo = new Map<string, readonly Value[]>();
  readonly #constants = new Map<string, Value>();
  /** Where named sizes can be read: values fed at each call. */
  readonly #sources: readonly OnnxValue[];
  #count = 0;

  constructor(sources: readonly OnnxValue[]) {
    this.#sources = sources;
  }

  /** The result of a node, which is made unless an equal one was made before. */
  emit(op: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
    return this.emitAll(op, inputs, 1, attributes)[0];
  }

  /** As `emit`, for an op of ONNX Runtime's own. */
  emitContrib(op: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
    return this.emitAll(op, inputs, 1, attributes, 'com.microsoft')[0];
  }

  /** As `emit`, with all results of an op that has several. */
  emitAll(
    op: string,
    inputs: readonly Value[],
    count: number,
    attributes: Attributes = {},
    domain: OnnxNode['domain'] = '',
  ): readonly Value[] {
    const full = Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [name, typeof value === 'number' ? { int: value } : value]),
    );
    const key = JSON.stringify([op, count, inputs, full]);
    const known = this.#memo.get(key);
    if (known) return known;
    const outputs = Array.from({ length: count }, () => `%${this.#count++}`);
    this.nodes.push({ op, domain, inputs, outputs, attributes: full });
    this.#memo.set(key, outputs);
    return outputs;
  }

  /** A node that is never shared: for copies that must be values of their own. */
  copy(value: Value): Value {
    const output = `%${this.#count++}`;
    this.nodes.push({ op: 'Identity', domain: '', inputs: [value], outputs: [output], attributes: {} });
    return output;
  }

  constant(type: OnnxType, shape: readonly number[], values: ArrayLike<number | bigint>): Value {
    const data = bytesOf(type, values);
    // Long ones (tables of weights) are not worth comparing.
    const key = data.length <= 4096 ? `${type} ${shape} ${data}` : undefined;
    const known = key && this.#constants.get(key);
    if (known) return known;
    const name = `%${this.#count++}`;
    this.initializers.set(name, { type, shape, data });
    if (key) this.#constants.set(key, name);
    return name;
  }

  scalar(value: number, type: OnnxType = 'float32'): Value {
    return this.constant(type, [], [value]);
  }

  /** A 1-D int64 constant: axes, starts, shapes. */
  ints(values: readonly number[]): Value {
    return this.constant('int64', [values.length], values);
  }

  /** A size as a 1-D int64 value of one element. */
  size(dim: Dim): Value {
    const { coefficient, names } = factorsOf(dim);
    const factors = names.map((name) => this.#namedSize(name));
    if (coefficient !== 1 || factors.length === 0) factors.push(this.ints([coefficient]));
    return factors.reduce((product, factor) => this.emit('Mul', [product, factor]));
  }

  /** A shape as a 1-D int64 value; a constant where every size is a number. */
  shape(shape: Shape): Value {
    if (shape.every((dim) => typeof dim === 'number')) return this.ints(shape);
    const pieces: Value[] = [];
    let known: number[] = [];
    const flush = () => {
      if (known.length > 0) pieces.push(this.ints(known));
      known = [];
    };
    for (const dim of shape) {
      if (typeof dim === 'number') {
        known.push(dim);
      } else {
        flush();
        pieces.push(this.size(dim));
      }
    }
    flush();
    return pieces.length === 1 ? pieces[0] : this.emit('Concat', pieces, { axis: 0 });
  }

  #axisSize(source: OnnxValue, axis: number): Value {
    return this.emit('Shape', [source.name], { start: axis, end: axis + 1 });
  }

  #namedSize(name: string): Value {
    const value = this.#findSize(name, []);
    if (value !== undefined) return value;
    throw new EngineError(`no input has an axis of size "${name}"`, {
      subject: name,
      advice: 'Give an input, or a state that is fed at each call, an axis of that size',
    });
  }

  #findSize(name: string, asking: readonly string[]): Value | undefined {
    for (const source of this.#sources) {
      const axis = source.shape.indexOf(name);
      if (axis >= 0) return this.#axisSize(source, axis);
    }
    for (const source of this.#sources) {
      for (const [axis, dim] of source.shape.entries()) {
        const value = this.#divideAxis(source, axis, factorsOf(dim), name, asking);
        if (value !== undefined) return value;
      }
    }
    return undefined;
  }

  /** The size `name` as an axis that has it as one factor, divided by the axis's other factors. */
  #divideAxis(
    source: OnnxValue,
    axis: number,
    factors: Factors,
    name: string,
    asking: readonly string[],
  ): Value | undefined {
    const others = factors.names.filter((other) => other !== name);
    if (others.length !== factors.names.length - 1 || others.some((other) => asking.includes(other))) return undefined;
    const divisors = others.map((other) => this.#findSize(other, [...asking, name]));
    if (divisors.includes(undefined)) return undefined;
    return [...(divisors as Value[]), this.ints([factors.coefficient])].reduce(
      (quotient, divisor) => this.emit('Div', [quotient, divisor]),
      this.#axisSize(source, axis),
    );
  }
}

type Factors = ReturnType<typeof factorsOf>;

function bytesOf(type: OnnxType, values: ArrayLike<number | bigint>): Uint8Array {
  const array = ((): ArrayBufferView => {
    switch (type) {
      case 'float32':
        return values instanceof Float32Array ? values : Float32Array.from(values as ArrayLike<number>);
      case 'int8':
        return Int8Array.from(values as ArrayLike<number>);
      case 'int32':
        return values instanceof Int32Array ? values : Int32Array.from(values as ArrayLike<number>);
      case 'int64':
        return BigInt64Array.from(Array.from(values, (value) => BigInt(value)));
      case 'uint8':
      case 'bool':
        return Uint8Array.from(values as ArrayLike<number>);
    }
  })();
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
