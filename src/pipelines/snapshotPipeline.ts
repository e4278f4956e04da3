/** From a snapshot of training, in memory, to a running pipeline: what a checkpoint's folders are to `pipeline`. */
import { CheckpointError } from '../errors/errors.js';
import { Model, type ModelParts } from '../pretrained/model.js';
import type { Snapshot } from '../training/checkpoint.js';
import { exportedTensors, usableWeights } from '../training/exportedTensors.js';
import type { ModelExport } from '../training/objective.js';
import { fillMask } from './fillMask.js';
import { MASKED_LANGUAGE_MODELS } from './fillMaskPipeline.js';
import { fillSpan } from './fillSpan.js';
import { replacedTokenDetection } from './replacedTokenDetection.js';
import { replacedTokenDetectionPipeline } from './replacedTokenDetectionPipeline.js';
import { textCorruption } from './textCorruption.js';

/** What can be run, by whose models. */
const PIPELINES = {
  'fill-mask': { create: fillMask, wants: MASKED_LANGUAGE_MODELS },
  'fill-span': { create: fillSpan, wants: MASKED_LANGUAGE_MODELS },
  'replaced-token-detection': { create: replacedTokenDetection, wants: replacedTokenDetectionPipeline.wants },
  'text-corruption': { create: textCorruption, wants: MASKED_LANGUAGE_MODELS },
} as const;

export type SnapshotPipelineName = keyof typeof PIPELINES;

type Created<Name extends SnapshotPipelineName> = Awaited<ReturnType<(typeof PIPELINES)[Name]['create']>>;

/**
 * Runs a model as it stands in a snapshot. The generator of a pair fills masks and corrupts texts, its discriminator detects.
 * @param snapshot  of a `MemoryStore`, for instance its `best`
 * @param options   `engine` and `tokenizer`, and how rows are made; they are as long as in training by default
 * @throws CheckpointError when the run trained no such model
 */
export async function snapshotPipeline<Name extends SnapshotPipelineName>(
  name: Name,
  snapshot: Snapshot,
  options: Pick<ModelParts, 'engine' | 'tokenizer' | 'batchSize' | 'maxLength'>,
): Promise<Created<Name>> {
  const found = modelFor(name, snapshot);
  const { config, architecture, spanBoundary } = found;
  const longest = Math.min(config.maxPositionEmbeddings, snapshot.length ?? Number.POSITIVE_INFINITY);
  const model = new Model({
    maxLength: longest,
    ...options,
    description: { config, architecture, ...(spanBoundary && { spanBoundary }) },
    tensors: exportedTensors(found, usableWeights(snapshot)),
    source: `step ${snapshot.progress.step}`,
  });
  return (await PIPELINES[name].create(model)) as Created<Name>;
}

function modelFor(name: SnapshotPipelineName, { models = [], progress }: Snapshot): ModelExport {
  const architectures: readonly string[] = PIPELINES[name].wants.architectures;
  const model = models.find(({ architecture }) => architectures.includes(architecture));
  if (model) return model;
  throw new CheckpointError(`the snapshot of step ${progress.step} has no model for ${name}`, {
    subject: `step ${progress.step}`,
    found: models.map(({ folder, architecture }) => `${folder} (${architecture})`),
    expected: architectures.join(' or '),
    advice: 'Choose a pipeline for a model that the objective trains, or another objective',
  });
}
