/** Pipelines from model folders and run folders, with an engine of their own. */

import type { ModelLoadReport } from '../checkpoint/loadModel.js';
import { valuesOf } from '../checkpoint/loadTensors.js';
import { familyOf } from '../checkpoint/modelFolder.js';
import { createEngine, type EngineChoiceOptions } from '../engine/chooseEngine.node.js';
import type { Engine } from '../engine/engine.js';
import type { EngineName } from '../engine/engineNames.js';
import type { FetchModelOptions } from '../hub/fetchModel.node.js';
import type { Architecture } from '../models/config.js';
import type { Task } from '../models/heads.js';
import { type ModelRole, trainedLength } from '../pretrained/modelPlaces.node.js';
import { findModel, type OnnxModelOptions, openOnnxModel } from '../pretrained/onnxModel.node.js';
import {
  type LoadPretrainedOptions,
  loadPretrained,
  type Pretrained,
  requireClass,
} from '../pretrained/pretrained.node.js';
import { loadMaxLength, loadTokenizer } from '../text/tokenizer.node.js';
import type { TokenizerOverrides } from '../text/tokenizerFolder.js';
import type { PipelineOptions } from './encoderModel.js';
import { fillMask, type MaskFiller } from './fillMask.js';
import { fillSpan, type SpanFiller } from './fillSpan.js';
import { type ReplacedTokenDetector, replacedTokenDetection } from './replacedTokenDetection.js';
import { type TextCorrupter, textCorruption } from './textCorruption.js';

export interface LoadOptions
  extends Omit<EngineChoiceOptions, 'engine'>,
    Pick<PipelineOptions, 'batchSize' | 'maxLength'>,
    Omit<FetchModelOptions, 'formats' | 'clock'>,
    Pick<LoadPretrainedOptions, 'keep'>,
    Pick<OnnxModelOptions, 'onnx' | 'onnxNames'>,
    TokenizerOverrides {
  /** Told what became of every tensor, once the model is loaded. */
  readonly onLoadReport?: (report: ModelLoadReport) => void;
  /**
   * An engine to share, which stays open, or the name of one that the pipeline has of its own and closes on release.
   * Default "auto".
   */
  readonly engine?: Engine | EngineName;
}

interface Wanted {
  readonly roles: readonly ModelRole[];
  /** What a model is taken for whose config.json names a class that is none of ours. */
  readonly task: Task;
  readonly architectures: readonly Architecture[];
}

/** What predicts masked tokens, and where a checkpoint may have it. */
const MASKED_LM = {
  roles: ['generator', 'model'],
  task: 'maskedLm',
  architectures: ['ElectraForMaskedLM', 'BertForMaskedLM', 'BertForPreTraining'],
} as const;

/**
 * Loads a discriminator.
 * @param model  a model folder, a checkpoint, a run (its best checkpoint, else its latest), a folder around one of these, a
 *               folder with an ONNX file or that file, or a name on the hub
 * @throws CheckpointError when there is no such model, it is damaged, or it is of another kind
 */
export function loadReplacedTokenDetection(model: string, options: LoadOptions = {}): Promise<ReplacedTokenDetector> {
  const wanted = {
    roles: ['discriminator'],
    task: 'preTraining',
    architectures: ['ElectraForPreTraining'],
  } as const;
  return load(model, wanted, options, replacedTokenDetection);
}

/** Loads a generator, or any ELECTRA or BERT masked language model; see `loadReplacedTokenDetection`. */
export function loadFillMask(model: string, options: LoadOptions = {}): Promise<MaskFiller> {
  return load(model, MASKED_LM, options, fillMask);
}

/** Loads a SpanBERT, or, to fill by the masked LM alone, any masked language model; see `loadReplacedTokenDetection`. */
export function loadFillSpan(model: string, options: LoadOptions = {}): Promise<SpanFiller> {
  return load(model, MASKED_LM, options, fillSpan);
}

/** Loads a generator to corrupt texts with; see `loadReplacedTokenDetection`. */
export function loadTextCorruption(model: string, options: LoadOptions = {}): Promise<TextCorrupter> {
  return load(model, MASKED_LM, options, textCorruption);
}

