/** Evaluates a fine-tuned model on the rows of a file. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTable } from '../data/tables/readTable.node.js';
import { CheckpointError } from '../errors/errors.js';
import { type FromPretrainedOptions, fromPretrained } from '../pretrained/pretrained.node.js';
import type { Metrics } from '../training/objective.js';
import type { Columns, Task } from './task.js';

export interface TaskEvaluationOptions extends Omit<FromPretrainedOptions, 'task' | 'labels'> {
  /** File of rows. */
  readonly data: string;
  readonly columns?: Columns;
  /** The folder that what a run keeps beside its model is looked for in. Default: `place`. */
  readonly folder?: string;
}

/**
 * The metrics of a model, with those of the baselines that its run kept.
 * @param place  what was fine-tuned: a run (its best checkpoint), a model folder, or a name on the hub
 * @throws CheckpointError when it has no head of the task; DataError naming file and line of what cannot be used
 */
export async function evaluateTask(
  task: Task,
  place: string,
  { data, columns = {}, folder = place, ...options }: TaskEvaluationOptions,
): Promise<Metrics> {
  const table = await readTable(data, { wanted: Object.values(columns), formats: task.formats });
  const wanted = { task: task.head, roles: ['model', 'discriminator'], newHeadAdvice: '' } as const;
  const model = await fromPretrained(place, { ...options, ...wanted });
  try {
    const path = task.baselinesFile && join(folder, task.baselinesFile);
    const baselines = path && existsSync(path) ? readFileSync(path, 'utf8') : undefined;
    return await task.evaluate(model, table, { columns, baselines });
  } catch (error) {
    if (error instanceof CheckpointError) error.message = `${place}: ${error.message}`;
    throw error;
  } finally {
    await model.release();
  }
}
