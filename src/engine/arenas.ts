/** State of an engine as flat arrays, and the views of it that a program reads and writes. Runs in the engine's thread. */
import { elementCount, formatShape } from '../graph/dimensions.js';
import type { StateLayout } from './engine.js';
import { EngineError } from './engineError.js';
import type { ProgramSignature, SignatureValue } from './programSignature.js';

export interface StateView {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

export class Arenas {
  readonly layout: StateLayout;
  readonly #arrays: ReadonlyMap<string, Float32Array>;

  /**
   * @param allocate  memory for an arena of so many elements, all 0
   * @throws EngineError when a slot lies outside its arena
   */
  constructor(layout: StateLayout, allocate: (length: number) => Float32Array = (length) => new Float32Array(length)) {
    this.layout = layout;
    checkLayout(layout);
    this.#arrays = new Map(Object.entries(layout.arenas).map(([name, length]) => [name, allocate(length)]));
  }

  /** Elements start..end of an arena, not copied. */
  range(arena: string, start?: number, end?: number): Float32Array {
    const range = rangeWithin(this.layout, arena, start, end);
    return this.#arrays.get(arena)!.subarray(range.start, range.end);
  }

  write(arena: string, data: Float32Array, start = 0): void {
    this.range(arena, start, start + data.length).set(data);
  }

  /** The tensor that a program's state node stands for: a slot, or a whole arena. */
  view(state: Pick<SignatureValue, 'name'>): StateView {
    const slot = this.layout.slots.get(state.name);
    if (!slot) {
      const data = this.range(state.name);
      return { data, shape: [data.length] };
    }
    const { arena, offset, shape } = slot;
    const size = elementCount(shape);
    return { data: this.range(arena, offset, offset + size), shape };
  }
}

/** @throws EngineError when a slot lies outside its arena */
export function checkLayout({ arenas, slots }: StateLayout): void {
  for (const [name, { arena, offset, shape }] of slots) {
    const end = offset + elementCount(shape);
    if (arenas[arena] === undefined || end > arenas[arena]) {
      throw new EngineError(
        `state "${name}" lies at ${offset}..${end} of arena "${arena}", which has ${arenas[arena] ?? 'no'} elements`,
        { subject: name, advice: 'Make the arena longer or move the slot' },
      );
    }
  }
}

/**
 * Elements start..end of an arena; all of it by default.
 * @throws EngineError when there is no such arena, or the range is not within it
 */
export function rangeWithin(
  { arenas }: StateLayout,
  arena: string,
  start = 0,
  end = arenas[arena],
): { readonly start: number; readonly end: number } {
  const length = Object.hasOwn(arenas, arena) ? arenas[arena] : undefined;
  if (length === undefined) {
    throw new EngineError(`there is no arena "${arena}"; there are ${Object.keys(arenas).join(', ') || 'none'}`, {
      subject: arena,
    });
  }
  if (start >= 0 && start <= end && end <= length) return { start, end };
  throw new EngineError(`elements ${start}..${end} of arena "${arena}", which has ${length}`, { subject: arena });
}

/** @throws EngineError when there is no slot or arena for a program's state, or one of another shape */
function checkPlace({ arenas, slots }: StateLayout, label: string, state: SignatureValue): void {
  const slot = slots.get(state.name);
  const known = slot?.shape ?? (Object.hasOwn(arenas, state.name) ? [arenas[state.name]] : undefined);
  if (!known) {
    throw new EngineError(`program "${label}": state "${state.name}" has no place in the engine's state`, {
      subject: state.name,
      advice: 'Add a slot of that name to the StateLayout',
    });
  }
  const fits =
    known.length === state.shape.length &&
    state.shape.every((dim, axis) => typeof dim === 'string' || dim === known[axis]);
  if (!fits) {
    throw new EngineError(
      `program "${label}": state "${state.name}" is ${formatShape(state.shape)} in the graph and ${formatShape(known)} in the engine's state`,
      { subject: state.name, found: known, expected: formatShape(state.shape) },
    );
  }
}

/**
 * Checks that all state of a program has a place.
 * @throws EngineError when it has none, or one of another shape
 */
export function checkState({ label, states }: ProgramSignature, arenas: Pick<Arenas, 'layout'> | undefined): void {
  for (const state of states) {
    if (!arenas) {
      throw new EngineError(
        `program "${label}": state "${state.name}" has no place, the program was compiled without state`,
        { subject: state.name, advice: 'Pass `state`, or the values as `weights`' },
      );
    }
    checkPlace(arenas.layout, label, state);
  }
}
