/** A loaded oneDNN with an engine and a stream on the CPU: makes primitives and memory objects, and executes them. */
import { type Operand, operandsOf, type Primitive } from '../plan/primitives.js';
import type { View } from '../plan/values.js';
import { Calls, check, type Handle } from './calls.js';
import { createDescriptors, type Descriptors, rowOfBias } from './descriptors.js';
import type { ForeignFunction, OneDnnLibrary } from './load.node.js';

/** A primitive of the library, which may be executed on any memory of the same layout. */
export interface BuiltPrimitive {
  readonly handle: Handle;
  /** What computes it, for instance "brg:avx512_core_bf16" or "ref:any". */
  readonly implementation: string;
  /** Of a product that packs its weights: the layout that it wants them in. */
  readonly packed?: PackedLayout;
}

/** A memory descriptor of the library's own choice; the same object for the same layout. */
export interface PackedLayout {
  readonly descriptor: Handle;
  readonly bytes: number;
}

/** One execution: the C array of arguments and its length. */
export interface ArgumentList {
  readonly address: number;
  readonly count: number;
}

const CPU = 1;
const IN_ORDER = 1;
/** An argument is { int, 4 bytes of padding, pointer }. */
const ARGUMENT_BYTES = 16;

export class OneDnnSession {
  readonly library: OneDnnLibrary;
  readonly #engine: Handle;
  readonly #stream: Handle;
  readonly #descriptors: Descriptors;
  readonly #built = new Map<string, BuiltPrimitive | Error>();
  readonly #layouts: PackedLayout[] = [];
  readonly #createPrimitive: ForeignFunction;
  readonly #destroyDescriptor: ForeignFunction;
  readonly #destroyPrimitive: ForeignFunction;
  readonly #query: ForeignFunction;
  readonly #queryMemory: ForeignFunction;
  readonly #sizeOf: ForeignFunction;
  readonly #areEqual: ForeignFunction;
  readonly #createMemory: ForeignFunction;
  readonly #destroyMemory: ForeignFunction;
  readonly #setHandle: ForeignFunction;
  readonly #execute: ForeignFunction;

  constructor(library: OneDnnLibrary) {
    this.library = library;
    const calls = new Calls(library);
    this.#engine = calls.making('dnnl_engine_create', 'int', 'size')(CPU, 0);
    this.#stream = calls.making('dnnl_stream_create', 'address', 'uint')(this.#engine, IN_ORDER);
    this.#descriptors = createDescriptors(library, this.#engine);
    this.#createPrimitive = calls.making('dnnl_primitive_create', 'address');
    this.#destroyDescriptor = calls.checked('dnnl_primitive_desc_destroy', 'address');
    this.#destroyPrimitive = calls.checked('dnnl_primitive_destroy', 'address');
    this.#query = calls.checked('dnnl_primitive_desc_query', 'address', 'int', 'int', 'buffer');
    this.#queryMemory = library.library.func('dnnl_primitive_desc_query_md', 'uint64', ['uint64', 'int', 'int']);
    this.#sizeOf = library.library.func('dnnl_memory_desc_get_size', 'size_t', ['uint64']);
    this.#areEqual = library.library.func('dnnl_memory_desc_equal', 'int', ['uint64', 'uint64']);
    this.#createMemory = calls.making('dnnl_memory_create', 'address', 'address', 'address');
    this.#destroyMemory = calls.checked('dnnl_memory_destroy', 'address');
    this.#setHandle = calls.checked('dnnl_memory_set_data_handle', 'address', 'address');
    this.#execute = library.library.func('dnnl_primitive_execute', 'int', ['uint64', 'uint64', 'int', 'uint64']);
  }

  /**
   * A primitive; one of the same kind, sizes, strides and types is made once.
   * @throws EngineError when the library has no implementation of it
   */
  build(primitive: Primitive): BuiltPrimitive {
    const key = primitiveKey(primitive);
    let built = this.#built.get(key);
    if (built === undefined) {
      built = this.#build(primitive);
      this.#built.set(key, built);
    }
    if (built instanceof Error) throw built;
    return built;
  }

