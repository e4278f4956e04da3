/**
 * Results that take the memory of an operand that nothing reads later, or of the state that they become. Done on finished
 * steps, where it is plain who reads what and when.
 */
import { elementCount } from '../../../graph/dimensions.js';
import { copy } from '../loops/kernels.js';
import { type LoopStep, type NamedView, type PlanOutput, resolveAlias, type Step, stepOperands } from './plan.js';
import type { PostOp, Primitive } from './primitives.js';
import {
  denseView,
  ELEMENT_BYTES,
  isDense,
  isFull,
  type PlanBuffer,
  sameLayout,
  scratch,
  type View,
} from './values.js';

/** When the memory of a buffer, and of all that share it, is written and read; steps by number. */
interface Span {
  firstWrite: number;
  lastRead: number;
}

/** What this pass needs of the planner: its steps, and a way to add copies behind them. */
export interface StepList {
  readonly steps: Step[];
  named(kind: 'state', name: string, bytes: number): PlanBuffer;
  loop(op: string, reads: readonly View[], writes: readonly View[], run: LoopStep['run']): void;
}

/** Chooses who shares memory, rewriting steps to match, and adds copies for updates that could not be written in place. */
export function shareMemory(
  list: StepList,
  outputs: readonly PlanOutput[],
  updates: readonly NamedView[],
): Map<PlanBuffer, PlanBuffer> {
  const targets = updates.map(({ name, view }) => ({
    view,
    state: denseView(list.named('state', name, elementCount(view.shape) * ELEMENT_BYTES.f32), 'f32', view.shape),
  }));
  const taken = new Set<PlanBuffer>();
  const inPlace = targets.filter(({ view }) => {
    const { buffer } = view;
    if (taken.has(buffer) || !ownsItsBuffer(view)) return false;
    taken.add(buffer);
    return true;
  });
  copyAtEnd(
    list,
    targets.filter((target) => !inPlace.includes(target)),
  );
  const sharing = new Sharing(list.steps, outputs);
  copyAtEnd(
    list,
    inPlace.filter(({ view, state }) => !sharing.writeInto(state, view)),
  );
  sharing.foldScaledSums();
  sharing.recordSteps();
  sharing.reuseOperands();
  return sharing.aliases;
}

/** Whether a view is all of a buffer between two steps. */
function ownsItsBuffer(view: View): boolean {
  const { buffer, type, shape } = view;
  const whole = elementCount(shape) * ELEMENT_BYTES[type] === buffer.bytes;
  return buffer.residence.kind === 'scratch' && whole && isDense(view) && isFull(view);
}

/** All values of state are read before any is written, so that two states may change places. */
function copyAtEnd(list: StepList, targets: readonly { view: View; state: View }[]): void {
  const settled = targets.map(({ view, state }) => {
    if (view.buffer.residence.kind !== 'state') return { view, state };
    const kept = scratch(view.type, view.shape);
    list.loop('copy', [view], [kept], copy(view, kept));
    return { view: kept, state };
  });
  for (const { view, state } of settled) list.loop('copy', [view], [state], copy(view, state));
}

class Sharing {
  readonly aliases = new Map<PlanBuffer, PlanBuffer>();
  readonly #spans = new Map<PlanBuffer, Span>();
  /** The last step that reads a state's old value. */
  readonly #oldReads = new Map<PlanBuffer, number>();

  constructor(
    private readonly steps: Step[],
    private readonly outputs: readonly PlanOutput[],
  ) {
    this.recordSteps();
  }

  /** Takes note of the steps as they now are. */
  recordSteps(): void {
    this.#spans.clear();
    this.#oldReads.clear();
    for (const [at, step] of this.steps.entries()) {
      const { reads, writes } = stepOperands(step);
      for (const { view } of reads) {
        this.#span(this.#root(view.buffer)).lastRead = at;
        // A sum over state reads it through the result that is to lie there.
        const state = this.#root(view.buffer);
        const isOld = view.buffer === state || writes.some((write) => write.view === view);
        if (state.residence.kind === 'state' && isOld) this.#oldReads.set(state, at);
      }
      for (const { view } of writes) {
        const span = this.#span(this.#root(view.buffer));
        span.firstWrite = Math.min(span.firstWrite, at);
      }
    }
    for (const { view } of this.outputs) this.#span(this.#root(view.buffer)).lastRead = this.steps.length;
  }

