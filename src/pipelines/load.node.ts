/** Models for pipelines, from anywhere; and pipelines by functions of their own, whose results say more (docs/pipelines.md). */
import type { Model } from '../pretrained/model.js';
import { type FromPretrainedOptions, fromPretrained } from '../pretrained/pretrained.node.js';
import type { WantedModels } from './definition.js';
import { fillMask, type MaskFiller } from './fillMask.js';
import { MASKED_LANGUAGE_MODELS } from './fillMaskPipeline.js';
import { fillSpan, type SpanFiller } from './fillSpan.js';
import { PIPELINES } from './registry.js';
import { type ReplacedTokenDetector, replacedTokenDetection } from './replacedTokenDetection.js';
import { type TextCorrupter, textCorruption } from './textCorruption.js';

/** Where a model comes from and what runs it. */
export type LoadOptions = Omit<
  FromPretrainedOptions,
  | 'task'
  | 'taskOfUnknown'
  | 'architecture'
  | 'half'
  | 'roles'
  | 'wants'
  | 'newHead'
  | 'newHeadAdvice'
  | 'labels'
  | 'seed'
>;

/**
 * Loads a model that a pipeline takes.
 * @param place  a model folder, a checkpoint, a run (its best checkpoint, else its latest), a folder around one of these, a
 *               folder with an ONNX file or that file, or a name on the hub
 * @throws CheckpointError when there is no such model, it is damaged, or it is of another kind
 */
export function loadModelFor(wants: WantedModels, place: string, options: LoadOptions = {}): Promise<Model> {
  const { architectures, advice, ...choice } = wants;
  const uses = (isExported: boolean) => {
    const all = isExported ? USES_OF_EXPORTED : USES;
    return advice ? Object.fromEntries(Object.keys(all).map((task) => [task, advice(place)])) : all;
  };
  return fromPretrained(place, { ...options, ...choice, newHeadAdvice: '', wants: { architectures, uses } });
}

/** Makes something of a model, which is released when that fails. */
export async function withModel<T>(model: Model, make: (model: Model) => Promise<T>): Promise<T> {
  try {
    return await make(model);
  } catch (error) {
    await model.release();
    throw error;
  }
}

/** Loads a discriminator; see `loadModelFor`. */
export async function loadReplacedTokenDetection(
  place: string,
  options: LoadOptions = {},
): Promise<ReplacedTokenDetector> {
  const { wants } = PIPELINES['replaced-token-detection'];
  return withModel(await loadModelFor(wants, place, options), replacedTokenDetection);
}

/** Loads a generator, or any ELECTRA or BERT masked language model; see `loadModelFor`. */
export async function loadFillMask(place: string, options: LoadOptions = {}): Promise<MaskFiller> {
  return withModel(await loadModelFor(MASKED_LANGUAGE_MODELS, place, options), fillMask);
}

/** Loads a SpanBERT, or, to fill by the masked LM alone, any masked language model; see `loadModelFor`. */
export async function loadFillSpan(place: string, options: LoadOptions = {}): Promise<SpanFiller> {
  return withModel(await loadModelFor(MASKED_LANGUAGE_MODELS, place, options), fillSpan);
}

/** Loads a generator to corrupt texts with; see `loadModelFor`. */
export async function loadTextCorruption(place: string, options: LoadOptions = {}): Promise<TextCorrupter> {
  return withModel(await loadModelFor(MASKED_LANGUAGE_MODELS, place, options), textCorruption);
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
