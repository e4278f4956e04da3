/** Models that are ONNX files, for inference alone: folders as transformers.js and optimum have them. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fetchModel } from '../checkpoint/hub/fetchModelNode.js';
import type { LoadModelOptions } from '../checkpoint/loadModel.js';
import type { ModelDescription } from '../checkpoint/modelFolder.js';
import { loadPublishedConfig } from '../checkpoint/modelFolderNode.js';
import type { EngineChoiceOptions } from '../engine/node/chooseEngine.js';
import { openOnnxFile } from '../engine/onnxruntime/onnxFileNode.js';
import { CheckpointError } from '../errors.js';
import type { Architecture } from '../models/config.js';
import { architectureFor, MODEL_CLASSES, type Task } from '../models/heads.js';
import { settingName, settingWith } from '../settingNames.js';
import type { TokenizerOverrides } from '../text/tokenizerFolder.js';
import { loadTokenizerIfThere } from '../text/tokenizerNode.js';
import { checkVocabulary } from './encoderModel.js';
import type { ModelParts } from './model.js';
import { type OpenPretrainedOptions, onnxFileAlone } from './openPretrainedNode.js';

export interface OnnxModelOptions
  extends OpenPretrainedOptions,
    Pick<LoadModelOptions, 'task' | 'architecture'>,
    TokenizerOverrides,
    Omit<EngineChoiceOptions, 'engine'> {
  /**
   * An ONNX file to run as it is, instead of weights, for instance "onnx/model_quantized.onnx". Default: only where a
   * folder has no weights, "onnx/model.onnx" or "model.onnx".
   */
  readonly onnx?: string;
}

export interface FoundModel {
  /** What `loadPretrained` is to load, the folder of a name on the hub. */
  readonly place: string;
  /** The ONNX file to run instead, and its folder is `place`. */
  readonly onnx?: string;
}

/** Weights are preferred: they can do more. */
const WITH_ONNX = ['safetensors', 'pytorch', 'onnx'] as const;

/** Fetches a name. The ONNX file is the one that is asked for, or of a folder without weights the usual one. */
export async function findModel(place: string, options: OnnxModelOptions): Promise<FoundModel> {
  const { onnx } = options;
  if (onnx !== undefined) {
    const { folder } = await fetchModel(place, { ...options, formats: [], also: [onnx, `${onnx}_data`] });
    return { place: folder, onnx: join(folder, onnx) };
  }
  const stat = statSync(place, { throwIfNoEntry: false });
  if (stat?.isFile() || (!stat && existsSync(`${place}.index`))) return { place };
  const folder = stat ? place : (await fetchModel(place, { ...options, formats: WITH_ONNX })).folder;
  const file = onnxFileAlone(folder);
  return { place: folder, ...(file !== undefined && { onnx: join(folder, file) }) };
}

/** The outputs without which a model is none for a task. */
const NEEDED: Readonly<Record<Task, readonly string[]>> = {
  encoder: ['lastHiddenState'],
  preTraining: ['logits'],
  maskedLm: ['logits'],
  questionAnswering: ['startLogits', 'endLogits'],
  sequenceClassification: ['logits'],
  tokenClassification: ['logits'],
  multipleChoice: ['logits'],
};

/** @throws CheckpointError when its outputs are not those of the class that config.json, or the caller, names */
export async function openOnnxModel(folder: string, path: string, options: OnnxModelOptions): Promise<ModelParts> {
  const { family, architecture: named, ...published } = loadPublishedConfig(folder);
  const { task, architecture = task ? architectureFor(family, task) : named } = options;
  const program = await openOnnxFile(path, options);
  try {
    const description: ModelDescription = {
      ...published,
      architecture: architecture ?? architectureFor(family, 'encoder'),
    };
    refuseOtherHead(path, program.outputs, description.architecture);
    const tokenizer = loadTokenizerIfThere(folder, options);
    if (tokenizer) checkVocabulary(tokenizer, description.config, folder);
    return { description, tensors: new Map(), program, ...(tokenizer && { tokenizer }) };
  } catch (error) {
    await program.release();
    throw error;
  }
}

function refuseOtherHead(path: string, outputs: readonly string[], architecture: Architecture): void {
  const needed = NEEDED[MODEL_CLASSES[architecture].task];
  if (needed.every((name) => outputs.includes(name))) return;
  throw new CheckpointError(
    `${path} has the outputs ${outputs.join(', ')}; ${architecture} needs ${needed.join(', ')}`,
    {
      subject: path,
      found: outputs,
      expected: needed.join(', '),
      advice: outputs.includes('lastHiddenState')
        ? `It is an encoder alone, whatever its config.json says (${settingWith('task', 'encoder')})`
        : `Say what it is for (${settingName('task')})`,
    },
  );
}
