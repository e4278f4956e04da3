/** A pipeline over a model in hand: callable, with a stream and an end. Touches no file: `pipeline.node.ts` loads by name. */
import { DataError, SettingsError } from '../errors/errors.js';
import type { Model } from '../pretrained/model.js';
import { requireTokenizer } from '../pretrained/requireTokenizer.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import { checkedValue } from './checkedValue.js';
import type { Pipeline, PipelineTypes } from './definition.js';
import { type PipelineTask, pipelineNamed, type TypesOf } from './registry.js';

/** What every pipeline has beside its call. */
export interface PipelineHandle<T extends PipelineTypes> {
  /** The pipeline's own name, also where an alias was given. */
  readonly task: string;
  readonly model: Model;
  readonly tokenizer: WordPieceTokenizer;
  /** Results of a stream of inputs, in its order. Inputs run together in batches. */
  stream(
    inputs: AsyncIterable<T['input']> | Iterable<T['input']>,
    options?: T['options'],
  ): AsyncGenerator<T['output'], void>;
  /** Releases the model, with an engine that is its own. */
  release(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export type LoadedPipeline<Name extends PipelineTask> = TypesOf<Name>['call'] & PipelineHandle<TypesOf<Name>>;

/** Inputs of a stream that are read before they run, for each row that the model runs at once: similar lengths then meet. */
const INPUTS_PER_ROW = 4;

/**
 * Makes a pipeline of a model.
 * @param defaults  options of every call that does not give its own
 * @throws CheckpointError when the model is of a class that the pipeline does not take, or its weights do not fit
 */
export async function createPipeline<Name extends PipelineTask>(
  task: Name,
  model: Model,
  defaults: Partial<TypesOf<Name>['options']> = {},
): Promise<LoadedPipeline<Name>> {
  const definition: Pipeline = pipelineNamed(task);
  const tokenizer = requireTokenizer(model);
  checkArchitecture(definition, model);
  const usual = checkedOptions(definition, defaults);
  const run = await definition.load(model);

  const all = (inputs: readonly unknown[], options: object = {}): Promise<unknown[]> => {
    const checked = inputs.map((input, i) => checkedInput(definition, input, inputs.length > 1 ? i : undefined));
    return run(checked, { ...usual, ...checkedOptions(definition, options) });
  };
  const call = async (input: unknown, options?: object) =>
    Array.isArray(input) ? all(input, options) : (await all([input], options))[0];
  const release = () => model.release();
  const handle: PipelineHandle<PipelineTypes> = {
    task: definition.name,
    model,
    tokenizer,
    async *stream(inputs, options) {
      let waiting: unknown[] = [];
      for await (const input of inputs) {
        waiting.push(input);
        if (waiting.length < INPUTS_PER_ROW * model.batchSize) continue;
        yield* await all(waiting, options);
        waiting = [];
      }
      if (waiting.length > 0) yield* await all(waiting, options);
    },
    release,
    [Symbol.asyncDispose]: release,
  };
  return Object.assign(call, handle) as unknown as LoadedPipeline<Name>;
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

function checkArchitecture({ name, wants }: Pipeline, { description: { architecture }, source }: Model): void {
  if (wants.architectures.includes(architecture)) return;
  const needed = wants.architectures.join(' or ');
  // Loaded by name, `fromPretrained` says so with advice.
  throw new SettingsError([`${source} is ${architecture}; ${name} needs ${needed}`]);
}
