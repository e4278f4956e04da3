/** `pipeline(task, { model })`, as transformers has it. */
import { SettingsError } from '../errors/errors.js';
import type { Model } from '../pretrained/model.js';
import { settingName } from '../settings/settingNames.js';
import { createPipeline, type LoadedPipeline } from './createPipeline.js';
import { type LoadOptions, loadModelFor, withModel } from './load.node.js';
import { type PipelineTask, pipelineNamed, type TypesOf } from './registry.js';

/** The model, where it comes from and what runs it; and options of every call that does not give its own. */
export type PipelineOptions<Task extends PipelineTask> = LoadOptions &
  Omit<Partial<TypesOf<Task>['options']>, 'topK'> & {
    /**
     * A folder, a run, a name on the hub, …: see `loadModelFor`. Or a model in hand, which the pipeline then releases.
     * Default: the pipeline's model in the box, where it has one (`PIPELINES[task].boxed`).
     */
    readonly model?: string | Model;
    /** Of proofreading, where the generator is not with the discriminator: as `model`. */
    readonly generator?: string | Model;
  };

/**
 * Loads a pipeline: a function of one input or of many, typed by the task's name.
 *
 *     const fill = await pipeline('fill-mask', { model: 'google/electra-small-generator' });
 *     const candidates = await fill('the chef [MASK] the meal', { topK: 3 });
 *     await fill.release();                                       // or: await using fill = …
 *
 * @throws SettingsError for a task that there is not, or an option out of range
 * @throws CheckpointError when there is no such model, it is damaged, or it is of another kind
 */
export async function pipeline<Task extends PipelineTask>(
  task: Task,
  options: PipelineOptions<Task> = {} as PipelineOptions<Task>,
): Promise<LoadedPipeline<Task>> {
  const { wants, partner, options: schema, name, boxed } = pipelineNamed(task);
  const { model = boxed, generator = partner && model, ...others } = options;
  if (model === undefined || model === '') {
    throw new SettingsError([`${settingName('model')} is missing; expected a folder or a name on the hub for ${name}`]);
  }
  const given = Object.entries(others);
  const isOfCalls = (key: string) => Object.hasOwn(schema.shape, key);
  const defaults = Object.fromEntries(given.filter(([key]) => isOfCalls(key)));
  const loading = Object.fromEntries(given.filter(([key]) => !isOfCalls(key))) as LoadOptions;
  const usual = defaults as Partial<TypesOf<Task>['options']>;
  const loaded = typeof model === 'string' ? await loadModelFor(wants, model, loading) : model;
  return withModel(loaded, async () => {
    if (generator === undefined || generator === loaded) return createPipeline(task, loaded, usual);
    if (typeof generator !== 'string') return createPipeline(task, loaded, usual, generator);
    const second = await loadModelFor(partner ?? wants, generator, loading);
    return withModel(second, () => createPipeline(task, loaded, usual, second));
  });
}
