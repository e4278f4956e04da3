/** From a snapshot of training, in memory, to a running pipeline: what a checkpoint's folders are to `loadFillMask` and its kin. */
import { familyOf } from '../checkpoint/modelFolder.js';
import { CheckpointError } from '../errors/errors.js';
import type { Architecture } from '../models/config.js';
import type { Snapshot } from '../training/checkpoint.js';
import type { ModelExport } from '../training/objective.js';
import type { PipelineOptions } from './encoderModel.js';
import { fillMask } from './fillMask.js';
import { fillSpan } from './fillSpan.js';
import { replacedTokenDetection } from './replacedTokenDetection.js';
import { textCorruption } from './textCorruption.js';

const MASKED_LM: readonly Architecture[] = ['ElectraForMaskedLM', 'BertForMaskedLM', 'BertForPreTraining'];

/** What can be run, by whose models. */
const PIPELINES = {
  'fill-mask': { create: fillMask, architectures: MASKED_LM },
  'fill-span': { create: fillSpan, architectures: MASKED_LM },
  'replaced-token-detection': { create: replacedTokenDetection, architectures: ['ElectraForPreTraining'] },
  'text-corruption': { create: textCorruption, architectures: MASKED_LM },
} as const satisfies Record<
  string,
  { create(options: PipelineOptions): Promise<unknown>; architectures: readonly Architecture[] }
>;

export type SnapshotPipelineName = keyof typeof PIPELINES;

/**
 * Runs a model as it stands in a snapshot. The generator of a pair fills masks and corrupts texts, its discriminator detects.
 * @param snapshot  of a `MemoryStore`, for instance its `best`
 * @param options   `engine` and `tokenizer`, and what else a pipeline takes; rows are as long as in training by default
 * @throws CheckpointError when the run trained no such model
 */
export async function snapshotPipeline<Name extends SnapshotPipelineName>(
  name: Name,
  snapshot: Snapshot,
  options: Pick<PipelineOptions, 'engine' | 'tokenizer' | 'batchSize' | 'maxLength'>,
): Promise<Awaited<ReturnType<(typeof PIPELINES)[Name]['create']>>> {
  const { config, architecture, spanBoundary, tensors } = modelFor(name, snapshot);
  const longest = Math.min(config.maxPositionEmbeddings, snapshot.length ?? Number.POSITIVE_INFINITY);
  const create = PIPELINES[name].create as (all: PipelineOptions) => ReturnType<(typeof PIPELINES)[Name]['create']>;
  return await create({
    maxLength: longest,
    ...options,
    config,
    family: familyOf(architecture),
    spanBoundary,
    weights: new Map([...tensors].map(([published, name]) => [published, snapshot.parameters.get(name)!.data])),
    source: `step ${snapshot.progress.step}`,
  });
}

function modelFor(name: SnapshotPipelineName, { models = [], progress }: Snapshot): ModelExport {
  const { architectures } = PIPELINES[name];
  const model = models.find(({ architecture }) => (architectures as readonly Architecture[]).includes(architecture));
  if (model) return model;
  throw new CheckpointError(`the snapshot of step ${progress.step} has no model for ${name}`, {
    subject: `step ${progress.step}`,
    found: models.map(({ folder, architecture }) => `${folder} (${architecture})`),
    expected: architectures.join(' or '),
    advice: 'Choose a pipeline for a model that the objective trains, or another objective',
  });
}