  #span(buffer: PlanBuffer): Span {
    let span = this.#spans.get(buffer);
    if (!span) {
      span = { firstWrite: Number.POSITIVE_INFINITY, lastRead: -1 };
      this.#spans.set(buffer, span);
    }
    return span;
  }

  #root(buffer: PlanBuffer): PlanBuffer {
    return resolveAlias(this.aliases, buffer);
  }

  /** Has a value written to the memory of the state that it becomes, where no later step reads the state's old value. */
  writeInto(state: View, value: View): boolean {
    if (!this.#mayMove(value.buffer, state.buffer)) return false;
    this.#alias(value.buffer, state.buffer);
    return true;
  }

  /** Whether the old value of a state is no more read when `buffer` is first written, or read as it is written. */
  #mayMove(buffer: PlanBuffer, state: PlanBuffer): boolean {
    const { firstWrite } = this.#span(buffer);
    const oldRead = this.#oldReads.get(state) ?? -1;
    if (oldRead < firstWrite) return true;
    return oldRead === firstWrite && this.#overwritable(this.steps[firstWrite], state, buffer) !== undefined;
  }

  /** The memory of `buffer` is `onto`'s; a step that reads the one as it writes the other is changed to do so in place. */
  #alias(buffer: PlanBuffer, onto: PlanBuffer): void {
    const [span, target] = [this.#span(buffer), this.#span(onto)];
    const readAt = this.#oldReads.get(onto) ?? target.lastRead;
    if (readAt === span.firstWrite) this.#overwritable(this.steps[span.firstWrite], onto, buffer)?.();
    target.firstWrite = Math.min(target.firstWrite, span.firstWrite);
    target.lastRead = Math.max(target.lastRead, span.lastRead);
    this.aliases.set(buffer, onto);
  }

  /** Lets each step write over an operand that nothing reads later. */
  reuseOperands(): void {
    for (const [at, step] of this.steps.entries()) {
      const { reads, writes } = stepOperands(step);
      const result = writes[0]?.view;
      if (result?.buffer.residence.kind !== 'scratch') continue;
      const root = this.#root(result.buffer);
      if (this.#span(root).firstWrite !== at) continue;
      for (const { view } of reads) {
        const operand = this.#root(view.buffer);
        if (operand === root || operand.residence.kind !== 'scratch' || operand.bytes !== result.buffer.bytes) continue;
        if (this.#span(operand).lastRead !== at || !this.#overwritable(step, view.buffer, result.buffer)) continue;
        if (root.residence.kind === 'scratch') this.#alias(root, operand);
        // The result is state: the operand moves there, if the state's old value is not needed since it was written.
        else if (this.#mayMove(operand, root)) {
          this.#overwritable(step, view.buffer, result.buffer)?.();
          this.#alias(operand, root);
        } else continue;
        break;
      }
    }
  }

  /**
   * x + c·s, written over s, is one primitive: the sum post-op scales what lay there before. So the moments of Adam are
   * updated in one pass each.
   */
  foldScaledSums(): void {
    const folded = new Set<Step>();
    for (const step of this.steps) {
      if (step.kind !== 'primitive' || step.primitive.kind !== 'binary') continue;
      const { primitive } = step;
      if (primitive.postOps.some(({ kind }) => kind === 'sum')) continue;
      for (const [place, postOp] of primitive.postOps.entries()) {
        const scaled = postOp.kind === 'binary' && postOp.algorithm === 'add' && this.#scaling(postOp.operand);
        if (!scaled || this.#root(scaled.of.buffer) !== this.#root(primitive.dst.buffer)) continue;
        if (!sameLayout(scaled.of, primitive.dst)) continue;
        step.primitive = { ...primitive, postOps: primitive.postOps.with(place, { kind: 'sum', scale: scaled.by }) };
        folded.add(scaled.step);
        break;
      }
    }
    for (const step of folded) this.steps.splice(this.steps.indexOf(step), 1);
  }

  /** The step that makes a value as a constant times another, where it is read but once. */
  #scaling(value: View): { step: Step; of: View; by: number } | undefined {
    const memory = this.#root(value.buffer);
    const isValue = ({ view }: { readonly view: View }) => this.#root(view.buffer) === memory;
    const isResult = memory.residence.kind !== 'scratch' || this.outputs.some(isValue);
    // A step that reads it twice counts twice.
    const uses = this.steps.flatMap((step) => stepOperands(step).reads.filter(isValue));
    const made = this.steps.find((step) => stepOperands(step).writes.some(({ view }) => view.buffer === value.buffer));
    if (isResult || uses.length !== 1 || made?.kind !== 'primitive' || made.primitive.kind !== 'binary')
      return undefined;
    const { algorithm, a, b, postOps } = made.primitive;
    const { residence } = b.buffer;
    if (algorithm !== 'mul' || postOps.length > 0 || residence.kind !== 'constant' || b.buffer.bytes !== 4)
      return undefined;
    if (this.#root(a.buffer) === memory) return undefined;
    return { step: made, of: a, by: (residence.data as Float32Array)[0] };
  }

  /**
   * Whether a step may write `result` over `operand`, which it reads: each element is read before it is written.
   * @returns what to change in the step for that
   */
  #overwritable(step: Step, operand: PlanBuffer, result: PlanBuffer): (() => void) | undefined {
    const reads = stepOperands(step).reads.filter(({ view }) => this.#root(view.buffer) === this.#root(operand));
    const write = stepOperands(step).writes.find(({ view }) => view.buffer === result)?.view;
    if (reads.length !== 1 || !write) return undefined;
    const [{ view }] = reads;
    if (view.type !== write.type || !sameLayout(view, write) || !isFull(view)) return undefined;
    if (step.kind === 'loop') {
      return step.overwrites.some((index) => step.reads[index] === view) && step.writes[0] === write
        ? () => {}
        : undefined;
    }
    return overwriting(step.primitive, view, (primitive) => {
      step.primitive = primitive;
    });
  }
}

/** The operand that each primitive may be computed in place of, as oneDNN documents it. */
function overwriting(
  primitive: Primitive,
  operand: View,
  replace: (primitive: Primitive) => void,
): (() => void) | undefined {
  const nothing = () => {};
  switch (primitive.kind) {
    case 'eltwise':
    case 'softmax':
    case 'layerNorm':
      return primitive.src === operand ? nothing : undefined;
    case 'eltwiseBackward':
    case 'softmaxBackward':
    case 'layerNormBackward':
      return primitive.diffDst === operand ? nothing : undefined;
    case 'binary': {
      const { algorithm, a, b } = primitive;
      if (a === operand) return nothing;
      if (b === operand && isFull(b) && (algorithm === 'add' || algorithm === 'mul')) {
        return () => replace({ ...primitive, a: b, b: a });
      }
      return summed(primitive, operand, replace);
    }
    case 'matmul':
      return primitive.postOps[0]?.kind === 'binary' && primitive.postOps[0].operand === operand
        ? summed(primitive, operand, replace)
        : undefined;
    default:
      return undefined;
  }
}

/** An operand that a post-op adds is the sum post-op once it lies where the result is written. */
function summed(
  primitive: Extract<Primitive, { postOps: readonly PostOp[] }>,
  operand: View,
  replace: (primitive: Primitive) => void,
): (() => void) | undefined {
  const place = primitive.postOps.findIndex((postOp) => postOp.kind === 'binary' && postOp.operand === operand);
  const postOp = primitive.postOps[place];
  if (postOp?.kind !== 'binary' || postOp.algorithm !== 'add') return undefined;
  if (primitive.postOps.some(({ kind }) => kind === 'sum')) return undefined;
  const postOps = primitive.postOps.with(place, { kind: 'sum', scale: 1 });
  return () => replace({ ...primitive, postOps } as Primitive);
}
