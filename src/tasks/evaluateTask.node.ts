/** Evaluates a fine-tuned model on the rows of a file. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTable } from '../data/tables/readTable.node.js';
import type { Table } from '../data/tables/table.js';
import { CheckpointError, SettingsError } from '../errors/errors.js';
import type { Model } from '../pretrained/model.js';
import { innerPlace, resolveCheckpoint } from '../pretrained/modelPlaces.node.js';
import { type FromPretrainedOptions, fromPretrained } from '../pretrained/pretrained.node.js';
import { settingName } from '../settings/settingNames.js';
import type { TaskReport } from './report/report.js';
import type { Scorer, ScriptScores } from './scorer.js';
import type { Columns, Task } from './task.js';
import { taskOfPlace } from './taskOfPlace.node.js';
import { TASKS, taskNamed } from './tasks.js';

export interface TaskEvaluationOptions extends Omit<FromPretrainedOptions, 'task' | 'labels'> {
  /** File of rows. */
  readonly data: string;
  readonly columns?: Columns;
  /** The folder that what a run keeps beside its model is looked for in. Default: `place`. */
  readonly folder?: string;
}

export interface ModelEvaluationOptions extends Omit<TaskEvaluationOptions, 'folder'> {
  /** Default: what the run or the model folder says that it is of. */
  readonly task?: string;
}

/**
 * What a model of a task reaches, beside the baselines that its run kept, and where it is wrong.
 * @param place  what was fine-tuned: a run (its best checkpoint), a model folder, or a name on the hub
 * @throws CheckpointError when it has no head of the task; DataError naming file and line of what cannot be used
 */
export function evaluateTask(task: Task, place: string, options: TaskEvaluationOptions): Promise<TaskReport> {
  const { columns = {} } = options;
  const { folder = place } = options;
  return withModel(task, place, options, async (model, table) => {
    const path = task.baselinesFile && join(folder, task.baselinesFile);
    const baselines = path && existsSync(path) ? readFileSync(path, 'utf8') : undefined;
    return { task: task.name, ...(await task.evaluate(model, table, { columns, baselines })) };
  });
}

/**
 * What a fine-tuned model reaches on the rows of a file, beside the baselines that its run kept, and where it is wrong;
 * `reportPage` makes a page of it.
 *
 *     const report = await evaluateModel('runs/reviews', { data: 'test.csv' });
 *     report.metrics.accuracy;
 *
 * @param place  a run (its best checkpoint), a folder of trials, a model folder, or a name on the hub
 * @throws SettingsError when it is not known what the model was fine-tuned for; and as `evaluateTask`
 */
export async function evaluateModel(place: string, { task, ...options }: ModelEvaluationOptions): Promise<TaskReport> {
  const folder = innerPlace(place);
  const checkpoint = resolveCheckpoint(folder);
  const found = task === undefined ? taskOfPlace(folder, checkpoint) : taskNamed(task);
  if (found) return evaluateTask(found, checkpoint === undefined ? folder : join(checkpoint, 'model'), options);
  throw new SettingsError([
    `${place} does not say what it was fine-tuned for; expected ${settingName('task')}, one of ${TASKS.map(({ name }) => name).join(', ')}`,
  ]);
}

/**
 * A model's figures by an official script.
 * @throws as `evaluateTask`
 */
export function scoreModel(
  scorer: Scorer,
  place: string,
  { threshold, ...options }: TaskEvaluationOptions & { readonly threshold?: number },
): Promise<ScriptScores> {
  const task = taskNamed(scorer.task);
  const { columns = {} } = options;
  return withModel(task, place, options, (model, table) => scorer.scoreModel(model, table, { columns, threshold }));
}

async function withModel<T>(
  task: Task,
  place: string,
  { data, columns = {}, folder: _, ...options }: TaskEvaluationOptions,
  use: (model: Model, table: Table) => Promise<T>,
): Promise<T> {
  const table = await readTable(data, { wanted: Object.values(columns), formats: task.formats });
  const wanted = { task: task.head, roles: ['model', 'discriminator'], newHeadAdvice: '' } as const;
  const model = await fromPretrained(place, { ...options, ...wanted });
  try {
    return await use(model, table);
  } catch (error) {
    if (error instanceof CheckpointError) error.message = `${place}: ${error.message}`;
    throw error;
  } finally {
    await model.release();
  }
}

/** Files of a task's data and of predictions for them. */
export interface PredictionFiles {
  readonly data: string;
  readonly predictions: string;
  readonly columns?: Columns;
}

/**
 * What predictions in a file are worth, and where they are wrong, by a task that has `score`: `token-classification`.
 * @throws SettingsError for a task that has not; DataError naming what cannot be used, and where predictions and data differ
 */
export async function evaluatePredictions(
  name: string,
  { data, predictions, columns = {} }: PredictionFiles,
): Promise<TaskReport> {
  const task = taskNamed(name);
  if (!task.score) {
    const able = TASKS.filter(({ score }) => score).map((each) => each.name);
    throw new SettingsError([
      `${settingName('task')} is ${name}, which takes no file of predictions; expected ${able.join(' or ')}`,
    ]);
  }
  const { formats } = task;
  const table = await readTable(data, { wanted: Object.values(columns), formats });
  return { task: task.name, ...task.score(table, await readTable(predictions, { formats }), { columns }) };
}
