/** The figures of an official script: of a file of predictions, or of a model. */
import type { Table } from '../data/tables/table.js';
import type { Model } from '../pretrained/model.js';
import type { Metrics } from '../training/objective.js';
import type { ReportSection } from './report/report.js';
import type { Columns, TaskNotice } from './task.js';

/** Figures under the keys of the script, in its order and units. */
export interface ScriptScores {
  readonly rows: number;
  readonly scores: Metrics;
  /** Where the answers are wrong. */
  readonly sections: readonly ReportSection[];
  /** What of the predictions deserves a warning. */
  readonly notices: readonly TaskNotice[];
}

export interface ScorerOptions {
  readonly columns: Columns;
  /** Of a file of predictions: further files by role, such as `noAnswerProbabilities`, as JSON values. */
  readonly further?: Readonly<Record<string, unknown>>;
  /** Beyond it a question counts as one without an answer. */
  readonly threshold?: number;
}

export interface Scorer {
  /** What `--task` calls it. */
  readonly name: string;
  /** Whose data it reads. */
  readonly task: string;
  /**
   * @param predictions  a JSON value, as the script takes it
   * @throws DataError when they do not belong to the data
   */
  score(data: Table, predictions: unknown, options: ScorerOptions): ScriptScores;
  scoreModel(model: Model, data: Table, options: ScorerOptions): Promise<ScriptScores>;
}
