/** Where a model's files are: a folder, a run, a file, an archive, or a name on the hub. Opens them; reads no tensor. */

import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { configFromShapes, type LoadModelOptions } from '../checkpoint/loadModel.js';
import type { PublishedDescription } from '../checkpoint/modelFolder.js';
import { loadPublishedConfig, readPublishedConfig } from '../checkpoint/modelFolder.node.js';
import type { ElectraHalf } from '../checkpoint/nameMaps.js';
import { openModelWeights, openTensorFile, PackedCheckpoint } from '../checkpoint/openTensors.js';
import { unpackTemporarily } from '../checkpoint/openTensors.node.js';
import type { TensorSource } from '../checkpoint/tensorSource.js';
import { verifyModelOfCheckpoint } from '../checkpoint/trainerFile.node.js';
import { CheckpointError } from '../errors/errors.js';
import { folderFiles } from '../files/byteSource.node.js';
import { type FetchedModel, type FetchModelOptions, fetchModel } from '../hub/fetchModel.node.js';
import { innerPlace, type ModelRole, resolveCheckpoint, resolveModelFolder } from './modelPlaces.node.js';

export interface OpenPretrainedOptions
  extends Pick<LoadModelOptions, 'task' | 'architecture'>,
    Omit<FetchModelOptions, 'formats' | 'clock'> {
  /** A config.json to go by, instead of the one beside the weights. */
  readonly config?: string;
  /** Units of an attention head: sizes are read off the tensors then, and no config.json is looked at. */
  readonly headSize?: number;
  /** Which model of a checkpoint that holds both of ELECTRA, or of a run. Default: by task, else discriminator. */
  readonly half?: ElectraHalf;
  /** Which of a checkpoint's folders will do, the preferred first. */
  readonly roles?: readonly ModelRole[];
}

export interface OpenedPretrained {
  readonly source: TensorSource;
  readonly published: PublishedDescription;
  /** Whether sizes were read off the tensors, for want of a config.json. */
  readonly guessedConfig: boolean;
  /** What the files lie in. */
  readonly folder: string;
  /** Whether that folder is removed again. */
  readonly temporary: boolean;
  /** Of a model that came by name. */
  readonly hub?: FetchedModel['hub'];
}

/**
 * Opens a model's files for as long as `use` takes.
 * @param place  a model folder, a checkpoint, a run (its best checkpoint, else its latest), a file of weights with
 *               config.json beside it, an archive of such, or a name on the hub
 * @throws CheckpointError when there is no such model, or it is damaged
 */
export async function withPretrained<T>(
  place: string,
  options: OpenPretrainedOptions,
  use: (opened: OpenedPretrained) => Promise<T>,
): Promise<T> {
  const { folder, hub, open, remove } = await locate(place, options);
  try {
    const source = await open();
    try {
      const temporary = remove !== undefined;
      return await use({ source, folder, temporary, ...(hub && { hub }), ...publishedConfig(source, folder, options) });
    } finally {
      await source.close();
    }
  } finally {
    await remove?.();
  }
}

function publishedConfig(
  source: TensorSource,
  folder: string,
  { config, headSize, architecture, task, half }: OpenPretrainedOptions,
): Pick<OpenedPretrained, 'published' | 'guessedConfig'> {
  if (config !== undefined) return { published: readPublishedConfig(config), guessedConfig: false };
  if (headSize === undefined && existsSync(join(folder, 'config.json')))
    return { published: loadPublishedConfig(folder), guessedConfig: false };
  const isGenerator =
    architecture === 'ElectraForMaskedLM' || task === 'maskedLm' || (!architecture && !task && half === 'generator');
  const published = configFromShapes(source, isGenerator ? 'generator' : 'discriminator', headSize);
  return { published, guessedConfig: true };
}

type Wish = Pick<OpenPretrainedOptions, 'half' | 'roles' | 'task' | 'architecture'>;

