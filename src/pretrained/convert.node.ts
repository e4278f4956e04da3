/**
 * A checkpoint of any kind as a model folder that transformers and we load. No weight changes, unless f16 is asked for; none is
 * new, unless a new head is.
 */

import type { ModelLoadReport } from '../checkpoint/loadModel.js';
import { saveModelFolder } from '../checkpoint/modelFolder.node.js';
import { CheckpointError } from '../errors/errors.js';
import { requireNewFolder, writeNewFolder } from '../files/newFolder.node.js';
import { float32ToHalf } from '../formats/halfPrecision.js';
import {
  filesOfDtype,
  type LoadPretrainedOptions,
  loadPretrained,
  type Pretrained,
  type WeightDtype,
} from './pretrained.node.js';
import { saveTaskSettings } from './taskSettings.node.js';

export interface ConvertOptions extends Omit<LoadPretrainedOptions, 'dtype'> {
  /** Type of the weights that are written. Default: f16 where all of them are that in the source, else f32. */
  readonly dtype?: WeightDtype;
}

export interface Conversion {
  readonly model: Pretrained;
  readonly report: ModelLoadReport;
  readonly dtype: WeightDtype;
  /** Values that f16 cannot hold and that were rounded. */
  readonly roundedValues: number;
  readonly files: readonly string[];
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
  const { dtype: wanted, ...loading } = options;
  const model = await loadPretrained(source, loading);
  const { report, tensors, tokenizer } = model;
  const dtype = wanted ?? (isHalfPrecision(report) ? 'f16' : 'f32');
  const roundedValues = dtype === 'f16' ? checkFitsHalf(model) : 0;
  const folder = { ...model.model, tensors, ...(tokenizer && { tokenizer }) };
  const { signal } = options;
  const files = await writeNewFolder(out, async (unfinished) => {
    const written = await saveModelFolder(unfinished, folder, { ...filesOfDtype(dtype), ...(signal && { signal }) });
    const beside = await saveTaskSettings(unfinished, folder.architecture, model.taskSettings);
    return [...written.keys(), ...beside.keys()];
  });
  return { model, report, dtype, roundedValues, files };
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
