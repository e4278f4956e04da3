/**
 * From a graph at concrete sizes to a plan: nodes in order, each by its rule (`rules.ts`); nodes that are only another
 * view of memory, and constants, cost nothing until something must read them.
 */

import { elementCount } from '../../../graph/dimensions.js';
import type { Graph, Node } from '../../../graph/graph.js';
import { isOp } from '../../../graph/graph.js';
import type { DType, OpName } from '../../../graph/ops.js';
import type { Precision } from '../../engine.js';
import { roundToBfloat16 } from '../loops/bfloat16.js';
import { copy } from '../loops/kernels.js';
import { Chains } from './chains.js';
import { GraphFacts, maskOf } from './facts.js';
import type { LoopStep, NamedView, Plan, PlanOutput, Step } from './plan.js';
import { foldLines, safePieces } from './postOps.js';
import { bf16Values } from './precision.js';
import type { Primitive } from './primitives.js';
import { shareMemory } from './sharing.js';
import {
  constantView,
  denseView,
  ELEMENT_BYTES,
  type ElementType,
  isDense,
  isFull,
  likeLayout,
  type PlanBuffer,
  permuted,
  scratch,
  type View,
} from './values.js';

export interface PlanOptions {
  /** Value of each named size. */
  readonly sizes: ReadonlyMap<string, number>;
  readonly precision: Precision;
  /** Values of state nodes that never change. */
  readonly weights?: ReadonlyMap<string, Float32Array>;
  /** A constant as bf16, where the library takes it as it is, made once for all plans. */
  readonly halvesOf?: (data: Float32Array) => Uint16Array;
}

const ELEMENT_TYPES: Readonly<Record<DType, ElementType>> = { float32: 'f32', int32: 's32', bool: 'u8' };

/** Nodes that need no step of their own: rules make them when they are asked for. */
const ON_DEMAND: ReadonlySet<OpName> = new Set<OpName>([
  'input',
  'state',
  'constant',
  'fill',
  'reshape',
  'transpose',
  'expand',
  'slice',
  'stopGradient',
]);

/**
 * What an op is in oneDNN: adds steps to the plan and returns the view in which the result lies.
 * @param node    the op
 * @param root    the last of its chain, whose value is made: the node itself where it heads none
 * @param source  for views of memory: the operand in another element type, of which a view is wanted
 */
export type Rule<K extends OpName> = (node: Node<K>, planner: Planner, root: Node, source?: View) => View;
/** One rule per op, complete by type. */
export type Rules = { readonly [K in OpName]: Rule<K> };

export class Planner {
  readonly facts: GraphFacts;
  readonly chains: Chains;
  readonly steps: Step[] = [];
  /** What products read. */
  readonly productType: 'f32' | 'bf16';
  readonly #weights: ReadonlyMap<string, Float32Array>;
  readonly #rules: Rules;
  readonly #halvesOf: (data: Float32Array) => Uint16Array;
  readonly #bf16: ReadonlySet<Node>;
  readonly #values = new Map<Node, View>();
  readonly #casts = new Map<Node, View>();
  readonly #inputs = new Map<string, View>();
  readonly #named = new Map<string, PlanBuffer>();
  readonly #shared = new Map<string, unknown>();

  constructor(
    graph: Graph,
    rules: Rules,
    { sizes, precision, weights = new Map(), halvesOf = halvesOnHeap }: PlanOptions,
  ) {
    this.facts = new GraphFacts(graph, sizes);
    this.chains = new Chains(this.facts);
    this.#bf16 = bf16Values(this.facts, this.chains, precision);
    this.productType = precision === 'bf16' ? 'bf16' : 'f32';
    this.#rules = rules;
    this.#weights = weights;
    this.#halvesOf = halvesOf;
  }

  /** Steps for every node. */
  planNodes(): void {
    for (const node of this.facts.graph.nodes) {
      if (ON_DEMAND.has(node.op) || this.chains.isAbsorbed(node) || maskOf(node) || this.#addedInPlace(node)) continue;
      this.value(node);
    }
  }

  /** Scattered rows that the sum which alone reads them adds in place. */
  #addedInPlace(node: Node): boolean {
    return isOp(node, 'scatterAddRows') && this.facts.onlyConsumer(node)?.op === 'add';
  }

