/** From a checkpoint's tensors to a model's: which goes where, decided by names and shapes before a value is read. */

import { CheckpointError } from '../errors/errors.js';
import { joinFirst } from '../errors/joinFirst.js';
import type { SafetensorsDtype } from '../formats/safetensors.js';
import type { ModelFamily } from '../models/modelGraph.js';
import { type ElectraHalf, isTensorflowElectra, type NameMap, tensorflowElectraMap, torchMap } from './nameMaps.js';
import type { Rename } from './otherFamily.js';
import { holdsFloats, type TensorInfo } from './tensorSource.js';

/** A model as the tensors that it needs. */
export interface LoadTarget {
  /** For messages, for instance the class in transformers. */
  readonly name: string;
  readonly prefix: ModelFamily;
  /** Which of the two models in a google-research/electra checkpoint. */
  readonly half?: ElectraHalf;
  /** What becomes of the names of a model that is loaded as another than it is, or in part. */
  readonly rename?: Rename;
  /** Shape of every tensor by its state-dict key. */
  readonly tensors: ReadonlyMap<string, readonly number[]>;
  /** Keys that a file may have besides, each with the one of `tensors` whose values it repeats. */
  readonly tied?: Readonly<Record<string, string>>;
  /** Whose tensors of another shape are left unused instead of being an error: a new one is to take their place. */
  readonly replaceable?: (name: string) => boolean;
}

/** One tensor to be read. */
export interface PlannedTensor {
  readonly name: string;
  readonly from: string;
  readonly dtype: SafetensorsDtype;
  /** Of a matrix in 8 bits: scales of each row. */
  readonly scalesPerRow?: number;
  /** In the model. */
  readonly shape: readonly number[];
  readonly transposed: boolean;
}

export interface TiedTensor {
  /** Key in the model. */
  readonly name: string;
  /** Key whose values it shares. */
  readonly to: string;
  /** Its name in the file, where the file has it. */
  readonly from?: string;
}

export interface LoadPlan {
  readonly target: string;
  readonly tensors: readonly PlannedTensor[];
  readonly tied: readonly TiedTensor[];
  /** What the model needs and the file has not. */
  readonly missing: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** What the file has and the model has no use for. */
  readonly unused: readonly { readonly from: string; readonly why: string }[];
}

/**
 * Plans a load. Pure: names, dtypes and shapes in, a plan out.
 * @param found         tensors of the checkpoint
 * @param otherEntries  what it holds besides, with what it is
 * @param source        file name for messages
 * @throws CheckpointError when a tensor has another shape than the model needs, is no float, or two claim one place
 */
export function planLoad(
  found: ReadonlyMap<string, TensorInfo>,
  target: LoadTarget,
  source: string,
  otherEntries: ReadonlyMap<string, string> = new Map(),
): LoadPlan {
  const { byName, unused } = assign(found, nameMapFor(found.keys(), target), source);
  const tensors: PlannedTensor[] = [];
  const missing: { name: string; shape: readonly number[] }[] = [];
  const problems: string[] = [];
  const substitutes = invert(target.tied ?? {});
  const taken = new Set<string>();
  for (const [name, shape] of target.tensors) {
    // A file that keeps one copy of tied tensors may have kept it under the other name.
    const key = [name, ...(substitutes.get(name) ?? [])].find((candidate) => byName.has(candidate));
    const tensor = key === undefined ? undefined : byName.get(key);
    if (key === undefined || !tensor) {
      missing.push({ name, shape });
      continue;
    }
    taken.add(key);
    const problem = unfit(tensor, shape);
    if (problem && target.replaceable?.(name)) {
      missing.push({ name, shape });
      unused.push({ from: tensor.from, why: `of another head: it ${problem}` });
      continue;
    }
    if (problem) problems.push(`${tensor.from} ${problem}`);
    const { from, info, transposed } = tensor;
    const scalesPerRow = info.scales && { scalesPerRow: info.scales.shape[1] };
    tensors.push({ name, from, dtype: info.dtype, ...scalesPerRow, shape, transposed });
  }
  if (problems.length > 0) throw misfit(source, target, problems);
  const tied = Object.entries(target.tied ?? {})
    .filter(([, to]) => target.tensors.has(to))
    .map(([name, to]) => {
      const own = byName.get(name);
      const isUsed = own !== undefined && !taken.has(name);
      if (isUsed) taken.add(name);
      return { name, to, ...(isUsed && { from: own.from }) };
    });
  for (const [name, { from }] of byName) if (!taken.has(name)) unused.push({ from, why: `no part of ${target.name}` });
  for (const [from, why] of otherEntries) unused.push({ from, why });
  return { target: target.name, tensors, tied, missing, unused };
}

/** The map for a checkpoint, chosen by its names. */
export function nameMapFor(
  names: Iterable<string>,
  { prefix, half, rename }: Pick<LoadTarget, 'prefix' | 'half' | 'rename'>,
): NameMap {
  const all = [...names];
  const map = isTensorflowElectra(all) ? tensorflowElectraMap(half ?? 'discriminator', all) : torchMap(prefix);
  if (!rename) return map;
  return (name) => {
    const own = map(name);
    if ('unused' in own) return own;
    const renamed = rename(own.to);
    return 'unused' in renamed ? renamed : { ...renamed, transposed: own.transposed };
  };
}

interface Assigned {
  readonly from: string;
  readonly transposed: boolean;
  readonly info: TensorInfo;
}

function assign(
  found: ReadonlyMap<string, TensorInfo>,
  map: NameMap,
  source: string,
): { byName: Map<string, Assigned>; unused: { from: string; why: string }[] } {
  const byName = new Map<string, Assigned>();
  const unused: { from: string; why: string }[] = [];
  for (const [from, info] of found) {
    const result = map(from);
    if ('unused' in result) {
      unused.push({ from, why: result.unused });
      continue;
    }
    const other = byName.get(result.to);
    if (other) {
      throw new CheckpointError(`${source}: ${other.from} and ${from} are both ${result.to}`, {
        subject: result.to,
        found: [other.from, from],
      });
    }
    byName.set(result.to, { from, transposed: result.transposed, info });
  }
  return { byName, unused };
}

function unfit({ info, transposed }: Assigned, shape: readonly number[]): string | undefined {
  if (!holdsFloats(info)) return `is ${info.dtype}, expected floating-point numbers`;
  const stored = transposed ? [...shape].reverse() : shape;
  if (info.shape.length === stored.length && info.shape.every((size, i) => size === stored[i])) return undefined;
  return `is [${info.shape}], the config needs [${stored}]`;
}

/** For an ELECTRA, whose halves have configs that are easily mistaken for one another. */
export const OTHER_CONFIG_ADVICE =
  "Load it with its own config.json; a generator's is not its discriminator's (for instance hidden_size 64 and 256)";

/** Tensors of other shapes than the config's. */
export class MisfitError extends CheckpointError {}

function misfit(source: string, target: LoadTarget, problems: readonly string[]): MisfitError {
  return new MisfitError(`${source} does not fit ${target.name}: ${joinFirst(problems, 5, '; ')}`, {
    subject: source,
    found: problems,
    advice: target.prefix === 'electra' ? OTHER_CONFIG_ADVICE : 'Load it with its own config.json',
  });
}

/** Value → keys. */
function invert(map: Readonly<Record<string, string>>): Map<string, string[]> {
  const inverse = new Map<string, string[]>();
  for (const [key, value] of Object.entries(map)) inverse.set(value, [...(inverse.get(value) ?? []), key]);
  return inverse;
}
