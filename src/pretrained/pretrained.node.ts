/** Models from anywhere: a folder, a run, a file, an archive, or a name on the hub. */

import { type LoadedModel, type LoadModelOptions, loadModel, type ModelLoadReport } from '../checkpoint/loadModel.js';
import type { ModelDescription } from '../checkpoint/modelFolder.js';
import { saveModelFolder } from '../checkpoint/modelFolder.node.js';
import type { StoredTensor } from '../checkpoint/tensorSource.js';
import type { WeightFilesOptions } from '../checkpoint/weightFiles.node.js';
import { createEngine } from '../engine/chooseEngine.node.js';
import type { Engine } from '../engine/engine.js';
import type { EngineName } from '../engine/engineNames.js';
import { CheckpointError } from '../errors/errors.js';
import { checkRange } from '../files/byteSource.js';
import { FileValues } from '../files/storedValues.node.js';
import { float32ToHalf, halfToFloat32 } from '../formats/halfPrecision.js';
import { elementCount } from '../graph/dimensions.js';
import type { FetchedModel } from '../hub/fetchModel.node.js';
import { MODEL_CLASSES } from '../models/heads.js';
import { initializeParameter } from '../nn/initialize.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import { loadMaxLength, loadTokenizer } from '../text/tokenizer.node.js';
import type { TokenizerOverrides } from '../text/tokenizerFolder.js';
import { checkVocabulary } from './checkVocabulary.js';
import { type TokenizerChoice, tokenizerFor } from './locateTokenizer.node.js';
import { type BatchOptions, Model } from './model.js';
import { trainedLength } from './modelPlaces.node.js';
import { findModel, type OnnxModelOptions, openOnnxModel } from './onnxModel.node.js';
import { type OpenedPretrained, type OpenPretrainedOptions, withPretrained } from './openPretrained.node.js';
import { readTaskSettings, saveTaskSettings } from './taskSettings.node.js';

/** What weights can be rounded to when they are loaded. */
export type WeightDtype = 'f32' | 'f16';
/** Types of weights in files that are written. `int8`: matrices in 8 bits with a scale for each row, see docs/checkpoints.md. */
export type StoredDtype = WeightDtype | 'int8';

export { tokenizerFromPretrained } from './locateTokenizer.node.js';

export interface LoadPretrainedOptions
  extends OpenPretrainedOptions,
    Omit<LoadModelOptions, 'initialize'>,
    TokenizerChoice,
    TokenizerOverrides {
  /** What the weights are rounded to when they are loaded; the computation is float32. Default f32, as they are. */
  readonly dtype?: WeightDtype;
  /** Seed of a new head. Default 0. */
  readonly seed?: number;
  /**
   * Where the weights are. `file`: those that are float32 in a file that stays (no archive, no `dtype`) are left there, an
   * engine takes them from it, and `data` of a tensor reads it; the others are read into memory. The file must stay as it is
   * while the model lives: one that was replaced or removed is an error when it is read again, and one that is written over in
   * place changes what runs. `memory`: all are read, into memory that an engine's thread shares. Default: `fromPretrained`
   * and the pipelines `file`; `loadPretrained` reads all into memory of the caller's own.
   */
  readonly keep?: 'file' | 'memory';
}

/** How models are fetched from the hub. */
export type FetchOptions = Pick<
  LoadPretrainedOptions,
  'onHubEvent' | 'signal' | 'endpoint' | 'cacheFolder' | 'token' | 'offline'
>;

/** A model that was loaded, with where it was. */
export interface Pretrained extends LoadedModel {
  /** The folder that it was read from; of an archive, one that is gone. */
  readonly folder: string;
  readonly tokenizer?: WordPieceTokenizer;
  /** What the folder says of its use for a task. */
  readonly taskSettings?: unknown;
  /** Of a model that came by name. */
  readonly hub?: FetchedModel['hub'];
  /** Whether its sizes were read off its tensors, for want of a config.json. */
  readonly guessedConfig: boolean;
}

