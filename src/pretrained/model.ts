/**
 * A model, whatever runs it: weights in an engine, or an ONNX file. Rows of token ids in, the named outputs of its head out.
 * Pipelines, exports and a user's own code stand on it. Touches no file: `pretrained.node.ts` loads model folders and names.
 */
import type { ModelLoadReport } from '../checkpoint/loadModel.js';
import { type LoadedTensor, valuesOf } from '../checkpoint/loadTensors.js';
import { headSettings, type ModelDescription } from '../checkpoint/modelFolder.js';
import type { Engine, Program, Tensor, Tensors } from '../engine/engine.js';
import { CheckpointError, DataError, SettingsError } from '../errors/errors.js';
import { joinFirst } from '../errors/joinFirst.js';
import type { Values } from '../files/storedValues.js';
import { elementCount } from '../graph/dimensions.js';
import { modelForUse, predictsTokens } from '../models/heads.js';
import type { ModelGraph } from '../models/modelGraph.js';
import { settingName } from '../settings/settingNames.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import { checkVocabulary } from './checkVocabulary.js';
import { checkedInputs, checkLengths, type ModelInputs } from './modelInputs.js';
import {
  inOrderOfSpans,
  type Layout,
  layoutOf,
  type ModelOutputs,
  namedOutputs,
  OutputCollector,
  type OutputName,
  type RowOutputs,
  rowsOfBatch,
} from './modelOutputs.js';
import {
  batchesByLength,
  feedsOf,
  type ModelRow,
  packingFeeds,
  positionFeeds,
  type RowBatch,
  roundedBatch,
  spanFeeds,
} from './rowBatches.js';

export type { ModelInputs, Rows, TokenSpan } from './modelInputs.js';
export type { ModelOutputs, OutputName, RowOutputs } from './modelOutputs.js';
export { type ModelRow, offsetsOf, type RowSpan } from './rowBatches.js';

export interface RunOptions {
  /** Outputs of the head to compute. Default all. */
  readonly outputs?: readonly OutputName[];
  /**
   * Of a head over the vocabulary: the positions of each row to predict, and `logits` are [N, V] of these alone. Far less work
   * than the vocabulary product at every token.
   */
  readonly positions?: readonly (readonly number[])[];
  /** Also what each layer reads and the last writes, [B, S, H] each: one more than there are layers. Default false. */
  readonly hiddenStates?: boolean;
  /** Also the attention weights of each layer, [B, A, S, S] each. Default false. */
  readonly attentions?: boolean;
}

export interface RowOptions {
  /** Outputs to compute; `boundaryLogits` is that of rows with spans. */
  readonly outputs: readonly OutputName[];
  /** Whether rows have positions, and `logits` are of these alone. Default false. */
  readonly atPositions?: boolean;
  /** Called after each batch. */
  readonly onRows?: (done: number, total: number) => void;
  /** Ends the work between two batches. */
  readonly signal?: AbortSignal;
}

/** How rows are put into batches. */
export interface BatchOptions {
  /** Rows run at once, at most. Default 16; of a model that is an ONNX file 1. */
  readonly batchSize?: number;
  /** Longest row in tokens that pipelines make. Default: what it was trained on, where that is known, else all its positions. */
  readonly maxLength?: number;
  /**
   * Whether only attention computes the padding of rows of mixed lengths: for servers, whose batches are mixed. Costs a few
   * copies in every layer, which rows of one length gain nothing by. Of weights in an engine alone. Default false.
   */
  readonly skipPadding?: boolean;
}

export interface ModelParts extends BatchOptions {
  readonly description: ModelDescription;
  /** By published name. Those that the model does not use are ignored. */
  readonly tensors: ReadonlyMap<string, LoadedTensor>;
  /** Undefined for a model that is an ONNX file. */
  readonly engine?: Engine;
  readonly tokenizer?: WordPieceTokenizer;
  /** What its folder says of its use for a task, such as the content of `question_answering.json`; its pipeline reads it. */
  readonly taskSettings?: unknown;
  /** Of a model that was loaded. */
  readonly report?: ModelLoadReport;
  /**
   * Of a model that is an ONNX file: what runs, instead of `tensors` in the engine. Rows are run one by one by default: what it
   * says of a text does not depend on the texts beside it, as it would in 8 bits, where the scale of activations is found over
   * all of a batch.
   */
  readonly program?: Pick<Program, 'run' | 'release'>;
  /** Where it comes from, for messages. Default its class. */
  readonly source?: string;
  /** Called on release: closes an engine that is the model's own. Without it, the engine stays open: several may share one. */
  readonly close?: () => Promise<void>;
}

/** 16 rows of 512 tokens: what is held at once for rows as long as any released model takes. */
const TOKEN_BUDGET = 16 * 512;

interface Asked {
  readonly outputs?: readonly string[];
  readonly atPositions: boolean;
  readonly spans: boolean;
  readonly hiddenStates: boolean;
  readonly attentions: boolean;
}

