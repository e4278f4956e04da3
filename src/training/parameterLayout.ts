/** Where parameters, gradients and moments lie: four arenas of one layout, so that an update is a sweep over flat arrays. */

import type { StateLayout, StateSlot } from '../engine/engine.js';
import { elementCount } from '../graph/dimensions.js';
import type { ParameterSpec } from './objective.js';

export const ARENAS = ['parameters', 'gradients', 'firstMoment', 'secondMoment'] as const;
export type ArenaName = (typeof ARENAS)[number];

export interface PlacedParameter extends ParameterSpec {
  /** First element, the same in all four arenas. */
  readonly offset: number;
  readonly size: number;
  /** Whether weight decay applies to it. */
  readonly decayed: boolean;
}

/** A run of parameters that are updated alike. */
export interface ParameterRange {
  readonly start: number;
  readonly end: number;
  readonly decayed: boolean;
}

export interface ParameterLayout {
  readonly parameters: readonly PlacedParameter[];
  /** Length of each arena. */
  readonly length: number;
  readonly state: StateLayout;
}

/** Slots start at a multiple of 16 floats, one 64-byte cache line. The gap stays 0 in every arena. */
const ALIGNMENT = 16;

/** Names that weight decay leaves out: google-research/electra model/optimization.py, exclude_from_weight_decay. */
const NOT_DECAYED = /LayerNorm|layer_norm|bias/;

export function isDecayed(name: string): boolean {
  return !NOT_DECAYED.test(name);
}

/** Places parameters, those that decay first, so that each decay group is one contiguous range. */
export function parameterLayout(specs: readonly ParameterSpec[]): ParameterLayout {
  const parameters: PlacedParameter[] = [];
  const slots = new Map<string, StateSlot>();
  let offset = 0;
  for (const decayed of [true, false]) {
    for (const spec of specs.filter(({ name }) => isDecayed(name) === decayed)) {
      if (slots.has(spec.name)) throw new Error(`two parameters are called "${spec.name}"`);
      const size = elementCount(spec.shape);
      parameters.push({ ...spec, offset, size, decayed });
      slots.set(spec.name, { arena: 'parameters', offset, shape: spec.shape });
      slots.set(`gradient:${spec.name}`, { arena: 'gradients', offset, shape: spec.shape });
      offset += Math.ceil(size / ALIGNMENT) * ALIGNMENT;
    }
  }
  const arenas = Object.fromEntries(ARENAS.map((name) => [name, offset]));
  return { parameters, length: offset, state: { arenas, slots } };
}

/** The ranges of the parameters that are trained, as few as possible; frozen parameters are in none. */
export function trainedRanges(layout: ParameterLayout, trains: (name: string) => boolean): ParameterRange[] {
  const ranges: { start: number; end: number; decayed: boolean }[] = [];
  layout.parameters.forEach(({ name, offset, decayed }, index) => {
    if (!trains(name)) return;
    const end = layout.parameters[index + 1]?.offset ?? layout.length;
    const last = ranges.at(-1);
    if (last && last.end === offset && last.decayed === decayed) last.end = end;
    else ranges.push({ start: offset, end, decayed });
  });
  return ranges;
}
