/** Models that are ONNX files, for inference alone: folders as transformers.js and optimum have them. */
import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { LoadModelOptions } from '../checkpoint/loadModel.js';
import { classOf, describedAs, type ModelDescription } from '../checkpoint/modelFolder.js';
import { loadPublishedConfig } from '../checkpoint/modelFolder.node.js';
import type { EngineChoiceOptions } from '../engine/chooseEngine.node.js';
import { PUBLISHED_OUTPUTS } from '../engine/onnx/publish.js';
import { namesAdvice, type OnnxFile, type OnnxNames, openOnnxFile } from '../engine/onnxruntime/onnxFile.node.js';
import { CheckpointError } from '../errors/errors.js';
import { fetchModel } from '../hub/fetchModel.node.js';
import { architectureFor, MODEL_CLASSES, type Task } from '../models/heads.js';
import { settingName, settingWith } from '../settings/settingNames.js';
import type { TokenizerOverrides } from '../text/tokenizerFolder.js';
import { checkVocabulary } from './checkVocabulary.js';
import { type TokenizerChoice, tokenizerFor } from './locateTokenizer.node.js';
import type { ModelParts } from './model.js';
import { innerPlace, memberOf } from './modelPlaces.node.js';
import { isOnnxName, type OpenPretrainedOptions, onnxFileAlone, rolesOf } from './openPretrained.node.js';
import { readTaskSettings } from './taskSettings.node.js';

export interface OnnxModelOptions
  extends OpenPretrainedOptions,
    Pick<LoadModelOptions, 'task' | 'taskOfUnknown' | 'architecture'>,
    TokenizerChoice,
    TokenizerOverrides,
    Omit<EngineChoiceOptions, 'engine'> {
  /**
   * An ONNX file to run as it is, instead of weights, for instance "onnx/model_quantized.onnx". Default: only where a
   * folder has no weights, "onnx/model.onnx", "model.onnx", their quantized forms, or the only one that is there.
   */
  readonly onnx?: string;
  /**
   * What the ONNX file calls its inputs and outputs where it does not call them as transformers.js does, by the usual name,
   * for instance `{ logits: 'output_0' }`.
   */
  readonly onnxNames?: OnnxNames;
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
    const also = [onnx, `${onnx}_data`];
    const { folder } = await fetchModel(memberOf(innerPlace(place), rolesOf(options)), {
      ...options,
      formats: [],
      also,
    });
    return { place: folder, onnx: join(folder, onnx) };
  }
  const stat = statSync(place, { throwIfNoEntry: false });
  if (stat?.isFile() && isOnnxName(place)) return { place: folderOfOnnx(place), onnx: place };
  if (stat?.isFile() || (!stat && existsSync(`${place}.index`))) return { place };
  const folder = stat
    ? memberOf(innerPlace(place), rolesOf(options))
    : (await fetchModel(place, { ...options, formats: WITH_ONNX })).folder;
  const file = onnxFileAlone(folder);
  return { place: folder, ...(file !== undefined && { onnx: join(folder, file) }) };
}

/** The folder with config.json and tokenizer: that of the file, or the one around `onnx/`. */
export function folderOfOnnx(path: string): string {
  const folder = dirname(path);
  const around = dirname(resolve(folder));
  return !existsSync(join(folder, 'config.json')) && existsSync(join(around, 'config.json')) ? around : folder;
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

/** Of ELECTRA's own head for question answering. */
const NEEDED_OF_JOINT = ['startLogits', 'beamStarts', 'beamEndLogits', 'noAnswerLogits'];

/** @throws CheckpointError when its outputs are not those of the class that config.json, or the caller, names */
export async function openOnnxModel(folder: string, path: string, options: OnnxModelOptions): Promise<ModelParts> {
  const published = loadPublishedConfig(folder);
  const { family } = published;
  const { task, taskOfUnknown, threads, onnxNames: names = {} } = options;
  const asked = task ?? (published.unfit?.architecture && taskOfUnknown);
  const { architecture = asked ? architectureFor(family, asked) : classOf(published) } = options;
  const program = await openOnnxFile(path, { threads, names });
  try {
    // A span boundary head is in no ONNX file, whatever config.json says.
    const { spanBoundary: _, ...description } = describedAs(
      published,
      architecture ?? architectureFor(family, 'encoder'),
    );
    refuseOtherHead(path, program, description);
    const tokenizer = await tokenizerFor(folder, options);
    if (tokenizer) checkVocabulary(tokenizer, description.config, folder);
    const taskSettings = readTaskSettings(folder, description.architecture);
    return { description, tensors: new Map(), program, taskSettings, ...(tokenizer && { tokenizer }) };
  } catch (error) {
    await program.release();
    throw error;
  }
}

function refuseOtherHead(
  path: string,
  { outputs, outputNames }: OnnxFile,
  { architecture, questionAnsweringHead }: ModelDescription,
): void {
  const names = questionAnsweringHead === 'joint' ? NEEDED_OF_JOINT : NEEDED[MODEL_CLASSES[architecture].task];
  const lacking = names.filter((name) => !outputs.includes(name));
  if (lacking.length === 0) return;
  const needed = names.map((name) => PUBLISHED_OUTPUTS[name]);
  throw new CheckpointError(
    `${path} has the outputs ${outputNames.join(', ')}; ${architecture} needs ${needed.join(', ')}`,
    {
      subject: path,
      found: outputNames,
      expected: needed.join(', '),
      advice: outputs.includes('lastHiddenState')
        ? `It is an encoder alone, whatever its config.json says (${settingWith('task', 'encoder')})`
        : `${namesAdvice(PUBLISHED_OUTPUTS[lacking[0]], outputNames)}; where it is another head, say what for (${settingName('task')})`,
    },
  );
}
