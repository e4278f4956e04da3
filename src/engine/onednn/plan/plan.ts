/** A plan: the steps that compute a graph at concrete sizes, and where their memory lies. Plain data but for its loops. */
import type { DType } from '../../../graph/ops.js';
import { type Operands, operandsOf, type Primitive } from './primitives.js';
import type { PlanBuffer, View } from './values.js';

/** Elements of a view, from its first on; bf16 as the bits of its upper half. */
export type Elements = Float32Array | Int32Array | Uint8Array | Uint16Array;

export interface PrimitiveStep {
  readonly kind: 'primitive';
  /** The op it is for, in profiles and warnings. */
  readonly op: string;
  primitive: Primitive;
}

/** What oneDNN has no kernel for, as a loop of TypeScript. */
export interface LoopStep {
  readonly kind: 'loop';
  readonly op: string;
  readonly reads: readonly View[];
  readonly writes: readonly View[];
  /** Which of `reads` the first of `writes` may share memory with. */
  readonly overwrites: readonly number[];
  readonly run: (reads: readonly Elements[], writes: readonly Elements[]) => void;
}
export type Step = PrimitiveStep | LoopStep;

export interface NamedView {
  readonly name: string;
  readonly view: View;
}

/** An output, with what its elements mean. */
export interface PlanOutput extends NamedView {
  readonly dtype: DType;
}

export interface Plan {
  readonly steps: readonly Step[];
  readonly inputs: readonly NamedView[];
  readonly outputs: readonly PlanOutput[];
  /** Names of the state that is written. */
  readonly updates: readonly string[];
  /** Names of the state that is read as bf16. */
  readonly shadows: readonly string[];
  /** Buffers that lie in the memory of another: what a result overwrites. */
  readonly aliases: ReadonlyMap<PlanBuffer, PlanBuffer>;
}

export function stepOperands(step: Step): Operands {
  if (step.kind === 'primitive') return operandsOf(step.primitive);
  const named = (views: readonly View[]) => views.map((view) => ({ name: 'src' as const, view }));
  return { reads: named(step.reads), writes: named(step.writes) };
}

/** The buffer whose memory a buffer shares. */
export function resolveAlias(aliases: ReadonlyMap<PlanBuffer, PlanBuffer>, buffer: PlanBuffer): PlanBuffer {
  let at = buffer;
  for (let next = aliases.get(at); next; next = aliases.get(at)) at = next;
  return at;
}
