/** Runs a pipeline on one input: whatever the library does for one text, a screen can ask for. */
import { z } from 'zod';
import { createPipeline, type LoadedPipeline } from '../../pipelines/createPipeline.js';
import { PIPELINES, type PipelineName } from '../../pipelines/registry.js';
import type { Model } from '../../pretrained/model.js';
import { studioCall } from '../studioCall.js';

/** Those whose results are plain data; vectors are none. */
const TASKS = (Object.keys(PIPELINES) as PipelineName[]).filter((name) => name !== 'feature-extraction');

const input = z.strictObject({
  task: z.enum(TASKS),
  model: z.string(),
  role: z.enum(['generator', 'discriminator', 'model']),
  /** As the pipeline declares it; it checks it. */
  input: z.unknown(),
  options: z.record(z.string(), z.unknown()).optional(),
});

type AnyPipeline = (input: unknown, options: object) => Promise<unknown>;

/** A pipeline compiles its program once for each model. */
const known = new WeakMap<Model, Map<PipelineName, Promise<AnyPipeline>>>();

export const runPipeline = studioCall({
  input,
  run: (models, { task, model, role, input: asked, options }, signal) =>
    models.withModel(model, role, async (loaded) => (await pipelineOf(loaded, task))(asked, { ...options, signal })),
});

function pipelineOf(model: Model, task: PipelineName): Promise<AnyPipeline> {
  const ofModel = known.get(model) ?? new Map<PipelineName, Promise<AnyPipeline>>();
  known.set(model, ofModel);
  const found = ofModel.get(task);
  if (found) return found;
  const made = createPipeline(task, model) as Promise<LoadedPipeline<PipelineName>> as Promise<AnyPipeline>;
  ofModel.set(task, made);
  made.catch(() => ofModel.delete(task));
  return made;
}
