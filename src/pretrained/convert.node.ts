/**
 * A checkpoint of any kind as a model folder that transformers and we load. No weight changes, unless f16 or int8 is asked for;
 * none is new, unless a new head is.
 */

import { join } from 'node:path';
import type { ModelLoadReport } from '../checkpoint/loadModel.js';
import { saveModelFolder } from '../checkpoint/modelFolder.node.js';
import type { ElectraHalf } from '../checkpoint/nameMaps.js';
import type { SharedTensors } from '../checkpoint/sharedTensors.js';
import type { WrittenWeights } from '../checkpoint/weightFiles.node.js';
import { CheckpointError } from '../errors/errors.js';
import { requireNewFolder, writeNewFolder } from '../files/newFolder.node.js';
import { float32ToHalf } from '../formats/halfPrecision.js';
import {
  filesOfDtype,
  type LoadPretrainedOptions,
  loadPretrained,
  type Pretrained,
  type StoredDtype,
} from './pretrained.node.js';
import { prunedModel } from './pruneVocabulary.js';
import { saveTaskSettings } from './taskSettings.node.js';

export interface ConvertOptions extends Omit<LoadPretrainedOptions, 'dtype'> {
  /** Type of the weights that are written. Default: f16 where all of them are that in the source, else f32. */
  readonly dtype?: StoredDtype;
}

export interface Conversion {
  readonly model: Pretrained;
  readonly report: ModelLoadReport;
  readonly dtype: StoredDtype;
  /** Values that f16 cannot hold and that were rounded. */
  readonly roundedValues: number;
  /** What int8 did to the matrices. */
  readonly eightBit: WrittenWeights['eightBit'];
  readonly files: readonly string[];
  /** Of all files together. */
  readonly bytes: number;
}

export interface PairConversion {
  readonly discriminator: Conversion;
  readonly generator: Conversion;
  /** Tensors of the generator that are the discriminator's own, written once. */
  readonly shared: readonly string[];
}

/**
 * Converts a checkpoint; nothing is written unless all of it could be read and has a place.
 * @param source  as `loadPretrained`
 * @param out     a folder that does not exist yet or is empty
 * @throws SettingsError when `out` has something in it; WriteError when it cannot be written, and then nothing is left there
 * @throws CheckpointError as `loadPretrained`; or when a weight is beyond f16
 */
export async function convertModel(source: string, out: string, options: ConvertOptions = {}): Promise<Conversion> {
  requireNewFolder(out);
  const loaded = await load(source, options);
  return writeNewFolder(out, (unfinished) => writeModel(unfinished, loaded, options));
}

/**
 * Converts both models of an ELECTRA pair into the folders `discriminator` and `generator` of one folder. What they share is
 * written once, so they belong together.
 * @param source  a run, a checkpoint, a folder with both, or a checkpoint of google-research/electra
 * @throws as `convertModel`
 */
export async function convertPair(
  source: string,
  out: string,
  options: Omit<ConvertOptions, 'half' | 'roles' | 'task' | 'architecture'> & {
    /** Longest row in tokens: positions beyond it are left out. Default as long as it was. */
    readonly length?: number;
  } = {},
): Promise<PairConversion> {
  requireNewFolder(out);
  const { length, ...loading } = options;
  const halfOf = async (half: ElectraHalf) => {
    const loaded = await load(source, { ...loading, half, roles: [half] });
    return length === undefined ? loaded : { ...loaded, ...prunedModel(loaded, allIds(loaded), length) };
  };
  const discriminator = await halfOf('discriminator');
  const generator = await halfOf('generator');
  const names = sharedNames(discriminator, generator);
  const shared = names.length > 0 ? { folder: 'discriminator' as const, names } : undefined;
  return writeNewFolder(out, async (unfinished) => ({
    discriminator: await writeModel(join(unfinished, 'discriminator'), discriminator, options),
    generator: await writeModel(join(unfinished, 'generator'), generator, options, shared),
    shared: names,
  }));
}

const allIds = ({ model }: Pretrained) => Array.from({ length: model.config.vocabSize }, (_, id) => id);

/** Tensors of the generator that have the discriminator's name and values. */
export function sharedNames(discriminator: Pretrained, generator: Pretrained): string[] {
  return [...generator.tensors].flatMap(([name, { data }]) => {
    const other = discriminator.tensors.get(name)?.data;
    return other?.length === data.length && data.every((value, i) => value === other[i]) ? [name] : [];
  });
}

function load(source: string, { dtype: _, ...loading }: ConvertOptions): Promise<Pretrained> {
  return loadPretrained(source, loading);
}

export async function writeModel(
  folder: string,
  model: Pretrained,
  { dtype: wanted, signal }: ConvertOptions,
  shared?: SharedTensors,
): Promise<Conversion> {
  const { report, tensors, tokenizer } = model;
  const dtype = wanted ?? (isHalfPrecision(report) ? 'f16' : 'f32');
  const roundedValues = dtype === 'f16' ? checkFitsHalf(model) : 0;
  let eightBit: WrittenWeights['eightBit'] = { matrices: 0, relativeError: 0 };
  const written = await saveModelFolder(
    folder,
    { ...model.model, tensors, ...(tokenizer && { tokenizer }) },
    {
      ...filesOfDtype(dtype),
      ...(signal && { signal }),
      ...(shared && { shared }),
      onWeights: (weights) => {
        eightBit = weights.eightBit;
      },
    },
  );
  const beside = await saveTaskSettings(folder, model.model.architecture, model.taskSettings);
  const files = [...written.keys(), ...beside.keys()];
  const bytes = [...[...written.values()].map((file) => file.bytes), ...beside.values()].reduce((a, b) => a + b, 0);
  return { model, report, dtype, roundedValues, eightBit, files, bytes };
}

function isHalfPrecision({ loaded, converted }: ModelLoadReport): boolean {
  return loaded.length === 0 && converted.length > 0 && converted.every(({ how }) => how.startsWith('from F16'));
}

/** @returns how many values f16 rounds */
function checkFitsHalf({ tensors, folder }: Pretrained): number {
  let rounded = 0;
  for (const [name, { data }] of tensors) {
    const narrowing = float32ToHalf(data);
    if (narrowing.overflowed > 0) {
      throw new CheckpointError(
        `${folder}: ${name} has ${narrowing.overflowed} values beyond 65504, the largest of f16`,
        {
          subject: name,
          found: narrowing.overflowed,
          expected: 'weights that f16 can hold',
          advice: 'Write it as f32',
        },
      );
    }
    rounded += narrowing.rounded;
  }
  return rounded;
}
