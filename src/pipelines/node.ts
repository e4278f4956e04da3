/** Pipelines from model folders and run folders, with an engine of their own. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type FetchModelOptions, fetchModel } from '../checkpoint/hub/fetchModelNode.js';
import { familyOf } from '../checkpoint/modelFolder.js';
import { loadModelDescription, loadModelFolder } from '../checkpoint/modelFolderNode.js';
import type { Engine } from '../engine/engine.js';
import type { EngineName } from '../engine/engineNames.js';
import { createEngine, type EngineChoiceOptions } from '../engine/node/chooseEngine.js';
import { CheckpointError } from '../errors.js';
import type { Architecture } from '../models/config.js';
import type { TokenizerOverrides } from '../text/tokenizerFolder.js';
import { loadMaxLength, loadTokenizer } from '../text/tokenizerNode.js';
import { verifyModelOfCheckpoint } from '../training/checkpointFolderNode.js';
import { checkpointOf, readRunFile } from '../training/runFolderNode.js';
import type { PipelineOptions } from './encoderModel.js';
import { fillMask, type MaskFiller } from './fillMask.js';
import { fillSpan, type SpanFiller } from './fillSpan.js';
import { type ReplacedTokenDetector, replacedTokenDetection } from './replacedTokenDetection.js';
import { type TextCorrupter, textCorruption } from './textCorruption.js';

export interface LoadOptions
  extends Omit<EngineChoiceOptions, 'engine'>,
    Pick<PipelineOptions, 'batchSize' | 'maxLength'>,
    Omit<FetchModelOptions, 'formats' | 'clock'>,
    TokenizerOverrides {
  /**
   * An engine to share, which stays open, or the name of one that the pipeline has of its own and closes on release.
   * Default "auto".
   */
  readonly engine?: Engine | EngineName;
}

/** Which half of an ELECTRA, or `model` where there is one alone: the name of its folder in a checkpoint. */
export type ModelRole = 'discriminator' | 'generator' | 'model';

/** What predicts masked tokens, and where a checkpoint may have it. */
const MASKED_LM = {
  roles: ['generator', 'model'],
  architectures: ['ElectraForMaskedLM', 'BertForMaskedLM', 'BertForPreTraining'],
} as const;

/**
 * Loads a discriminator.
 * @param model  a model folder, a checkpoint, a run (its best checkpoint, else its latest), or a name on the hub
 * @throws CheckpointError when there is no such model, it is damaged, or it is of another kind
 */
export function loadReplacedTokenDetection(model: string, options: LoadOptions = {}): Promise<ReplacedTokenDetector> {
  const wanted = { roles: ['discriminator'], architectures: ['ElectraForPreTraining'] } as const;
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
  { roles, architectures }: { roles: readonly ModelRole[]; architectures: readonly Architecture[] },
  options: LoadOptions,
  create: (options: PipelineOptions) => Promise<P>,
): Promise<P> {
  const { folder } = await fetchModel(model, options);
  const path = resolveModelFolder(folder, ...roles);
  const { architecture: found } = loadModelDescription(path);
  if (!architectures.includes(found)) throw wrongKind(path, found, architectures);
  await verifyModelOfCheckpoint(path);
  const { config, architecture, spanBoundary, tensors, tokenizer } = loadModelFolder(path, options);
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
      weights: new Map([...tensors].map(([name, { data }]) => [name, data])),
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

/**
 * The model folder that a name stands for: itself, a checkpoint's, or a run's best (else latest) checkpoint's.
 * @param roles  which of a checkpoint's folders, the first that is there
 * @throws CheckpointError when there is none
 */
export function resolveModelFolder(folder: string, ...roles: readonly ModelRole[]): string {
  if (existsSync(join(folder, 'config.json'))) return folder;
  const checkpoint = resolveCheckpoint(folder);
  const path = checkpoint && roles.map((role) => join(checkpoint, role)).find((candidate) => existsSync(candidate));
  if (path) return path;
  const problem = checkpoint
    ? `${checkpoint} has no ${roles.join(' and no ')}`
    : `${folder} is neither a model folder nor a run`;
  throw new CheckpointError(problem, {
    subject: folder,
    expected: 'a folder with config.json and model.safetensors, or a run folder with checkpoints',
    advice: checkpoint ? 'Its objective trains no such model' : 'Check the name of the folder',
  });
}

/** A checkpoint itself, or a run's best one, else its latest; undefined for any other folder. */
export function resolveCheckpoint(folder: string): string | undefined {
  if (existsSync(join(folder, 'trainer.json'))) return folder;
  if (!readRunFile(folder)) return undefined;
  try {
    return checkpointOf(folder, 'best');
  } catch {
    return checkpointOf(folder, 'latest');
  }
}

/**
 * The row length that the run around a model folder trained with. Positions beyond it exist but have learned nothing.
 * @param path  RUN/checkpoints/STEP/ROLE, or any other model folder, of which nothing is known
 */
function trainedLength(path: string): number | undefined {
  const length = loadModelDescription(path).pleiad?.length;
  return typeof length === 'number' ? length : readRunFile(resolve(path, '../../..'))?.settings.length;
}

const USES: Readonly<Record<Architecture, string>> = {
  ElectraForPreTraining: 'Use it with detect, or give the folder of its generator',
  ElectraForMaskedLM: 'Use it with fill-mask, or give the folder of its discriminator',
  BertForMaskedLM: 'Use it with fill-mask or fill-span',
  BertForPreTraining: 'Use it with fill-mask or fill-span',
};

function wrongKind(path: string, found: Architecture, expected: readonly Architecture[]): CheckpointError {
  const needed = expected.join(' or ');
  return new CheckpointError(`${path} holds ${found}, this needs ${needed}`, {
    subject: path,
    found,
    expected: needed,
    advice: USES[found],
  });
}
