/**
 * What every pipeline stands on: an engine, a model with its weights baked in, and rows of token ids run in padded
 * batches. Touches no file; `node.ts` loads model folders.
 */

import type { Engine, Program, Tensor, Tensors } from '../engine/engine.js';
import { CheckpointError, SettingsError } from '../errors/errors.js';
import { joinFirst } from '../errors/joinFirst.js';
import type { Values } from '../files/storedValues.js';
import { elementCount } from '../graph/dimensions.js';
import type { EncoderConfig } from '../models/config.js';
import type { ModelFamily, ModelGraph } from '../models/modelGraph.js';
import type { SpanBoundaryConfig } from '../models/spanbert.js';
import { checkVocabulary } from '../pretrained/checkVocabulary.js';
import { settingName } from '../settings/settingNames.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';

/** A model as a pipeline is given it. */
export interface PipelineOptions {
  /** Not closed by the pipeline: several may share one. Not needed with `program`. */
  readonly engine?: Engine;
  /**
   * A model that runs as it is, an ONNX file, instead of `weights` in `engine`; its outputs at every position. Its rows are
   * run one by one: what it says of a text does not depend on the texts beside it, as it would in 8 bits, where the scale
   * of activations is found over all of a batch.
   */
  readonly program?: Pick<Program, 'run' | 'release'>;
  readonly tokenizer: WordPieceTokenizer;
  readonly config: EncoderConfig;
  /** Whose names the weights carry. Default `electra`. */
  readonly family?: ModelFamily;
  /** Of a model with a span boundary head. */
  readonly spanBoundary?: SpanBoundaryConfig;
  /** By published name, row-major. Tensors that the model does not use are ignored. */
  readonly weights: ReadonlyMap<string, Values>;
  /** Rows run at once. Default 16. */
  readonly batchSize?: number;
  /** Longest row in tokens, [CLS] and [SEP] included. Default: as many positions as the model has. */
  readonly maxLength?: number;
  /** Where the weights come from, for messages. */
  readonly source?: string;
}

/** Rows that are run together. */
export interface RowBatch {
  /** Which rows, by their index in what was given. */
  readonly rows: readonly number[];
  /** Positions in a padded row (S). */
  readonly length: number;
}

/** A compiled encoder with its head. */
export class EncoderModel {
  readonly tokenizer: WordPieceTokenizer;
  readonly maxLength: number;
  readonly #program: Pick<Program, 'run' | 'release'>;
  readonly #batchSize: number;

  private constructor(options: PipelineOptions, program: Pick<Program, 'run' | 'release'>) {
    this.tokenizer = options.tokenizer;
    this.maxLength = options.maxLength ?? options.config.maxPositionEmbeddings;
    this.#batchSize = options.program ? 1 : (options.batchSize ?? 16);
    this.#program = program;
  }

  /**
   * @throws SettingsError for a `batchSize` or `maxLength` out of range
   * @throws CheckpointError when the weights are not those of the model, or the tokenizer has another vocabulary
   */
  static async load(model: ModelGraph, options: PipelineOptions, label: string): Promise<EncoderModel> {
    checkOptions(options);
    const { engine, program, tokenizer, config, source = label } = options;
    if (program) {
      checkVocabulary(tokenizer, config, source);
      return new EncoderModel(options, atPositions(program));
    }
    if (!engine) throw new SettingsError(['engine is missing; expected an engine to run the weights in']);
    checkWeights(model, options, label);
    const used = new Map(model.parameters.map(({ name }) => [name, options.weights.get(name)!]));
    return new EncoderModel(options, await engine.compile(model.graph, { label, weights: used }));
  }

  /**
   * Runs rows of token ids in batches of similar length.
   * @param rows   token ids, [CLS] and [SEP] included, at most `maxLength` each
   * @param read   called after each batch with its outputs
   * @param extra  further inputs of a batch
   */
  async run(
    rows: readonly Int32Array[],
    read: (outputs: Tensors, batch: RowBatch) => void,
    extra: (batch: RowBatch) => Tensors = () => ({}),
  ): Promise<void> {
    for (const batch of batchesByLength(rows, this.#batchSize)) {
      const feeds = { ...padRows(rows, batch, this.tokenizer.padId), ...extra(batch) };
      read(await this.#program.run(feeds), batch);
    }
  }

  release(): Promise<void> {
    return this.#program.release();
  }
}

/** A program whose logits are of every position, asked about those of the input `positions` alone: [B, S, V] → [N, V]. */
function atPositions(program: Pick<Program, 'run' | 'release'>): Pick<Program, 'run' | 'release'> {
  return {
    run: async ({ positions, ...feeds }) => {
      const outputs = await program.run(feeds);
      return positions ? { ...outputs, logits: gatherRows(outputs.logits, positions.data) } : outputs;
    },
    release: () => program.release(),
  };
}

function gatherRows({ dtype, shape, data }: Tensor, rows: ArrayLike<number>): Tensor {
  const width = shape[shape.length - 1];
  const gathered = new Float32Array(rows.length * width);
  for (let i = 0; i < rows.length; i++) {
    gathered.set(data.subarray(rows[i] * width, (rows[i] + 1) * width), i * width);
  }
  return { dtype, shape: [rows.length, width], data: gathered };
}

function checkOptions({ config, batchSize, maxLength }: PipelineOptions): void {
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

function checkWeights({ parameters }: ModelGraph, options: PipelineOptions, label: string): void {
  const { weights, tokenizer, config, source = label } = options;
  checkVocabulary(tokenizer, config, source);
  const problems = parameters.flatMap(({ name, shape }) => {
    const size = elementCount(shape);
    const found = weights.get(name)?.length;
    if (found === size) return [];
    return [found === undefined ? `${name} is missing` : `${name} has ${found} values, its config needs [${shape}]`];
  });
  if (problems.length === 0) return;
  throw new CheckpointError(`${source}: ${joinFirst(problems, 5, '; ')}`, {
    subject: source,
    found: problems,
    expected: `the ${parameters.length} tensors of its config`,
    advice: 'Load weights and config of one model folder',
  });
}

/** Rows in batches, sorted by length so that little is padded. */
function batchesByLength(rows: readonly Int32Array[], batchSize: number): RowBatch[] {
  const sorted = [...rows.keys()].sort((a, b) => rows[a].length - rows[b].length);
  const batches: RowBatch[] = [];
  for (let at = 0; at < sorted.length; at += batchSize) {
    const members = sorted.slice(at, at + batchSize);
    batches.push({ rows: members, length: rows[members.at(-1)!].length });
  }
  return batches;
}

function padRows(rows: readonly Int32Array[], batch: RowBatch, padId: number): Tensors {
  const { length } = batch;
  const shape = [batch.rows.length, length];
  const inputIds = new Int32Array(batch.rows.length * length).fill(padId);
  const attentionMask = new Int32Array(inputIds.length);
  batch.rows.forEach((row, i) => {
    inputIds.set(rows[row], i * length);
    attentionMask.fill(1, i * length, i * length + rows[row].length);
  });
  const int32 = (data: Int32Array, dims = shape): Tensor => ({ dtype: 'int32', shape: dims, data });
  return {
    inputIds: int32(inputIds),
    tokenTypeIds: int32(new Int32Array(inputIds.length)),
    attentionMask: int32(attentionMask),
    positionIds: int32(
      Int32Array.from({ length }, (_, i) => i),
      [length],
    ),
  };
}