  #build(primitive: Primitive): BuiltPrimitive | Error {
    try {
      const descriptor = this.#descriptors.primitive(primitive);
      let keeps = false;
      try {
        const name = new BigUint64Array(1);
        this.#query(descriptor, this.library.constants.queryImplementation, 0, name);
        const built = { handle: this.#createPrimitive(descriptor), implementation: this.library.text(name[0]) };
        if (primitive.kind !== 'matmul' || !primitive.packs) return built;
        const known = this.#layouts.length;
        const packed = this.#layoutOfWeights(descriptor);
        // A new layout is described by memory of the primitive's descriptor.
        keeps = this.#layouts.length > known;
        return { ...built, packed };
      } finally {
        if (!keeps) this.#destroyDescriptor(descriptor);
      }
    } catch (error) {
      return error as Error;
    }
  }

  #layoutOfWeights(primitive: Handle): PackedLayout {
    const descriptor: Handle = Number(this.#queryMemory(primitive, this.library.constants.queryWeights, 0));
    const known = this.#layouts.find((layout) => this.#areEqual(layout.descriptor, descriptor) === 1);
    if (known) return known;
    const layout = { descriptor, bytes: Number(this.#sizeOf(descriptor)) };
    this.#layouts.push(layout);
    return layout;
  }

  /** Writes the elements of a view, which lies at `address`, to `target` in another layout. */
  pack(view: View, address: number, { descriptor: layout }: PackedLayout, target: number): void {
    const from = this.#descriptors.memory(view);
    const descriptor = this.#descriptors.copy(from, layout);
    const handle = this.#createPrimitive(descriptor);
    const memories = [
      { argument: this.argumentOf('src'), memory: this.#createMemory(from, this.#engine, address) },
      { argument: this.argumentOf('dst'), memory: this.packedMemory({ descriptor: layout, bytes: 0 }, target) },
    ];
    const { lists } = this.argumentLists([memories]);
    this.execute({ handle, implementation: 'reorder' }, lists[0]);
    for (const { memory } of memories) this.#destroyMemory(memory);
    this.#destroyPrimitive(handle);
    this.#destroyDescriptor(descriptor);
  }

  /** The number by which the library knows an argument. */
  argumentOf(name: Operand['name']): number {
    const { arguments: known, postOpBase } = this.library.constants;
    return typeof name === 'string' ? known[name] : ((name.postOp + 1) * postOpBase) | known.src1;
  }

  /** A memory object over `address`. */
  memory(view: View, address: number): Handle {
    return this.#createMemory(this.#descriptors.memory(view), this.#engine, address);
  }
  /** A memory object over `address`, in a layout of the library's own. */
  packedMemory({ descriptor }: PackedLayout, address: number): Handle {
    return this.#createMemory(descriptor, this.#engine, address);
  }
  moveMemory(memory: Handle, address: number): void {
    this.#setHandle(memory, address);
  }
  releaseMemory(memory: Handle): void {
    this.#destroyMemory(memory);
  }

  execute({ handle }: BuiltPrimitive, { address, count }: ArgumentList): void {
    const status = this.#execute(handle, this.#stream, count, address);
    if (status !== 0) check(status, 'dnnl_primitive_execute');
  }

  /** C arrays of arguments, one behind the other; `memory` must outlive them. */
  argumentLists(lists: readonly (readonly { argument: number; memory: Handle }[])[]): {
    lists: ArgumentList[];
    memory: ArrayBuffer;
  } {
    const total = lists.reduce((sum, list) => sum + list.length, 0);
    const memory = new ArrayBuffer(Math.max(1, total) * ARGUMENT_BYTES);
    const bytes = new DataView(memory);
    const start = this.library.addressOf(memory);
    let at = 0;
    const placed = lists.map((list) => {
      const address = start + at;
      for (const { argument, memory: handle } of list) {
        bytes.setInt32(at, argument, true);
        bytes.setBigUint64(at + 8, BigInt(handle), true);
        at += ARGUMENT_BYTES;
      }
      return { address, count: list.length };
    });
    return { lists: placed, memory };
  }
}

/** The view that an argument is described as: a bias has the axes of its product. */
export function argumentView(primitive: Primitive, { name, view }: Operand): View {
  return primitive.kind === 'matmul' && name === 'bias' ? rowOfBias(view, primitive.dst) : view;
}

/** Equal for primitives that differ in nothing but the memory they work on. */
function primitiveKey(primitive: Primitive): string {
  const { reads, writes } = operandsOf(primitive);
  const views = [...reads, ...writes].map(
    ({ name, view }) => `${JSON.stringify(name)}:${view.type}[${view.shape}][${view.strides}]`,
  );
  const rest = JSON.stringify(primitive, (_key, value) => (value?.buffer ? undefined : value));
  return `${rest}${views.join()}`;
}
