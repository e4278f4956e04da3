/** A graph as a program of this engine: planned anew for each set of sizes, run in the calling thread. */
import { elementCount } from '../../graph/dimensions.js';
import type { Graph } from '../../graph/graph.js';
import { nodesOf } from '../../graph/graph.js';
import { bindSizes } from '../../interpreter/evaluate.js';
import { deadCode } from '../../passes/passes.js';
import { checkState } from '../arenas.js';
import type { ArenaRange, Precision, Tensor, Tensors } from '../engine.js';
import { EngineError } from '../engineError.js';
import { checkFeeds, type ProgramSignature, runError, scalarOutput, sumOverPieces } from '../programSignature.js';
import type { WorkerProgram } from '../worker/workerServer.node.js';
import { Executable, type ExecutionContext, type Place } from './executable.js';
import type { OneDnnSession, PackedLayout } from './library/session.js';
import { roundToBfloat16 } from './loops/bfloat16.js';
import { type AddressOf, allocate, type Block, elementsOf } from './memory.js';
import { ALIGNMENT } from './plan/layout.js';
import { Planner } from './plan/planner.js';
import { rules } from './plan/rules.js';
import { ELEMENT_BYTES, type PlanBuffer, type View } from './plan/values.js';
import type { OneDnnSource } from './protocol.js';
import type { OneDnnArenas } from './state.js';

/** Plans of one program that are kept; a server sees many lengths, and each plan holds its primitives. */
const MOST_PLANS = 64;

/** What all programs of an engine share: the library, and one block of memory for what lies between steps. */
export class Runtime {
  readonly session?: OneDnnSession;
  readonly precision: Precision;
  readonly addressOf: AddressOf;
  readonly warn: (warning: string) => void;
  #scratch?: Block;
  readonly #executables = new Set<Executable>();
  readonly #constants = new WeakMap<ArrayBufferView, Place>();
  readonly #halves = new WeakMap<Float32Array, Uint16Array>();
  readonly #packed = new WeakMap<ArrayBufferView, Map<PackedLayout, Block>>();

  /** @param session  undefined to do everything in loops */
  constructor(session: OneDnnSession | undefined, precision: Precision, warn: (warning: string) => void) {
    this.session = session;
    this.precision = precision;
    this.addressOf = session ? (buffer) => session.library.addressOf(buffer) : () => 0;
    const warned = new Set<string>();
    this.warn = (warning) => {
      if (!warned.has(warning)) warn(warning);
      warned.add(warning);
    };
  }

  /** The block that every program computes in, one at a time. */
  scratch(bytes: number): Block {
    if (!this.#scratch || this.#scratch.bytes < bytes) {
      // The old block goes when nothing is bound to it.
      for (const executable of this.#executables) executable.release();
      this.#scratch = undefined;
      this.#scratch = allocate(bytes, this.addressOf);
    }
    return this.#scratch;
  }

  add(executable: Executable): void {
    this.#executables.add(executable);
  }
  release(executable: Executable): void {
    this.#executables.delete(executable);
    executable.release();
  }

  /** Where a constant lies; one that is not aligned is copied, once. */
  constantPlace(data: ArrayBufferView): Place {
    let place = this.#constants.get(data) ?? this.#alignedPlace(data);
    if (!place) {
      const block = allocate(data.byteLength, this.addressOf);
      new Uint8Array(block.buffer, block.start, data.byteLength).set(
        new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      );
      place = { block, offset: 0 };
      this.#constants.set(data, place);
    }
    return place;
  }

  /** Where a constant lies in a layout of the library's own, into which it is copied once. */
  packedAddress(view: View, layout: PackedLayout): number {
    const { residence } = view.buffer;
    if (residence.kind !== 'constant') throw new EngineError(`a ${residence.kind} buffer is packed by nobody`);
    const copies = this.#packed.get(residence.data) ?? new Map<PackedLayout, Block>();
    this.#packed.set(residence.data, copies);
    let block = copies.get(layout);
    if (!block) {
      block = allocate(layout.bytes, this.addressOf);
      const { block: plain, offset } = this.constantPlace(residence.data);
      const address = plain.address + offset + view.offset * ELEMENT_BYTES[view.type];
      this.session!.pack(view, address, layout, block.address);
      copies.set(layout, block);
    }
    return block.address;
  }

  readonly halvesOf = (data: Float32Array): Uint16Array => {
    let rounded = this.#halves.get(data);
    if (!rounded) {
      const block = allocate(data.length * Uint16Array.BYTES_PER_ELEMENT, this.addressOf);
      rounded = elementsOf(block, 0, 'bf16', data.length) as Uint16Array;
      roundToBfloat16(data, rounded);
      this.#halves.set(data, rounded);
    }
    return rounded;
  };

  #alignedPlace({ buffer, byteOffset, byteLength }: ArrayBufferView): Place | undefined {
    if (!(buffer instanceof ArrayBuffer)) return undefined;
    const address = this.addressOf(buffer) + byteOffset;
    if (address % ALIGNMENT !== 0) return undefined;
    return { block: { buffer, start: byteOffset, bytes: byteLength, address }, offset: 0 };
  }
}

