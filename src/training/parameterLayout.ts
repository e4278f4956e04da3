/**
 * Where parameters, gradients and moments lie: arenas of one layout, so that an update is a sweep over flat arrays. A run that
 * averages its weights has one more.
 */

import type { StateLayout, StateSlot } from '../engine/engine.js';
import { elementCount } from '../graph/dimensions.js';
import type { ParameterSpec } from '../nn/parameters.js';
import { defaultGroup, type ParameterGroup } from './parameterGroup.js';

export const ARENAS = ['parameters', 'gradients', 'firstMoment', 'secondMoment'] as const;
export const AVERAGE = 'average';
export type ArenaName = (typeof ARENAS)[number] | typeof AVERAGE;

export interface PlacedParameter extends ParameterSpec, ParameterGroup {
  /** First element, the same in all arenas. */
  readonly offset: number;
  readonly size: number;
}

/** A run of parameters that are updated alike. */
export interface ParameterRange extends ParameterGroup {
  readonly start: number;
  readonly end: number;
}

export interface ParameterLayout {
  readonly parameters: readonly PlacedParameter[];
  /** Length of each arena. */
  readonly length: number;
  readonly state: StateLayout;
}

/** Slots start at a multiple of 16 floats, one 64-byte cache line. The gap stays 0 in every arena. */
const ALIGNMENT = 16;

/** Places parameters, those that decay first, so that each group is one contiguous range; groups in order of appearance. */
export function parameterLayout(
  specs: readonly ParameterSpec[],
  groupOf: (name: string) => ParameterGroup = defaultGroup,
  names: readonly ArenaName[] = ARENAS,
): ParameterLayout {
  const grouped = specs.map((spec) => ({ ...spec, ...groupOf(spec.name) }));
  const scales = [...new Set(grouped.map(({ rateScale }) => rateScale))];
  const groups = [true, false].flatMap((decayed) => scales.map((rateScale) => ({ decayed, rateScale })));
  const parameters: PlacedParameter[] = [];
  const slots = new Map<string, StateSlot>();
  let offset = 0;
  for (const { decayed, rateScale } of groups) {
    for (const spec of grouped.filter((each) => each.decayed === decayed && each.rateScale === rateScale)) {
      if (slots.has(spec.name)) throw new Error(`two parameters are called "${spec.name}"`);
      const size = elementCount(spec.shape);
      parameters.push({ ...spec, offset, size });
      slots.set(spec.name, { arena: 'parameters', offset, shape: spec.shape });
      slots.set(`gradient:${spec.name}`, { arena: 'gradients', offset, shape: spec.shape });
      offset += Math.ceil(size / ALIGNMENT) * ALIGNMENT;
    }
  }
  const arenas = Object.fromEntries(names.map((name) => [name, offset]));
  return { parameters, length: offset, state: { arenas, slots } };
}

/** The ranges of the parameters that are trained, as few as possible; frozen parameters are in none. */
export function trainedRanges(layout: ParameterLayout, trains: (name: string) => boolean): ParameterRange[] {
  const ranges: (ParameterGroup & { start: number; end: number })[] = [];
  layout.parameters.forEach(({ name, offset, decayed, rateScale }, index) => {
    if (!trains(name)) return;
    const end = layout.parameters[index + 1]?.offset ?? layout.length;
    const last = ranges.at(-1);
    const isOfLast = last?.end === offset && last.decayed === decayed && last.rateScale === rateScale;
    if (isOfLast) last.end = end;
    else ranges.push({ start: offset, end, decayed, rateScale });
  });
  return ranges;
}
