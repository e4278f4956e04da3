/** A plan made ready to run: primitives of the library, or loops where it has none, bound to memory. */

import { elementCount } from '../../graph/dimensions.js';
import type { ArgumentList, BuiltPrimitive, OneDnnSession, PackedLayout } from './library/session.js';
import { argumentView } from './library/session.js';
import { runPrimitive } from './loops/primitives.js';
import { type Block, elementsOf } from './memory.js';
import { type Layout, layOut } from './plan/layout.js';
import {
  type Elements,
  type LoopStep,
  type Plan,
  type PrimitiveStep,
  resolveAlias,
  type Step,
  stepOperands,
} from './plan/plan.js';
import { type Operand, operandsOf } from './plan/primitives.js';
import { ELEMENT_BYTES, type PlanBuffer, type View } from './plan/values.js';

/** Where a buffer lies: a block, and its first byte in it. */
export interface Place {
  readonly block: Block;
  readonly offset: number;
}

/** What a plan does not own: where state, its bf16 copies and constants lie. */
export interface ExecutionContext {
  /** Undefined where everything is done by loops. */
  readonly session?: OneDnnSession;
  place(residence: PlanBuffer['residence']): Place;
  /** The address of a constant in a layout of the library's own. Plans without such constants need none. */
  packed?(view: View, layout: PackedLayout): number;
  /** Told of what the library cannot do. */
  warn(warning: string): void;
}

interface BoundStep {
  /** For profiles: the op, and what computes it. */
  readonly label: string;
  run(): void;
  /** Binds loops anew, to where state now lies; the library's memory objects are moved instead. */
  readonly rebound?: () => BoundStep;
}

/** Memory objects of the library, and the view that each stands for. */
interface BoundMemory {
  readonly handle: number;
  readonly view: View;
}

export class Executable {
  readonly plan: Plan;
  readonly layout: Layout;
  readonly #context: ExecutionContext;
  #scratch?: Block;
  #steps: BoundStep[] = [];
  #memories: BoundMemory[] = [];
  /** Argument lists of the library, which must not be collected. */
  readonly #kept: ArrayBuffer[] = [];

  constructor(plan: Plan, context: ExecutionContext) {
    this.plan = plan;
    this.layout = layOut(plan);
    this.#context = context;
  }