/**
 * Loads a model, without an engine.
 * @param place  a model folder, a checkpoint, a run (its best checkpoint, else its latest), a file of weights with
 *               config.json beside it, an archive of such, or a name on the hub
 * @throws CheckpointError when there is no such model, it is damaged, or it lacks a part that was not asked to be new
 */
export function loadPretrained(place: string, options: LoadPretrainedOptions = {}): Promise<Pretrained> {
  return withPretrained(place, options, (opened) => loadOpened(opened, options));
}

async function loadOpened(opened: OpenedPretrained, options: LoadPretrainedOptions): Promise<Pretrained> {
  const { source, published, guessedConfig, folder, temporary, hub } = opened;
  const { seed = 0, dtype = 'f32', keep } = options;
  const staysInFile = keep === 'file' && !temporary && dtype === 'f32';
  const loaded = await loadModel(source, published, {
    ...options,
    ...taskOfHalf(options),
    ...(keep && { keeping: { allocate: sharedMemory, ...(staysInFile && { inFile: valuesInFile }) } }),
    initialize: (parameter, initializerRange) => initializeParameter(parameter, { seed, initializerRange }),
  });
  if (dtype === 'f16') for (const { data } of loaded.tensors.values()) halfToFloat32(float32ToHalf(data).data, data);
  const tokenizer = await tokenizerFor(folder, options);
  if (tokenizer) checkVocabulary(tokenizer, loaded.model.config, folder);
  const taskSettings = readTaskSettings(folder, loaded.model.architecture);
  const beside = { ...(tokenizer && { tokenizer }), ...(taskSettings !== undefined && { taskSettings }) };
  return { ...loaded, folder, guessedConfig, ...beside, ...(hub && { hub }) };
}

const sharedMemory = (bytes: number) => new SharedArrayBuffer(bytes);

/** Where a tensor lies in its file as an engine takes it: float32, row-major, aligned, and under no checksum. */
function valuesInFile({ dtype, shape, strides, maskedCrc, source, begin }: StoredTensor): FileValues | undefined {
  if (dtype !== 'F32' || strides || maskedCrc !== undefined || !source.file) return undefined;
  const length = elementCount(shape);
  checkRange(source, begin, length * Float32Array.BYTES_PER_ELEMENT);
  const isAligned = begin % Float32Array.BYTES_PER_ELEMENT === 0;
  return isAligned && length > 0 ? new FileValues(source.file, begin, length) : undefined;
}

/** Which half is asked for says what for, where nothing else does. */
export function taskOfHalf({ half, task, architecture }: LoadPretrainedOptions): Pick<LoadModelOptions, 'task'> {
  if (!half || task || architecture) return {};
  return { task: half === 'generator' ? 'maskedLm' : 'preTraining' };
}

export interface FromPretrainedOptions extends LoadPretrainedOptions, OnnxModelOptions, BatchOptions {
  /** An engine to share, which stays open, or the name of one of the model's own. Default "auto". */
  readonly engine?: Engine | EngineName;
  /** Called with the load report after loading. */
  readonly onLoadReport?: (report: ModelLoadReport) => void;
  /** What the model is wanted for. Default anything. */
  readonly wants?: WantedModel;
}

/** Classes of which a model must be one, with a tokenizer. */
export interface WantedModel {
  readonly architectures: readonly string[];
  /** What models of other classes are for, by their task, for messages. */
  readonly uses: (isExported: boolean) => Readonly<Record<string, string>>;
}

/** A model with its files: it can be saved. */
export class PretrainedModel extends Model {
  /** Writes a folder that `fromPretrained` loads again, and Python's transformers too unless it is in int8. */
  async savePretrained(folder: string, { dtype = 'f32' }: { dtype?: StoredDtype } = {}): Promise<void> {
    const { description, tensors, tokenizer, report } = this;
    if (!report)
      throw new CheckpointError('a model that is an ONNX file holds no weights to save', { subject: folder });
    await saveModelFolder(folder, { ...description, tensors, ...(tokenizer && { tokenizer }) }, filesOfDtype(dtype));
    await saveTaskSettings(folder, description.architecture, this.taskSettings);
  }
}