  shape(node: Node): readonly number[] {
    return this.facts.shape(node);
  }

  /** A node's value, as its rule left it: floats as f32 or bf16, of any strides. */
  value(node: Node): View {
    let view = this.#values.get(node);
    if (!view) {
      const { head } = this.chains.of(node);
      view = (this.#rules[head.op] as Rule<OpName>)(head, this, node);
      this.#values.set(node, view);
    }
    return view;
  }

  /** A float node's value in a type; a copy in another type is made once. */
  typed(node: Node, type: 'f32' | 'bf16'): View {
    const view = this.value(node);
    if (view.type === type) return view;
    let cast = this.#casts.get(node);
    if (!cast) {
      cast = this.cast(node, type);
      this.#casts.set(node, cast);
    }
    return cast;
  }

  /** A cast is made of what a view looks at, so that all views of it share one. */
  private cast(node: Node, type: 'f32' | 'bf16'): View {
    if (node.op !== 'input' && ON_DEMAND.has(node.op) && node.inputs.length > 0) {
      const source = this.typed(node.inputs[0], type);
      return (this.#rules[node.op] as Rule<OpName>)(node, this, node, source);
    }
    const view = this.value(node);
    const { residence } = view.buffer;
    if (type === 'bf16' && residence.kind === 'state') {
      return { ...view, type, buffer: this.named('shadow', residence.name, view.buffer.bytes / 2) };
    }
    if (type === 'bf16' && residence.kind === 'constant') {
      const data = this.#halvesOf(residence.data as Float32Array);
      return { ...view, type, buffer: { residence: { kind: 'constant', data }, bytes: data.byteLength } };
    }
    // The same layout, so that a copy of a strided value is no transposition.
    const dst = isDense(view) ? scratch(type, view.shape) : likeLayout(view, type);
    this.primitive('cast', { kind: 'reorder', src: view, dst });
    return dst;
  }

  /** f32 and dense. */
  floats(node: Node): View {
    return this.dense(this.typed(node, 'f32'));
  }

  /** The view itself if its elements lie row-major and none is repeated, else a copy that does. */
  dense(view: View): View {
    if (isDense(view) && isFull(view)) return view;
    return this.shared(viewKey(view), view.buffer, () => {
      const dst = scratch(view.type, view.shape);
      if (isFull(view) && view.type !== 'u8' && view.type !== 's32') {
        this.primitive('copy', { kind: 'reorder', src: view, dst });
      } else {
        this.loop('copy', [view], [dst], copy(view, dst));
      }
      return dst;
    });
  }

  /** How a chain's result is kept: bf16 only where every reader takes it so. */
  typeOf(root: Node): ElementType {
    return this.#bf16.has(root) ? 'bf16' : ELEMENT_TYPES[root.dtype];
  }

  /** Memory for a node's result, laid out as the transposition that alone reads it wants it. */
  result(root: Node): View {
    const type = this.typeOf(root);
    const only = this.facts.onlyConsumer(root);
    if (only && isOp(only, 'transpose')) {
      const { permutation } = only.attributes;
      const inverse = permutation.map((_, axis) => permutation.indexOf(axis));
      return permuted(scratch(type, this.shape(only)), inverse);
    }
    return scratch(type, this.shape(root));
  }

  /** Something that several rules need once, under a key and an object that it belongs to. */
  shared<T>(key: string, owner: object, make: () => T): T {
    const id = `${this.#ownerId(owner)} ${key}`;
    if (!this.#shared.has(id)) this.#shared.set(id, make());
    return this.#shared.get(id) as T;
  }
  /** What `shared` made, if it did. */
  known<T>(key: string, owner: object): T | undefined {
    return this.#shared.get(`${this.#ownerId(owner)} ${key}`) as T | undefined;
  }
  readonly #owners = new Map<object, number>();
  #ownerId(owner: object): number {
    let id = this.#owners.get(owner);
    if (id === undefined) {
      id = this.#owners.size;
      this.#owners.set(owner, id);
    }
    return id;
  }

  primitive(op: string, primitive: Primitive): void {
    this.steps.push({ kind: 'primitive', op, primitive });
  }

  /** A primitive with post-ops; those that it cannot take in are primitives of their own. */
  chained(op: string, primitive: Primitive<'matmul' | 'binary'>): void {
    const [own, ...further] = safePieces(foldLines(primitive.postOps));
    const { dst } = primitive;
    let at = further.length === 0 ? dst : likeLayout(dst, dst.type);
    this.primitive(op, { ...primitive, dst: at, postOps: own } as Primitive);
    for (const [i, [first, ...postOps]] of further.entries()) {
      const to = i === further.length - 1 ? dst : likeLayout(dst, dst.type);
      if (first.kind === 'eltwise') this.primitive(op, { ...first, kind: 'eltwise', src: at, dst: to, postOps });
      else if (first.kind === 'binary')
        this.primitive(op, { kind: 'binary', algorithm: first.algorithm, a: at, b: first.operand, dst: to, postOps });
      at = to;
    }
  }

  /** @param overwrites  which of `reads` the first of `writes` may share memory with */
  loop(
    op: string,
    reads: readonly View[],
    writes: readonly View[],
    run: LoopStep['run'],
    overwrites: readonly number[] = [],
  ): void {
    this.steps.push({ kind: 'loop', op, reads, writes, run, overwrites });
  }

  /** A buffer with a name, one a name and kind. */
  named(kind: 'input' | 'state' | 'shadow', name: string, bytes: number): PlanBuffer {
    const key = `${kind} ${name}`;
    const known = this.#named.get(key);
    if (known) return known;
    const buffer = { residence: { kind, name }, bytes };
    this.#named.set(key, buffer);
    return buffer;
  }

  input(node: Node<'input'>): View {
    const { name } = node.attributes;
    const type = ELEMENT_TYPES[node.dtype];
    const shape = this.shape(node);
    const view = denseView(this.named('input', name, elementCount(shape) * ELEMENT_BYTES[type]), type, shape);
    this.#inputs.set(name, view);
    return view;
  }

  /** State, or its value where that never changes. */
  state(node: Node<'state'>): View {
    const { name } = node.attributes;
    const shape = this.shape(node);
    const weights = this.#weights.get(name);
    if (weights) return this.shared(name, this.#weights, () => constantView(weights, 'f32', shape));
    return denseView(this.named('state', name, elementCount(shape) * ELEMENT_BYTES.f32), 'f32', shape);
  }

  /** Where a result of the graph lies at the end of the run. */
  #outputs(): PlanOutput[] {
    return [...this.facts.graph.outputs].map(([name, node]) => {
      let view = node.dtype === 'float32' ? this.floats(node) : this.dense(this.value(node));
      // State may be written before the outputs are read.
      if (view.buffer.residence.kind === 'state') {
        const dst = scratch(view.type, view.shape);
        this.loop('copy', [view], [dst], copy(view, dst));
        view = dst;
      }
      return { name, view, dtype: node.dtype };
    });
  }

  #updates(): NamedView[] {
    return [...this.facts.graph.updates].map(([name, node]) => ({ name, view: this.floats(node) }));
  }

  plan(): Plan {
    this.planNodes();
    const outputs = this.#outputs();
    const updates = this.#updates();
    const aliases = shareMemory(this, outputs, updates);
    return {
      steps: this.steps,
      inputs: [...this.#inputs].map(([name, view]) => ({ name, view })),
      outputs,
      updates: updates.map(({ name }) => name),
      shadows: [...this.#named.values()].flatMap(({ residence }) =>
        residence.kind === 'shadow' ? [residence.name] : [],
      ),
      aliases,
    };
  }
}

function halvesOnHeap(data: Float32Array): Uint16Array {
  const rounded = new Uint16Array(data.length);
  roundToBfloat16(data, rounded);
  return rounded;
}

function viewKey({ type, offset, shape, strides }: View): string {
  return `dense ${type}+${offset}[${shape}][${strides}]`;
}
