/** A pipeline over a model in hand: callable, with a stream and an end. Touches no file: `pipeline.node.ts` loads by name. */
import { DataError, PleiadError, SettingsError } from '../errors/errors.js';
import type { Model } from '../pretrained/model.js';
import { requireTokenizer } from '../pretrained/requireTokenizer.js';
import { shownValue } from '../settings/expectation.js';
import { settingName } from '../settings/settingNames.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import { checkedValue } from './checkedValue.js';
import type { Pipeline, PipelineTypes, RowWatch, WantedModels, WorkOptions } from './definition.js';
import { type PipelineTask, pipelineNamed, type TypesOf } from './registry.js';

/** What every pipeline has beside its call. */
export interface PipelineHandle<T extends PipelineTypes> {
  /** The pipeline's own name, also where an alias was given. */
  readonly task: string;
  readonly model: Model;
  readonly tokenizer: WordPieceTokenizer;
  /**
   * Results of a stream of inputs, in its order. Inputs run together in batches; no more of them are read ahead than one such
   * batch, and none before its results are asked for.
   */
  stream(
    inputs: AsyncIterable<T['input']> | Iterable<T['input']>,
    options?: T['options'] & WorkOptions,
  ): AsyncGenerator<T['output'], void>;
  /** Releases the model, with an engine that is its own. Once is enough; a call after it is an error. */
  release(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export type LoadedPipeline<Name extends PipelineTask> = TypesOf<Name>['call'] & PipelineHandle<TypesOf<Name>>;

/** Inputs of a stream that are read before they run, for each row that the model runs at once: similar lengths then meet. */
const INPUTS_PER_ROW = 4;

/**
 * Makes a pipeline of a model.
 * @param defaults  options of every call that does not give its own
 * @param partner   the second model of a pipeline that takes one; released with the first
 * @throws CheckpointError when the model is of a class that the pipeline does not take, or its weights do not fit
 */
export async function createPipeline<Name extends PipelineTask>(
  task: Name,
  model: Model,
  defaults: Partial<TypesOf<Name>['options']> = {},
  partner?: Model,
): Promise<LoadedPipeline<Name>> {
  const definition: Pipeline = pipelineNamed(task);
  const tokenizer = requireTokenizer(model);
  checkArchitecture(definition, definition.wants, model);
  if (partner) checkPartner(definition, partner);
  const usual = checkedOptions(definition, defaults);
  const run = await definition.load(model, partner);

  let isReleased = false;

  const all = async (inputs: readonly unknown[], given: object = {}): Promise<unknown[]> => {
    if (isReleased) throw released(definition);
    const { work, own } = splitOptions(given);
    const checked = inputs.map((input, i) => checkedInput(definition, input, inputs.length > 1 ? i : undefined));
    const options = { ...usual, ...checkedOptions(definition, own) };
    if (!work.onProgress && !work.signal) return run(checked, options);
    return inChunks(checked, INPUTS_PER_ROW * model.batchSize, work, (chunk, watch) => run(chunk, options, watch));
  };
  const call = async (input: unknown, options?: object) =>
    Array.isArray(input) ? all(input, options) : (await all([input], options))[0];
  const release = async () => {
    if (isReleased) return;
    isReleased = true;
    await model.release();
    await partner?.release();
  };
  const handle: PipelineHandle<PipelineTypes> = {
    task: definition.name,
    model,
    tokenizer,
    async *stream(inputs, { onProgress, ...options } = {}) {
      let done = 0;
      for await (const chunk of chunksOf(inputs, INPUTS_PER_ROW * model.batchSize)) {
        const results = await all(chunk, options);
        done += results.length;
        onProgress?.({ done });
        yield* results;
      }
    },
    release,
    [Symbol.asyncDispose]: release,
  };
  return Object.assign(call, handle) as unknown as LoadedPipeline<Name>;
}

async function* chunksOf<T>(inputs: AsyncIterable<T> | Iterable<T>, size: number): AsyncGenerator<T[]> {
  let waiting: T[] = [];
  for await (const input of inputs) {
    waiting.push(input);
    if (waiting.length < size) continue;
    yield waiting;
    waiting = [];
  }
  if (waiting.length > 0) yield waiting;
}

/** Runs inputs part by part, so that something can be said in between. */
async function inChunks<In, Out>(
  inputs: readonly In[],
  size: number,
  { onProgress, signal }: WorkOptions,
  run: (chunk: readonly In[], watch: RowWatch) => Promise<Out[]>,
): Promise<Out[]> {
  const results: Out[] = [];
  const total = inputs.length;
  const report = (inputsDone: number) => onProgress?.({ done: results.length, total, fraction: inputsDone / total });
  for (let from = 0; from < total; from += size) {
    signal?.throwIfAborted();
    const chunk = inputs.slice(from, from + size);
    const onRows = (done: number, all: number) => done < all && report(from + (chunk.length * done) / all);
    for (const result of await run(chunk, { onRows, signal })) results.push(result);
    report(results.length);
  }
  return results;
}

/** The options of every call, and those of the pipeline. */
function splitOptions(given: object): { work: WorkOptions; own: object } {
  const { onProgress, signal, ...own } = given as WorkOptions;
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw new SettingsError([`${settingName('onProgress')} is ${shownValue(onProgress)}; expected a function`]);
  }
  return { work: { onProgress, signal }, own };
}

function released({ name }: Pipeline): PleiadError {
  return new PleiadError(`this ${name} pipeline was released`, { subject: name, advice: 'Make another one' });
}

function checkedOptions(definition: Pipeline, options: object): object {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return checkedValue(definition.options, given, 'options', (problems) => new SettingsError(problems));
}

function checkedInput(definition: Pipeline, input: unknown, index: number | undefined): unknown {
  const name = index === undefined ? 'the input' : `input ${index}`;
  return checkedValue(definition.input, input, name, (problems) => {
    const where = index === undefined ? '' : ` ${index}`;
    return new DataError(`${definition.name}: input${where} cannot be used: ${problems.join('; ')}`, {
      subject: name,
      found: input,
      expected: definition.input.description,
    });
  });
}

function checkPartner(definition: Pipeline, partner: Model): void {
  if (!definition.partner)
    throw new SettingsError([`${definition.name} takes one model; ${partner.source} is a second one`]);
  checkArchitecture(definition, definition.partner, partner);
}

function checkArchitecture(
  { name }: Pipeline,
  wants: WantedModels,
  { description: { architecture }, source }: Model,
): void {
  if (wants.architectures.includes(architecture)) return;
  const needed = wants.architectures.join(' or ');
  // Loaded by name, `fromPretrained` says so with advice.
  throw new SettingsError([`${source} is ${architecture}; ${name} needs ${needed}`]);
}