/** Which of a checkpoint's folders will do: a masked LM is the generator, whatever else the checkpoint holds. */
export function rolesOf({ half, roles, task, architecture }: Wish): readonly ModelRole[] {
  if (roles) return roles;
  if (half) return [half, 'model'];
  const isMaskedLm = architecture ? architecture === 'ElectraForMaskedLM' : task === 'maskedLm';
  return isMaskedLm ? ['generator', 'model', 'discriminator'] : ['discriminator', 'model', 'generator'];
}

interface Located {
  readonly folder: string;
  readonly open: () => Promise<TensorSource>;
  readonly remove?: () => Promise<void>;
  readonly hub?: FetchedModel['hub'];
}

/** Where a model's files are, fetched or unpacked where that is needed. */
async function locate(place: string, options: OpenPretrainedOptions): Promise<Located> {
  const stat = statSync(place, { throwIfNoEntry: false });
  if (stat?.isFile()) return locateFile(place);
  if (!stat && existsSync(`${place}.index`)) return locateFile(`${place}.index`); // as TensorFlow names a checkpoint
  const { folder: given, hub } = await fetchModel(place, options);
  const found = hub ? given : innerPlace(given);
  const roles = rolesOf(options);
  const isBare = !existsSync(join(found, 'config.json')) && !resolveCheckpoint(found) && holdsWeights(found);
  const folder = isBare ? found : resolveModelFolder(found, ...roles);
  await verifyModelOfCheckpoint(folder);
  return { folder, hub, open: () => openFolder(folder) };
}

/** The names that optimum and transformers.js give it, the preferred first. */
const ONNX_FILES = ['onnx/model.onnx', 'model.onnx', 'onnx/model_quantized.onnx', 'model_quantized.onnx'];

export const isOnnxName = (name: string) => name.toLowerCase().endsWith('.onnx');

/** The ONNX files of a folder: those directly in it, and in its folder `onnx`. */
export function onnxFilesIn(folder: string): string[] {
  const inside = ['', 'onnx'].filter((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.isDirectory());
  const names = inside.flatMap((name) =>
    folderFiles(join(folder, name))
      .names.filter(isOnnxName)
      .map((file) => (name ? `${name}/${file}` : file)),
  );
  return names.sort((a, b) => rank(a) - rank(b));
}
const rank = (name: string) => (ONNX_FILES.includes(name) ? ONNX_FILES.indexOf(name) : ONNX_FILES.length);

/**
 * The ONNX file of a folder that has no weights in another form, which would be preferred: they can do more.
 * @throws CheckpointError when there are several, and none of the usual names
 */
export function onnxFileAlone(folder: string): string | undefined {
  if (holdsWeights(folder)) return undefined;
  const found = onnxFilesIn(folder);
  if (found.length <= 1 || ONNX_FILES.includes(found[0])) return found[0];
  throw new CheckpointError(`${folder} has several ONNX files: ${found.join(', ')}`, {
    subject: folder,
    found,
    expected: 'one of them, or onnx/model.onnx',
    advice: `Say which, for instance onnx "${found[0]}" (--onnx ${found[0]})`,
  });
}

function holdsWeights(folder: string): boolean {
  return folderFiles(folder).names.some((name) => /\.(safetensors|bin|pt|pth|index)$/.test(name));
}

async function locateFile(path: string): Promise<Located> {
  const folder = dirname(path);
  const open = () => openTensorFile(folderFiles(folder), basename(path));
  try {
    await (await open()).close();
    return { folder, open };
  } catch (error) {
    if (!(error instanceof PackedCheckpoint)) throw error;
    const unpacked = await unpackTemporarily(path);
    return { folder: unpacked.folder, open: () => openFolder(unpacked.folder), remove: unpacked.remove };
  }
}

/** The weights of a folder. @throws CheckpointError when all it has is an ONNX file */
async function openFolder(folder: string): Promise<TensorSource> {
  const onnx = onnxFileAlone(folder);
  if (onnx !== undefined) {
    throw new CheckpointError(`${folder} has ${onnx}, which runs as it is (fromPretrained), and no weights to load`, {
      subject: folder,
      found: onnx,
      expected: 'weights: safetensors, PyTorch or TensorFlow',
      advice: 'Give the model that it was exported from',
    });
  }
  return openModelWeights(folderFiles(folder));
}
