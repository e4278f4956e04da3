/** What a pipeline is: declared once, read by `pipeline()`, by the command line, and by whatever makes routes or forms of them. */
import type { z } from 'zod';
import type { ElectraHalf } from '../checkpoint/nameMaps.js';
import type { Architecture } from '../models/config.js';
import type { Task } from '../models/heads.js';
import type { Model, RowOptions } from '../pretrained/model.js';

/** The types of a pipeline: its other names, and those of one input, of the options of a call, of what one input gives, and of the call. */
export interface PipelineTypes {
  readonly alias: string;
  readonly input: unknown;
  readonly options: object;
  readonly output: unknown;
  readonly call: unknown;
}

export interface PipelineProgress {
  /** Inputs that are done. */
  readonly done: number;
  /** Of so many; undefined where they come as a stream. */
  readonly total?: number;
  /** Part of the work, 0 to 1: a long text counts as its windows are done. Undefined where `total` is. */
  readonly fraction?: number;
}

/** Options of every call, beside those of the pipeline. */
export interface WorkOptions {
  /** Called as inputs are done. */
  readonly onProgress?: (progress: PipelineProgress) => void;
  /** Ends the work between two batches of rows: the call fails with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** One in, one out; many in, many out. */
export interface PipelineCall<Input, Options, Output> {
  (input: Input, options?: Options & WorkOptions): Promise<Output>;
  (inputs: readonly Input[], options?: Options & WorkOptions): Promise<Output[]>;
}

/** The same, where `topK` asks for a list of the best instead of the best. */
export interface RankedCall<Input, Options, Output> {
  (input: Input, options: Options & WorkOptions & { readonly topK: number }): Promise<Output[]>;
  (inputs: readonly Input[], options: Options & WorkOptions & { readonly topK: number }): Promise<Output[][]>;
  (input: Input, options?: Options & WorkOptions): Promise<Output>;
  (inputs: readonly Input[], options?: Options & WorkOptions): Promise<Output[]>;
}

/** Which models a pipeline takes, and which of a run's or checkpoint's. */
export interface WantedModels {
  readonly architectures: readonly Architecture[];
  /** Folders of a checkpoint, the preferred first. */
  readonly roles: readonly (ElectraHalf | 'model')[];
  /** The class is chosen for this task, whatever config.json names. */
  readonly task?: Task;
  /** What a model is taken for whose config.json names a class that is none of ours. */
  readonly taskOfUnknown?: Task;
  /** What to do with a model of another class. Default: what that one is for. */
  readonly advice?: (place: string) => string;
}

/** What a run hands to `Model.forEachRow`, so that long work says how far it is and can be ended. */
export type RowWatch = Pick<RowOptions, 'onRows' | 'signal'>;

/** Runs many inputs at once. Inputs and options have been checked. */
export type PipelineRun<T extends PipelineTypes> = (
  inputs: readonly T['input'][],
  options: T['options'],
  watch?: RowWatch,
) => Promise<T['output'][]>;

export interface Pipeline<T extends PipelineTypes = PipelineTypes> {
  readonly name: string;
  readonly aliases: readonly T['alias'][];
  /** In one line. */
  readonly summary: string;
  readonly wants: WantedModels;
  /** A second model that it also takes, most often from the same place: the generator of a pair. */
  readonly partner?: WantedModels;
  /** The model in the box (docs/checkpoints.md) that it takes where none is given. Default: one must be given. */
  readonly boxed?: string;
  /** Of one input. */
  readonly input: z.ZodType<T['input']>;
  /** Of a call; all are optional. */
  readonly options: z.ZodObject;
  /** Of one input. */
  readonly output: z.ZodType<T['output']>;
  /**
   * Makes a model ready.
   * @param partner  the second model, where there is one
   * @throws CheckpointError when its weights do not fit, DataError when it has no tokenizer
   */
  load(model: Model, partner?: Model): Promise<PipelineRun<T>>;
  /** For the type checker alone. */
  readonly types?: T;
}