interface Specialisation {
  readonly executable: Executable;
  /** Arenas whose bf16 copies it reads. */
  readonly shadows: ReadonlySet<string>;
}

export class OneDnnProgram implements WorkerProgram {
  readonly #runtime: Runtime;
  readonly #graph: Graph;
  readonly #signature: ProgramSignature;
  readonly #weights?: ReadonlyMap<string, Float32Array>;
  readonly #arenas?: OneDnnArenas;
  readonly #plans = new Map<string, Specialisation>();
  #profile?: Map<string, number>;
  /** Whether its state is arenas, of which each run may take other pieces. */
  readonly #runsOverArenas: boolean;
  /** The piece of every arena that a run over arenas is at. */
  #piece?: { start: number; end: number };
  /** The plan of the piece before. */
  #last?: { readonly feeds: Tensors; readonly elements: number; readonly plan: Specialisation };

  /** @throws EngineError when the state of the graph has no place in the arenas, or weights do not fit */
  constructor(runtime: Runtime, { label, graph, weights }: OneDnnSource, arenas?: OneDnnArenas, profile = false) {
    this.#runtime = runtime;
    this.#graph = deadCode.run(graph);
    this.#weights = weights;
    this.#arenas = arenas;
    if (profile) this.#profile = new Map();
    this.#signature = signatureOf(label, this.#graph, weights);
    checkState(this.#signature, arenas);
    this.#runsOverArenas = this.#signature.states.some(({ name }) => !arenas?.layout.slots.has(name));
  }

  run(feeds: Tensors): Tensors {
    this.#piece = undefined;
    return this.#execute(feeds);
  }

  runOverArenas(ranges: readonly ArenaRange[], chunk: number): Promise<Record<string, number>> {
    const { label } = this.#signature;
    const outputs = this.#graph.outputs.keys();
    return sumOverPieces({ label, outputs }, ranges, chunk, async (piece, feeds) => {
      this.#piece = piece;
      const results = Object.entries(this.#execute(feeds));
      return Object.fromEntries(
        results.map(([name, { shape, data }]) => [name, scalarOutput(label, name, shape, data)]),
      );
    });
  }

  #execute(feeds: Tensors): Tensors {
    const again = this.#planOfPieceBefore(feeds);
    if (!again) checkFeeds(this.#signature, feeds);
    try {
      const { executable, shadows } = again ?? this.#specialised(feeds);
      this.#arenas?.refreshShadows(shadows, this.#context);
      const scratch = this.#runtime.scratch(executable.layout.bytes);
      const { inputs, outputs, updates } = executable.plan;
      executable.bind(scratch);
      if (this.#runsOverArenas) executable.moveState();
      for (const { name, view } of inputs) executable.elements(view).set(feeds[name].data);
      executable.run(this.#profile && ((label, elapsedMs) => this.#record(label, elapsedMs)));
      for (const name of updates) this.#arenas!.changed(this.#arenas!.originOf(name).arena);
      return Object.fromEntries(
        outputs.map(({ name, view, dtype }): [string, Tensor] => {
          const data = executable.elements(view).slice() as Tensor['data'];
          return [name, { dtype, shape: view.shape, data }];
        }),
      );
    } catch (error) {
      throw runError(this.#signature, feeds, error);
    }
  }

  #record(label: string, elapsedMs: number): void {
    this.#profile!.set(label, (this.#profile!.get(label) ?? 0) + elapsedMs);
  }

  /** The pieces of a range have the same feeds and, but for the last, one length; there are hundreds of them. */
  #planOfPieceBefore(feeds: Tensors): Specialisation | undefined {
    const { feeds: before, elements, plan } = this.#last ?? {};
    return before === feeds && elements === elementsOfPiece(this.#piece) ? plan : undefined;
  }

  /** The plan for the sizes of these feeds. Their shapes name it: to bind the sizes of a whole graph costs half a millisecond. */
  #specialised(feeds: Tensors): Specialisation {
    const elements = elementsOfPiece(this.#piece);
    const shapes = this.#signature.inputs.map(({ name }) => feeds[name].shape.join());
    const key = `${elements};${shapes.join(';')}`;
    let known = this.#plans.get(key);
    // The one used last is the last to go.
    if (known) this.#plans.delete(key);
    else known = this.#plan(this.#sizesOf(feeds, elements));
    this.#plans.set(key, known);
    if (this.#plans.size > MOST_PLANS) this.#forget(this.#plans.keys().next().value!);
    this.#last = elements === undefined ? undefined : { feeds, elements, plan: known };
    return known;
  }

  /** @param elements  of each arena, in a run over arenas */
  #sizesOf(feeds: Tensors, elements: number | undefined): ReadonlyMap<string, number> {
    return bindSizes(this.#graph.nodes, (node) => {
      const { name } = node.attributes as { name: string };
      if (node.op === 'input') return feeds[name].shape;
      return elements !== undefined && node.shape.length === 1 ? [elements] : this.#stateShape(name);
    });
  }

  #stateShape(name: string): readonly number[] {
    const slot = this.#arenas?.layout.slots.get(name);
    if (slot) return slot.shape;
    const weights = this.#weights?.get(name);
    const state = nodesOf(this.#graph, 'state').find(({ attributes }) => attributes.name === name)!;
    return weights ? state.shape.map(Number) : [this.#arenas!.layout.arenas[name]];
  }

  #plan(sizes: ReadonlyMap<string, number>): Specialisation {
    const { precision, halvesOf } = this.#runtime;
    const plan = new Planner(this.#graph, rules, { sizes, precision, weights: this.#weights, halvesOf }).plan();
    const executable = new Executable(plan, this.#context);
    this.#runtime.add(executable);
    return { executable, shadows: this.#shadowsOf(executable) };
  }

  #shadowsOf({ plan }: Executable): Set<string> {
    return new Set(plan.shadows.map((name) => this.#arenas!.originOf(name).arena));
  }

  #forget(key: string): void {
    this.#last = undefined;
    this.#runtime.release(this.#plans.get(key)!.executable);
    this.#plans.delete(key);
  }

  get #context(): ExecutionContext {
    const { session, warn } = this.#runtime;
    return {
      session,
      warn,
      place: (residence) => this.#place(residence),
      packed: (view, layout) => this.#runtime.packedAddress(view, layout),
    };
  }

  #place(residence: PlanBuffer['residence']): Place {
    switch (residence.kind) {
      case 'constant':
        return this.#runtime.constantPlace(residence.data);
      case 'shadow':
        return this.#arenas!.shadowPlace(residence.name);
      case 'state': {
        const { start, end } = this.#piece ?? {};
        const arenas = this.#arenas!;
        const isWhole = !arenas.layout.slots.has(residence.name);
        return arenas.placeOf(
          isWhole && this.#piece ? arenas.range(residence.name, start, end) : arenas.view(residence).data,
        );
      }
      default:
        throw new EngineError(`a ${residence.kind} buffer has no place of its own`);
    }
  }

  profile(): Record<string, number> {
    if (!this.#profile) throw new EngineError('the program was not compiled with `profile`, or its profile has ended');
    const elapsedMs = Object.fromEntries(this.#profile);
    this.#profile = undefined;
    return elapsedMs;
  }

  release(): void {
    for (const key of [...this.#plans.keys()]) this.#forget(key);
  }
}

/** Undefined when it is no run over arenas. */
function elementsOfPiece(piece: { start: number; end: number } | undefined): number | undefined {
  return piece && piece.end - piece.start;
}

function signatureOf(label: string, graph: Graph, weights: OneDnnSource['weights']): ProgramSignature {
  const inputs = nodesOf(graph, 'input').map((node) => ({
    name: node.attributes.name,
    type: node.dtype,
    shape: node.shape,
  }));
  const states = nodesOf(graph, 'state');
  for (const { attributes, shape } of states) {
    const data = weights?.get(attributes.name);
    if (data) requireSize(attributes.name, shape.map(Number), data);
  }
  const read = states.filter(({ attributes: { name } }) => !weights?.has(name));
  const named = (
    name: string,
    { dtype, shape }: { dtype: Graph['nodes'][number]['dtype']; shape: Graph['nodes'][number]['shape'] },
  ) => ({
    name,
    type: dtype,
    shape,
  });
  return {
    label,
    inputs,
    states: [
      ...read.map((node) => named(node.attributes.name, node)),
      ...[...graph.updates].map(([name, node]) => named(name, node)),
    ],
  };
}

function requireSize(name: string, shape: readonly number[], data: Float32Array): void {
  const size = elementCount(shape);
  if (size === data.length) return;
  throw new EngineError(`weights of "${name}" have ${data.length} values, its shape is [${shape.join(', ')}]`, {
    subject: name,
    found: data.length,
    expected: `${size} values`,
  });
}
