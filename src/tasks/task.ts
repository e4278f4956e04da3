/**
 * A fine-tuning task: rows of tables in, an objective for the trainer out. Trainer, run folder, resuming, ranks, engines and
 * precision serve all tasks without a line of theirs; `tasks.ts` lists them.
 */
import type { ModelDescription } from '../checkpoint/modelFolder.js';
import type { Table, TextFormat } from '../data/tables/table.js';
import type { Task as HeadName, QuestionAnsweringHead } from '../models/heads.js';
import type { Model } from '../pretrained/model.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import type { Evaluation } from '../training/evaluation.js';
import type { Metrics, Objective, TokenBatch } from '../training/objective.js';
import type { TrainingData } from '../training/stepFeeds.js';
import type { EpochData, RowOrder } from './epochBatches.js';
import type { ExampleView } from './example.js';
import type { Evaluated } from './report/report.js';
import type { TaskNotice } from './taskNotice.js';
import type { RowLimit } from './trainAndDevRows.js';

export type { TaskNotice } from './taskNotice.js';

/** Names of columns by what they are read as: `{ text: 'Review', label: 'Stars' }`. */
export type Columns = Readonly<Record<string, string>>;

/** Settings of a run by name, checked by their schema: a task takes those that it names in `ownSettings`. */
export type OwnSettings = Readonly<Record<string, unknown>>;

/** What a user says of the data. */
export interface ReadOptions {
  readonly columns: Columns;
  /** Labels in order, instead of those that are found in the training data. */
  readonly labels?: readonly string[];
  /** Default: all at their defaults. */
  readonly own?: OwnSettings;
  /** One of the task's `problemTypes`, where the user said so. */
  readonly problemType?: string;
  /** Learn from so many of the training rows. Labels are still those of all. */
  readonly limit?: RowLimit;
}

/** The settings that a task is prepared by. */
export interface PrepareOptions {
  /** The model with its labels, as it is trained. */
  readonly model: ModelDescription;
  readonly tokenizer: WordPieceTokenizer;
  readonly length: number;
  readonly layerRateDecay: number;
  readonly order: RowOrder;
  readonly metric: string;
  /** Weighs the rows of each label in the loss, of a task that `weighsClasses`. */
  readonly classWeights?: 'balanced';
  /** Whether there are baselines too: one rank has them for all. `kept`: those of a run that is resumed. */
  readonly baselines?: 'new' | { readonly kept: string };
}

/** What the trainer is given. */
export interface PreparedTask<B extends TokenBatch> {
  readonly objective: Objective<B>;
  /** What `padding` says, `pleiad check` shows. */
  readonly data: TrainingData<B> & Partial<Pick<EpochData<B>, 'padding'>>;
  readonly evaluation: Evaluation<B>;
  readonly notices: readonly TaskNotice[];
}

/** What batches are made of. */
export interface EncodedRows {
  /** Tokens of each row. */
  readonly lengths: readonly number[];
  /** Token rows of one row of the data, such as the choices of a question. Default 1. */
  readonly rowsOfExample?: number;
}

/** A task's data, before there is a model. */
export interface TaskData<B extends TokenBatch> {
  /** Rows to train on, as far as it is known without a tokenizer. */
  readonly numRows: number;
  /** The rows to train on as they are encoded: of question answering a text may become several. */
  encodedRows(tokenizer: WordPieceTokenizer, length: number): EncodedRows;
  readonly labels: readonly string[];
  /** For looking at. */
  readonly examples: { readonly train: readonly ExampleView[]; readonly dev: readonly ExampleView[] };
  /** What the best checkpoint is chosen by where nothing is said. Default: the first of the task's metrics. */
  readonly defaultMetric?: string;
  /** What config.json says of the model besides its sizes and labels, such as `problem_type`. */
  readonly configFields?: Readonly<Record<string, unknown>>;
  /** Of a model for question answering: which of its heads. */
  readonly questionAnsweringHead?: QuestionAnsweringHead;
  /** Changes when any example does: a resumed run must find the same. */
  readonly hash: string;
  prepare(options: PrepareOptions): PreparedTask<B>;
}

export interface Task<B extends TokenBatch = TokenBatch> {
  /** The name of its pipeline. */
  readonly name: string;
  readonly aliases: readonly string[];
  /** The head that is put on the encoder. */
  readonly head: HeadName;
  /** Forms of files that only this task reads, such as SQuAD's, besides tables. */
  readonly formats?: readonly TextFormat[];
  /** What columns are read as, such as `text`. */
  readonly roles: readonly string[];
  /** Where others are usual than for other tasks. */
  readonly defaults?: { readonly length?: number; readonly epochs?: number };
  /** Names of the settings that it has alone; `ownFields.ts` has their types. */
  readonly ownSettings?: readonly string[];
  /** The file in which a run keeps baselines beside its model. */
  readonly baselinesFile?: string;
  /** What the best checkpoint can be chosen by, the default first. */
  readonly metrics: readonly string[];
  /** Whether metrics of dev data are those of one answer for everything: the training got stuck. */
  isConstant?(metrics: Metrics): boolean;
  /** What its labels can mean, by the names of config.json's `problem_type`, each with its own metrics; the default first. */
  readonly problemTypes?: Readonly<Record<string, readonly string[]>>;
  /** Whether the rows of each label can be weighed in the loss: of one label a row. */
  readonly weighsClasses?: boolean;
  /** @throws DataError naming file, line and columns of what cannot be used; SettingsError for a metric that does not fit */
  read(train: Table, dev: Table | undefined, options: ReadOptions): TaskData<B>;
  /**
   * What a trained model reaches on other data, beside the baselines, and where it is wrong.
   * @param baselines  what is in `baselinesFile`, where there is one
   */
  evaluate(
    model: Model,
    data: Table,
    options: { readonly columns: Columns; readonly baselines?: string },
  ): Promise<Evaluated>;
  /**
   * The same of predictions that are in a file, whoever made them.
   * @throws DataError naming what the predictions lack, or have and the data do not
   */
  score?(data: Table, predictions: Table, options: { readonly columns: Columns }): Evaluated;
}
