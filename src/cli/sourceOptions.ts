/** The options that say what a checkpoint is to be read as. */
import type { ElectraHalf } from '../checkpoint/nameMaps.js';
import { TASKS, type Task } from '../models/heads.js';
import type { OpenPretrainedOptions } from '../pretrained/openPretrained.node.js';
import type { OptionDefinition, OptionValues } from './command.js';

/** Tasks as words: camelCase in code, hyphens on the command line. */
const WORDS = new Map(
  Object.keys(TASKS).map((task) => [task.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`), task as Task]),
);

export const TASK_OPTION: OptionDefinition = {
  flags: '--task <name>',
  description: 'what the model is for. Default: what its config or its tensors say.',
  choices: [...WORDS.keys()],
};

export const HALF_OPTION: OptionDefinition = {
  flags: '--half <name>',
  description: "which model of a run, or of google-research/electra's checkpoints, which hold both.",
  choices: ['discriminator', 'generator'],
};

export const CONFIG_OPTION: OptionDefinition = {
  flags: '--config <file>',
  description: 'a config.json, for weights that have none beside them',
};

/** These options as the pipelines take them. */
export function sourceOptions({
  task,
  half,
  config,
}: OptionValues): Pick<OpenPretrainedOptions, 'task' | 'half' | 'config'> {
  return {
    ...(typeof task === 'string' && { task: WORDS.get(task) }),
    ...(typeof half === 'string' && { half: half as ElectraHalf }),
    ...(typeof config === 'string' && { config }),
  };
}