const FILE_DTYPES = { f32: 'F32', f16: 'F16', int8: 'I8' } as const satisfies Record<StoredDtype, string>;

export function filesOfDtype(dtype: StoredDtype): Required<Pick<WeightFilesOptions, 'dtype'>> {
  return { dtype: FILE_DTYPES[dtype] };
}

/**
 * Loads a model to run. The class is chosen by `task` or `architecture`, else by config.json, else by what the weights are.
 * A folder with `onnx/model.onnx` and no weights is run as it is.
 *
 *     const model = await fromPretrained('google/electra-small-discriminator');
 *     const { logits } = await model.run({ inputIds: [[101, 1996, 10026, 102]] }); // [1, 4]
 *
 * @throws as `loadPretrained`
 */
export async function fromPretrained(place: string, options: FromPretrainedOptions = {}): Promise<PretrainedModel> {
  const { place: found, onnx } = await findModel(place, options);
  return onnx === undefined ? fromWeights(found, options) : fromOnnx(found, onnx, options);
}

async function fromWeights(
  place: string,
  { onLoadReport, wants, engine: wanted = 'auto', ...options }: FromPretrainedOptions,
): Promise<PretrainedModel> {
  const { model: description, ...loaded } = await loadPretrained(place, { ...options, keep: options.keep ?? 'file' });
  const { folder } = loaded;
  if (wants) requireFit({ ...loaded, model: description }, wants, false, options);
  onLoadReport?.(loaded.report);
  const isShared = typeof wanted === 'object';
  const engine = isShared ? wanted : await createEngine({ purpose: 'serving', ...options, engine: wanted });
  const close = isShared ? undefined : () => engine.close();
  return closedOnError(close, () => {
    return new PretrainedModel({ ...loaded, ...batching(description, folder, options), engine, close });
  });
}

async function fromOnnx(
  folder: string,
  path: string,
  { wants, ...options }: FromPretrainedOptions,
): Promise<PretrainedModel> {
  const parts = await openOnnxModel(folder, path, options);
  return closedOnError(
    () => parts.program!.release(),
    () => {
      const { description, tokenizer } = parts;
      if (wants) requireFit({ model: description, folder, tokenizer }, wants, true, options);
      return new PretrainedModel({ ...parts, ...batching(description, folder, options) });
    },
  );
}

/** How rows are made for a model, and where it comes from. */
function batching(
  description: ModelDescription,
  folder: string,
  { batchSize, maxLength, skipPadding, config, headSize }: FromPretrainedOptions,
) {
  const isOwnConfig = config === undefined && headSize === undefined;
  const known = (isOwnConfig ? trainedLength(folder) : undefined) ?? loadMaxLength(folder) ?? Number.POSITIVE_INFINITY;
  const longest = Math.min(description.config.maxPositionEmbeddings, known);
  return { description, source: folder, batchSize, skipPadding, maxLength: maxLength ?? longest };
}

async function closedOnError<T>(close: (() => Promise<void>) | undefined, make: () => T): Promise<T> {
  try {
    return make();
  } catch (error) {
    await close?.();
    throw error;
  }
}

/** @throws CheckpointError when a model is of no class that will do; DataError when it has no tokenizer */
function requireFit(
  { model: { architecture }, folder, tokenizer }: Pick<Pretrained, 'model' | 'folder' | 'tokenizer'>,
  { architectures, uses }: WantedModel,
  isExported: boolean,
  overrides: TokenizerOverrides,
): void {
  if (architectures.includes(architecture)) {
    if (!tokenizer) loadTokenizer(folder, overrides); // says what is missing
    return;
  }
  const needed = architectures.join(' or ');
  throw new CheckpointError(`${folder} holds ${architecture}, this needs ${needed}`, {
    subject: folder,
    found: architecture,
    expected: needed,
    advice: uses(isExported)[MODEL_CLASSES[architecture].task],
  });
}
