/** What a model is for, as a word: camelCase in code, hyphens on the command line. */
import { TASKS, type Task } from '../models/heads.js';
import type { OptionDefinition } from './command.js';

const WORDS = new Map(
  Object.keys(TASKS).map((task) => [task.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`), task as Task]),
);

export const TASK_OPTION: OptionDefinition = {
  flags: '--task <name>',
  description: 'what the model is for. Default: what its config or its tensors say.',
  choices: [...WORDS.keys()],
};

export function taskOption(word: string | boolean | undefined): Task | undefined {
  return typeof word === 'string' ? WORDS.get(word) : undefined;
}
