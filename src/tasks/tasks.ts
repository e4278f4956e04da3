/** The fine-tuning tasks: a task is a folder beside this file and a line in it. */
import { SettingsError } from '../errors/errors.js';
import { nearestName } from '../settings/nearestName.js';
import { settingName } from '../settings/settingNames.js';
import { multipleChoice } from './multipleChoice/task.js';
import { questionAnsweringTask } from './questionAnswering/task.js';
import { relation } from './relation/task.js';
import type { Task } from './task.js';
import { textClassification } from './textClassification/task.js';
import { tokenClassification } from './tokenClassification/task.js';

// biome-ignore lint/suspicious/noExplicitAny: each task has batches of its own, which only its own parts see
export const TASKS: readonly Task<any>[] = [
  textClassification, // a label, several labels, or a number
  questionAnsweringTask, // the part of a text that answers a question
  tokenClassification, // a tag for each word
  multipleChoice, // which of several texts
  relation, // how two entities of a text are related
];

/** Names and aliases. */
export const TASK_NAMES: readonly string[] = TASKS.flatMap(({ name, aliases }) => [name, ...aliases]);

/** What columns of any task are read as. */
export const ROLES: readonly string[] = [...new Set(TASKS.flatMap(({ roles }) => roles))];

/** The task of a name or alias; undefined when there is none. */
export function findTask(name: string): Task | undefined {
  return TASKS.find((task) => task.name === name || task.aliases.includes(name));
}

/** @throws SettingsError naming the tasks that there are */
export function taskNamed(name: string): Task {
  const task = findTask(name);
  if (task) return task;
  const nearest = nearestName(name, TASK_NAMES);
  const hint =
    nearest === undefined ? `expected ${TASKS.map((known) => known.name).join(', ')}` : `did you mean ${nearest}?`;
  throw new SettingsError([`${settingName('task')} is ${JSON.stringify(name)}, which is no task; ${hint}`]);
}
