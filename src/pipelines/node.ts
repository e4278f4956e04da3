/** Pipelines from model folders and run folders, with an engine of their own. */
import type { FetchModelOptions } from '../checkpoint/hub/fetchModelNode.js';
import type { ModelLoadReport } from '../checkpoint/loadModel.js';
import { valuesOf } from '../checkpoint/loadTensors.js';
import { familyOf } from '../checkpoint/modelFolder.js';
import type { Engine } from '../engine/engine.js';
import type { EngineName } from '../engine/engineNames.js';
import { createEngine, type EngineChoiceOptions } from '../engine/node/chooseEngine.js';
import type { Architecture } from '../models/config.js';
import type { Task } from '../models/heads.js';
import type { TokenizerOverrides } from '../text/tokenizerFolder.js';
import { loadMaxLength, loadTokenizer } from '../text/tokenizerNode.js';
import type { PipelineOptions } from './encoderModel.js';
import { fillMask, type MaskFiller } from './fillMask.js';
import { fillSpan, type SpanFiller } from './fillSpan.js';
import { type ModelRole, trainedLength } from './modelPlacesNode.js';
import { type LoadPretrainedOptions, loadPretrained, requireClass } from './pretrainedNode.js';
import { type ReplacedTokenDetector, replacedTokenDetection } from './replacedTokenDetection.js';
import { type TextCorrupter, textCorruption } from './textCorruption.js';

export interface LoadOptions
  extends Omit<EngineChoiceOptions, 'engine'>,
    Pick<PipelineOptions, 'batchSize' | 'maxLength'>,
    Omit<FetchModelOptions, 'formats' | 'clock'>,
    Pick<LoadPretrainedOptions, 'keep'>,
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
 * @param model  a model folder, a checkpoint, a run (its best checkpoint, else its latest), or a name on the hub
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
  { roles, task, architectures }: Wanted,
  options: LoadOptions,
  create: (options: PipelineOptions) => Promise<P>,
): Promise<P> {
  const { onLoadReport, ...loading } = options;
  const pretrained = await loadPretrained(model, {
    ...loading,
    keep: loading.keep ?? 'file',
    roles,
    taskOfUnknown: task,
    newHeadAdvice: '',
  });
  requireClass(pretrained, architectures, USES);
  onLoadReport?.(pretrained.report);
  const { model: description, folder: path, tensors, tokenizer } = pretrained;
  const { config, architecture, spanBoundary } = description;
  const longest = Math.min(config.maxPositionEmbeddings, trainedLength(path) ?? loadMaxLength(path) ?? Infinity);
  const { batchSize, maxLength = longest } = options;
  const shared = typeof options.engine === 'object' ? options.engine : undefined;
  const engine =
    shared ??
    (await createEngine({ purpose: 'serving', ...options, engine: options.engine as EngineName | undefined }));
  const closeOwn = async () => {
    if (!shared) await engine.close();
  };
  try {
    const pipeline = await create({
      engine,
      // Without a tokenizer in the folder, this says what is missing.
      tokenizer: tokenizer ?? loadTokenizer(path, options),
      config,
      family: familyOf(architecture),
      spanBoundary,
      weights: new Map([...tensors].map(([name, tensor]) => [name, valuesOf(tensor)])),
      batchSize,
      maxLength,
      source: path,
    });
    const release = async () => {
      await pipeline.release();
      await closeOwn();
    };
    return { ...pipeline, release };
  } catch (error) {
    await closeOwn();
    throw error;
  }
}

/** What a model of the wrong kind is for, by its task. */
const USES: Readonly<Record<string, string>> = {
  preTraining: 'Use it with detect, or give the folder of its generator',
  maskedLm: 'Use it with fill-mask, or give the folder of its discriminator',
  encoder: 'It has no head: it gives hidden states',
};