async function load<P extends { release(): Promise<void> }>(
  model: string,
  wanted: Wanted,
  options: LoadOptions,
  create: (options: PipelineOptions) => Promise<P>,
): Promise<P> {
  const { place, onnx } = await findModel(model, { ...options, roles: wanted.roles });
  const asked = { ...options, roles: wanted.roles, taskOfUnknown: wanted.task, newHeadAdvice: '' };
  return onnx === undefined ? loadWeights(place, wanted, asked, create) : loadOnnx(place, onnx, wanted, asked, create);
}

/** How a model is asked for. */
type Asked = LoadOptions & Pick<LoadPretrainedOptions, 'roles' | 'taskOfUnknown' | 'newHeadAdvice'>;

async function loadWeights<P extends { release(): Promise<void> }>(
  place: string,
  { architectures }: Wanted,
  { onLoadReport, ...options }: Asked,
  create: (options: PipelineOptions) => Promise<P>,
): Promise<P> {
  const { engine: wish, ...loading } = options;
  const pretrained = await loadPretrained(place, { ...loading, keep: loading.keep ?? 'file' });
  requireClass(pretrained, architectures, USES);
  onLoadReport?.(pretrained.report);
  const { folder, tensors } = pretrained;
  const shared = typeof wish === 'object' ? wish : undefined;
  const engine =
    shared ?? (await createEngine({ purpose: 'serving', ...options, engine: wish as EngineName | undefined }));
  const closeOwn = async () => {
    if (!shared) await engine.close();
  };
  const weights = new Map([...tensors].map(([name, tensor]) => [name, valuesOf(tensor)]));
  return withRelease(closeOwn, () => create({ ...common(pretrained, folder, options), engine, weights }));
}

/** A folder that `pleiad export` wrote, or another with an ONNX file. */
async function loadOnnx<P extends { release(): Promise<void> }>(
  folder: string,
  path: string,
  { architectures }: Wanted,
  options: Asked,
  create: (options: PipelineOptions) => Promise<P>,
): Promise<P> {
  const { description: model, tokenizer, program } = await openOnnxModel(folder, path, options);
  const close = () => program!.release();
  try {
    requireClass({ model, folder }, architectures, USES_OF_EXPORTED);
    return await create({ ...common({ model, tokenizer }, folder, options), program, weights: new Map() });
  } catch (error) {
    await close();
    throw error;
  }
}

/** What a pipeline is told of a model, whatever runs it. */
function common(
  { model, tokenizer }: Pick<Pretrained, 'model' | 'tokenizer'>,
  folder: string,
  options: LoadOptions,
): Omit<PipelineOptions, 'engine' | 'weights'> {
  const { config, architecture, spanBoundary } = model;
  const longest = Math.min(config.maxPositionEmbeddings, trainedLength(folder) ?? loadMaxLength(folder) ?? Infinity);
  const { batchSize, maxLength = longest } = options;
  return {
    // Without a tokenizer in the folder, this says what is missing.
    tokenizer: tokenizer ?? loadTokenizer(folder, options),
    config,
    family: familyOf(architecture),
    spanBoundary,
    batchSize,
    maxLength,
    source: folder,
  };
}

/** A pipeline that closes what it runs on when it is released, or could not be made. */
async function withRelease<P extends { release(): Promise<void> }>(
  close: () => Promise<void>,
  make: () => Promise<P>,
): Promise<P> {
  try {
    const pipeline = await make();
    const release = async () => {
      await pipeline.release();
      await close();
    };
    return { ...pipeline, release };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What a model of the wrong kind is for, by its task. */
const USES: Readonly<Record<string, string>> = {
  preTraining: 'Use it with detect, or give the folder of its generator',
  maskedLm: 'Use it with fill-mask, or give the folder of its discriminator',
  encoder: 'It has no head: it gives hidden states',
};

/** An exported folder holds one half of a pair, and the other half is exported by itself. */
const USES_OF_EXPORTED: typeof USES = {
  ...USES,
  preTraining: 'Use it with detect, or export its generator (pleiad export RUN --half generator --out FOLDER)',
  maskedLm: 'Use it with fill-mask, or export its discriminator (pleiad export RUN --half discriminator --out FOLDER)',
};
