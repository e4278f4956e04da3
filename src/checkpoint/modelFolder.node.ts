/**
 * Model folders on disk, in Hugging Face layout: config.json, model.safetensors and the tokenizer's files. A span boundary
 * head lies beside them in span_boundary.safetensors: transformers has no class for it, and would warn of each of its
 * tensors if they stood in model.safetensors.
 */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CheckpointError } from '../errors/errors.js';
import { type FileRecord, recordFile } from '../files/digest.node.js';
import { makeFolder, writeFileDurably } from '../files/durableFile.node.js';
import type { SafetensorsTensor } from '../formats/safetensors.js';
import { SafetensorsFile, writeSafetensors } from '../formats/safetensors.node.js';
import { SPAN_BOUNDARY_FILE } from '../hub/modelFiles.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import { loadTokenizerIfThere, saveTokenizer } from '../text/tokenizer.node.js';
import type { TokenizerOverrides } from '../text/tokenizerFolder.js';
import {
  accountForTensors,
  encoderConfigToJson,
  familyOf,
  isOfSpanBoundaryHead,
  type ModelDescription,
  type PublishedDescription,
  parsePublishedConfig,
  savedName,
  withClass,
} from './modelFolder.js';
import { parsePythonJson } from './pythonJson.js';
import { type WeightFilesOptions, type WrittenWeights, writeWeightFiles } from './weightFiles.node.js';

const CONFIG_FILE = 'config.json';
const WEIGHTS_FILE = 'model.safetensors';
const TOKENIZER_FILES = ['tokenizer.json', 'vocab.txt', 'tokenizer_config.json'];
/** tokenizer.json says nothing more, and is three times as long. */
const SMALL_TOKENIZER_FILES = TOKENIZER_FILES.slice(1);

export interface ModelTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export interface ModelFolder extends ModelDescription {
  /** By published name. */
  readonly tensors: ReadonlyMap<string, ModelTensor>;
  readonly tokenizer?: WordPieceTokenizer;
}

/** A float32 tensor as a safetensors file takes it. */
export function toSafetensors(name: string, { shape, data }: ModelTensor): SafetensorsTensor {
  return { name, dtype: 'F32', shape, data: data as Float32Array<ArrayBuffer> };
}

export interface SaveModelOptions extends WeightFilesOptions {
  /** Called when the weights are written, with what rounding did to them. */
  readonly onWeights?: (written: WrittenWeights) => void;
}

/**
 * Writes a model folder; transformers loads it with no weight missing or left over.
 * @param weights  of the encoder and its heads; a span boundary head is always written as float32. In 8 bits (I8) the folder is
 *                 for Pleiad alone, and as small as it can be: without tokenizer.json, and without the tensors that are `shared`
 * @returns each file by name
 */
export async function saveModelFolder(
  folder: string,
  model: ModelFolder,
  { onWeights, ...weights }: SaveModelOptions = {},
): Promise<Map<string, FileRecord>> {
  makeFolder(folder);
  // transformers 5 loads a model in the type that its config names.
  const dtype = weights.dtype === 'F16' ? { dtype: 'float16' } : {};
  const config = `${JSON.stringify({ ...encoderConfigToJson(model), ...dtype }, null, 2)}\n`;
  const files = new Map([[CONFIG_FILE, await writeFileDurably(join(folder, CONFIG_FILE), [config])]]);
  const [ofHead, others] = [true, false].map((wanted) =>
    [...model.tensors].filter(([name]) => isOfSpanBoundaryHead(name) === wanted),
  );
  const shared = new Set(weights.shared?.names);
  const outgoing = others
    .filter(([name]) => !shared.has(name))
    .map(([name, tensor]) => ({
      name: savedName(name, model.architecture),
      shape: tensor.shape,
      read: () => tensor.data,
    }));
  const written = await writeWeightFiles(folder, outgoing, weights);
  onWeights?.(written);
  for (const [file, record] of written.files) files.set(file, record);
  if (ofHead.length > 0) {
    const content = ofHead.map(([name, tensor]) => toSafetensors(name, tensor));
    // transformers asks for this key.
    files.set(SPAN_BOUNDARY_FILE, await writeSafetensors(join(folder, SPAN_BOUNDARY_FILE), content, { format: 'pt' }));
  }
  if (model.tokenizer) {
    const isSmall = weights.dtype === 'I8';
    const modelType = familyOf(model.architecture);
    await saveTokenizer(model.tokenizer, folder, { modelType }, { withJson: !isSmall });
    for (const name of isSmall ? SMALL_TOKENIZER_FILES : TOKENIZER_FILES)
      files.set(name, await recordFile(join(folder, name)));
  }
  return files;
}

/** @throws CheckpointError when the folder has no config.json of a model that we know */
export function loadModelDescription(folder: string): ModelDescription {
  return withClass(loadPublishedConfig(folder));
}

/** As `loadModelDescription`; the class may be left open. */
export function loadPublishedConfig(folder: string): PublishedDescription {
  const path = join(folder, CONFIG_FILE);
  if (!existsSync(path)) {
    throw new CheckpointError(`${folder} has no ${CONFIG_FILE}`, {
      subject: folder,
      expected: 'a model folder in Hugging Face layout',
      advice: 'Give the folder of a model, for instance RUN/checkpoints/step-…/discriminator',
    });
  }
  return readPublishedConfig(path);
}

/** @param path  of a config.json under any name */
export function readPublishedConfig(path: string): PublishedDescription {
  return parsePublishedConfig(parseJson(path), path);
}

function parseJson(path: string): unknown {
  try {
    return parsePythonJson(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new CheckpointError(`${path} is not JSON: ${(cause as Error).message}`, { subject: path, cause });
  }
}

/**
 * Loads a model folder: every tensor that the config asks for, in its shape, and the tokenizer where there is one.
 * @throws CheckpointError naming what is missing, unexpected or of another shape
 */
export function loadModelFolder(folder: string, overrides: TokenizerOverrides = {}): ModelFolder {
  const model = loadModelDescription(folder);
  const files = weightFiles(folder).map((path) => SafetensorsFile.open(path));
  try {
    const located = files.flatMap((file) => file.names.map((name) => ({ name, file })));
    accountForTensors(new Map(located.map(({ name, file }) => [name, file.location(name).shape])), model, folder);
    const tensors = new Map(located.map(({ name, file }) => [name, floatTensor(file, name)]));
    const tokenizer = loadTokenizerIfThere(folder, overrides);
    return { ...model, tensors, ...(tokenizer && { tokenizer }) };
  } finally {
    for (const file of files) file.close();
  }
}

/** The files of a model folder that hold tensors. */
export function weightFiles(folder: string): string[] {
  const head = join(folder, SPAN_BOUNDARY_FILE);
  return [join(folder, WEIGHTS_FILE), ...(existsSync(head) ? [head] : [])];
}

/** @throws CheckpointError when it is not float32 */
export function floatTensor(file: SafetensorsFile, name: string): ModelTensor {
  const { dtype, shape, data } = file.tensor(name);
  if (dtype !== 'F32') {
    throw new CheckpointError(`${file.path}: ${name} is ${dtype}, expected F32`, {
      subject: name,
      found: dtype,
      expected: 'F32',
      advice: 'Convert the model first',
    });
  }
  return { shape, data: data as Float32Array };
}