const NOTHING_MORE = { hiddenStates: false, attentions: false };

export class Model {
  readonly description: ModelDescription;
  readonly tensors: ReadonlyMap<string, LoadedTensor>;
  readonly tokenizer?: WordPieceTokenizer;
  readonly report?: ModelLoadReport;
  /** What its folder says of its use for a task; undefined where it says nothing. */
  readonly taskSettings?: unknown;
  readonly source: string;
  /** Longest row in tokens that pipelines make. */
  readonly maxLength: number;
  /** Rows run at once, at most. */
  readonly batchSize: number;
  /** Whether only attention computes the padding of rows. */
  readonly skipsPadding: boolean;
  readonly #engine?: Engine;
  readonly #program?: Pick<Program, 'run' | 'release'>;
  readonly #close?: () => Promise<void>;
  /** One for each set of outputs that was asked for; compiled when it first is. */
  readonly #programs = new Map<string, Promise<Program>>();

  /**
   * @throws SettingsError for a `batchSize` or `maxLength` out of range
   * @throws CheckpointError when the tokenizer has tokens that the model does not know
   */
  constructor(parts: ModelParts) {
    const { description, tokenizer, engine, program } = parts;
    checkBatchOptions(parts);
    this.source = parts.source ?? description.architecture;
    if (tokenizer) checkVocabulary(tokenizer, description.config, this.source);
    this.description = description;
    this.tensors = parts.tensors;
    this.tokenizer = tokenizer;
    this.taskSettings = parts.taskSettings;
    this.report = parts.report;
    this.maxLength = parts.maxLength ?? description.config.maxPositionEmbeddings;
    this.batchSize = parts.batchSize ?? (program ? 1 : 16);
    this.skipsPadding = (parts.skipPadding ?? false) && !program;
    this.#engine = engine;
    this.#program = program;
    this.#close = parts.close;
  }