  /** Has the steps work in `scratch`, which has at least `layout.bytes`. */
  bind(scratch: Block): void {
    if (this.#scratch !== scratch) this.#bind(scratch);
  }

  /** Runs all steps, after `bind`. */
  run(record?: (label: string, elapsedMs: number) => void): void {
    if (!record) {
      for (const step of this.#steps) step.run();
      return;
    }
    for (const step of this.#steps) {
      const startedAt = performance.now();
      step.run();
      record(step.label, performance.now() - startedAt);
    }
  }

  /** The memory of an input or output. */
  elements(view: View): Elements {
    const { block, offset } = this.#placeOf(view.buffer);
    const first = offset + view.offset * ELEMENT_BYTES[view.type];
    return elementsOf(block, first, view.type, extentOf(view));
  }

  /** Has the steps read and write state where `ExecutionContext` now say that it lies. */
  moveState(): void {
    for (const { handle, view } of this.#memories) {
      if (this.#isState(view)) this.#context.session!.moveMemory(handle, this.#addressOf(view));
    }
    this.#steps = this.#steps.map((step) => step.rebound?.() ?? step);
  }

  #isState({ buffer }: View): boolean {
    return resolveAlias(this.plan.aliases, buffer).residence.kind === 'state';
  }

  release(): void {
    for (const { handle } of this.#memories) this.#context.session?.releaseMemory(handle);
    this.#memories = [];
    this.#steps = [];
    this.#kept.length = 0;
    this.#scratch = undefined;
  }

  #bind(scratch: Block): void {
    this.release();
    this.#scratch = scratch;
    const built = this.plan.steps.map((step) => this.#build(step));
    const { session } = this.#context;
    const lists = built.map((primitive, i) =>
      primitive ? this.#argumentsOf(this.plan.steps[i] as PrimitiveStep, primitive) : [],
    );
    const placed = session?.argumentLists(lists);
    if (placed) this.#kept.push(placed.memory);
    this.#steps = this.plan.steps.map((step, i) => this.#bound(step, built[i], placed?.lists[i]));
  }

  /** The primitive of a step; undefined where a loop does it. */
  #build(step: Step): BuiltPrimitive | undefined {
    const { session, warn } = this.#context;
    if (step.kind !== 'primitive' || !session) return undefined;
    try {
      const built = session.build(step.primitive);
      return isSlow(step, built) ? undefined : built;
    } catch (error) {
      warn(
        `oneDNN has no ${describeStep(step)}: ${(error as Error).message}; it is computed in TypeScript, which is slower`,
      );
      return undefined;
    }
  }

  #argumentsOf({ primitive }: PrimitiveStep, { packed }: BuiltPrimitive): { argument: number; memory: number }[] {
    const session = this.#context.session!;
    const { reads, writes } = operandsOf(primitive);
    const seen = new Set<number>();
    return [...writes, ...reads].flatMap((operand) => {
      const argument = session.argumentOf(operand.name);
      // A sum reads the destination that is already an argument.
      if (seen.has(argument)) return [];
      seen.add(argument);
      const layout = operand.name === 'weights' ? packed : undefined;
      return [{ argument, memory: this.#memoryOf(argumentView(primitive, operand), layout) }];
    });
  }

  #memoryOf(view: View, packed?: PackedLayout): number {
    const session = this.#context.session!;
    const handle = packed
      ? session.packedMemory(packed, this.#context.packed!(view, packed))
      : session.memory(view, this.#addressOf(view));
    this.#memories.push({ handle, view });
    return handle;
  }

  #addressOf(view: View): number {
    const { block, offset } = this.#placeOf(view.buffer);
    return block.address + offset + view.offset * ELEMENT_BYTES[view.type];
  }

  #placeOf(buffer: PlanBuffer): Place {
    const root = resolveAlias(this.plan.aliases, buffer);
    const { residence } = root;
    if (residence.kind !== 'scratch' && residence.kind !== 'input') return this.#context.place(residence);
    return { block: this.#scratch!, offset: this.layout.offsets.get(root)! };
  }

  #bound(step: Step, built: BuiltPrimitive | undefined, list: ArgumentList | undefined): BoundStep {
    if (built && list) {
      const session = this.#context.session!;
      return { label: `${step.op} (${built.implementation})`, run: () => session.execute(built, list) };
    }
    return this.#looped(step);
  }

  #looped(step: Step): BoundStep {
    const { reads, writes } = stepOperands(step);
    const movable = [...reads, ...writes].some(({ view }) => this.#isState(view));
    const run = step.kind === 'loop' ? this.#ownLoop(step) : this.#primitiveLoop(step);
    return { label: `${step.op} (TypeScript)`, run, ...(movable && { rebound: () => this.#looped(step) }) };
  }

  #ownLoop(step: LoopStep): () => void {
    const reads = step.reads.map((view) => this.elements(view));
    const writes = step.writes.map((view) => this.elements(view));
    return () => step.run(reads, writes);
  }

  #primitiveLoop({ primitive }: PrimitiveStep): () => void {
    const { reads, writes } = operandsOf(primitive);
    const memory = new Map([...reads, ...writes].map(({ name, view }) => [nameOf(name), this.elements(view)]));
    return () => runPrimitive(primitive, (_view, name) => memory.get(nameOf(name))!);
  }
}

function nameOf(name: Operand['name']): string {
  return typeof name === 'string' ? name : `post-op ${name.postOp}`;
}

/** The library's reference implementations are slower than our loops, but for products. */
function isSlow({ primitive }: PrimitiveStep, { implementation }: BuiltPrimitive): boolean {
  return implementation.startsWith('ref') && primitive.kind !== 'matmul';
}

export function describeStep(step: PrimitiveStep): string {
  const { reads, writes } = stepOperands(step);
  const views = (operands: readonly Operand[]) => operands.map(({ view }) => `${view.type}[${view.shape}]`).join(', ');
  return `${step.primitive.kind} for ${step.op} of ${views(reads)} to ${views(writes)}`;
}

/** Elements from the first to the last of a view, gaps included. */
function extentOf({ shape, strides }: View): number {
  if (elementCount(shape) === 0) return 0;
  return shape.reduce((last, size, axis) => last + (size - 1) * strides[axis], 1);
}