  /**
   * Runs rows, in batches of similar length, and gives their outputs as one batch.
   * @throws DataError when rows do not fit each other or the model
   */
  async run(inputs: ModelInputs, options: RunOptions = {}): Promise<ModelOutputs> {
    const { outputs, positions, hiddenStates = false, attentions = false } = options;
    const { rows, choices } = checkedInputs(inputs, positions, this);
    const spans = inputs.spans ?? [];
    const asked = {
      outputs: outputs?.filter((name) => name !== 'boundaryLogits'),
      atPositions: positions !== undefined,
      spans: spans.length > 0,
      hiddenStates,
      attentions,
    };
    const collector = new OutputCollector(rows, this.#layout(asked));
    for await (const { tensors, batch } of this.#batches(rows, asked)) collector.add(tensors, batch);
    return inOrderOfSpans(namedOutputs(collector.finish(), choices), spans);
  }

  /**
   * Runs rows as `run` does, and hands over each row's own values as soon as its batch is done: nothing is held for all rows.
   * @param read  called once for each row, with its index; the values are views that stay as they are
   * @throws DataError when a row is longer than the model's positions
   */
  async forEachRow(
    rows: readonly ModelRow[],
    options: RowOptions,
    read: (row: number, outputs: RowOutputs) => void,
  ): Promise<void> {
    if (rows.length === 0) return;
    checkLengths(rows, this.description.config.maxPositionEmbeddings);
    const asked = askedOfRows(options);
    let done = 0;
    options.signal?.throwIfAborted();
    const rounds = this.skipsPadding && this.#engine?.plansBySize === true;
    for await (const { tensors, batch } of this.#batches(rows, asked, rounds)) {
      const values = rowsOfBatch(tensors, rows, batch, this.#layout(asked));
      for (const [i, row] of batch.rows.entries()) read(row, values[i]);
      done += batch.rows.length;
      options.onRows?.(done, rows.length);
      options.signal?.throwIfAborted();
    }
  }

  /**
   * Compiles what `forEachRow` will run, so that what does not fit is said at once.
   * @throws CheckpointError when weights are missing or of other sizes
   */
  async prepare(options: RowOptions): Promise<void> {
    await this.#programFor(askedOfRows(options));
  }

  async release(): Promise<void> {
    for (const program of this.#programs.values()) await (await program).release();
    this.#programs.clear();
    await this.#program?.release();
    await this.#close?.();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  /** @param rounds  whether batches may be larger than their rows, so that there are few sizes */
  async *#batches(
    rows: readonly ModelRow[],
    asked: Asked,
    rounds = false,
  ): AsyncGenerator<{ tensors: Tensors; batch: RowBatch }> {
    const { config, spanBoundary } = this.description;
    const program = await this.#programFor(asked);
    for (const exact of batchesByLength(rows, { batchSize: this.batchSize, tokenBudget: TOKEN_BUDGET })) {
      const batch = rounds ? roundedBatch(rows, exact, config.maxPositionEmbeddings) : exact;
      const feeds = feedsOf(rows, batch, config.padTokenId);
      if (this.#program) {
        const tensors = onlyAsked(await program.run(feeds), asked);
        yield { tensors: asked.atPositions ? atPositions(tensors, rows, batch) : tensors, batch };
        continue;
      }
      const further = {
        ...(asked.atPositions && positionFeeds(rows, batch)),
        ...(this.skipsPadding && packingFeeds(rows, batch)),
        ...(asked.spans && spanFeeds(rows, batch, spanBoundary!, this.tokenizer!)),
      };
      yield { tensors: await program.run({ ...feeds, ...further }), batch };
    }
  }

  #layout({ atPositions }: Asked): (name: string) => Layout {
    return (name) => layoutOf(name, this.description.architecture, atPositions);
  }

  async #programFor(asked: Asked): Promise<Pick<Program, 'run'>> {
    const { config, architecture, spanBoundary } = this.description;
    const { hiddenStates, attentions } = asked;
    if (asked.atPositions && !predictsTokens(architecture)) {
      throw new DataError(`${architecture} has an output for every token, and none over the vocabulary`, {
        subject: 'positions',
        expected: 'a masked language model',
      });
    }
    if (!this.#engine || this.#program) {
      if (this.#program && !hiddenStates && !attentions) return this.#program;
      throw new DataError('a model that is an ONNX file has the outputs that are in it, and no others', {
        subject: hiddenStates ? 'hiddenStates' : 'attentions',
        advice: 'Load its weights',
      });
    }
    const key = JSON.stringify(asked);
    const known = this.#programs.get(key);
    if (known) return known;
    const model = modelForUse({
      config,
      architecture,
      head: headSettings(this.description),
      outputs: asked.outputs,
      positions: asked.atPositions,
      ...(asked.spans && { spanBoundary }),
      hiddenStates,
      attentions,
      packed: this.skipsPadding,
    });
    const program = this.#engine.compile(model.graph, { label: architecture, weights: this.#weightsOf(model) });
    this.#programs.set(key, program);
    // One that failed is none to release, and may be asked for again.
    program.catch(() => this.#programs.delete(key));
    return program;
  }

  /** @throws CheckpointError naming what is missing or of another size */
  #weightsOf({ parameters }: ModelGraph): Map<string, Values> {
    const problems = parameters.flatMap(({ name, shape }) => {
      const tensor = this.tensors.get(name);
      const found = tensor && valuesOf(tensor).length;
      if (found === elementCount(shape)) return [];
      return [found === undefined ? `${name} is missing` : `${name} has ${found} values, its config needs [${shape}]`];
    });
    if (problems.length === 0) return new Map(parameters.map(({ name }) => [name, valuesOf(this.tensors.get(name)!)]));
    throw new CheckpointError(`${this.source}: ${joinFirst(problems, 5, '; ')}`, {
      subject: this.source,
      found: problems,
      expected: `the ${parameters.length} tensors of its config`,
      advice: 'Load weights and config of one model folder',
    });
  }
}

function askedOfRows({ outputs, atPositions = false }: RowOptions): Asked {
  const spans = outputs.includes('boundaryLogits');
  return { outputs: outputs.filter((name) => name !== 'boundaryLogits'), atPositions, spans, ...NOTHING_MORE };
}

function checkBatchOptions({ description: { config }, batchSize, maxLength }: ModelParts): void {
  const problems: string[] = [];
  if (batchSize !== undefined && !(Number.isInteger(batchSize) && batchSize >= 1)) {
    problems.push(`${settingName('batchSize')} is ${batchSize}; expected a whole number of at least 1`);
  }
  const positions = config.maxPositionEmbeddings;
  if (maxLength !== undefined && !(Number.isInteger(maxLength) && maxLength >= 3 && maxLength <= positions)) {
    problems.push(
      `${settingName('maxLength')} is ${maxLength}; expected 3 to ${positions}, the positions that the model has`,
    );
  }
  if (problems.length) throw new SettingsError(problems);
}

/** An ONNX file gives all outputs that are in it. */
function onlyAsked(tensors: Tensors, { outputs }: Asked): Tensors {
  if (!outputs) return tensors;
  return Object.fromEntries(Object.entries(tensors).filter(([name]) => outputs.includes(name)));
}

/** Logits of every position, [B, S, V], at those that are asked about: [N, V]. */
function atPositions(tensors: Tensors, rows: readonly ModelRow[], batch: RowBatch): Tensors {
  const { positions } = positionFeeds(rows, batch);
  return { ...tensors, logits: gatherRows(tensors.logits, positions.data) };
}

function gatherRows({ dtype, shape, data }: Tensor, rows: ArrayLike<number>): Tensor {
  const width = shape[shape.length - 1];
  const gathered = new Float32Array(rows.length * width);
  for (let i = 0; i < rows.length; i++) {
    gathered.set(data.subarray(rows[i] * width, (rows[i] + 1) * width), i * width);
  }
  return { dtype, shape: [rows.length, width], data: gathered };
}
