/** What a fine-tuning is of, from a task file and the flags that go over it: `finetune` and `check` read it alike. */
import { SettingsError } from '../errors/errors.js';
import { fineTuningSchema } from '../tasks/settings.js';
import type { ArgumentDefinition, OptionDefinition, OptionValues } from './command.js';
import { readConfigFile } from './configFile.js';
import { FINE_TUNING_GROUPS } from './fineTuningGroups.js';
import { wholeNumber } from './numbers.js';
import { groupedSettingsOptions, settingsFromOptions, settingWords } from './settingsOptions.js';
import { CONFIG_FILE_OPTION, nameSettingsOfFile } from './trainingCommand.js';

export const TASK_FILE_ARGUMENT: ArgumentDefinition = {
  name: '[config]',
  description: 'a task file, as --config takes it',
};

export const TASK_OPTIONS: readonly OptionDefinition[] = [
  CONFIG_FILE_OPTION,
  ...groupedSettingsOptions(fineTuningSchema, FINE_TUNING_GROUPS),
  {
    flags: '--trials <number>',
    description:
      'Train so often, with seeds that follow one another, and keep the best; says median, mean and spread. Default 1.',
  },
];

export interface TaskOfUser {
  readonly settings: Record<string, unknown>;
  /** 1 for a single run. */
  readonly trials: number;
}

/** @throws SettingsError when two files are given, or one is no settings file */
export function taskOfUser(word: string | undefined, options: OptionValues): TaskOfUser {
  if (word !== undefined && options.config !== undefined) {
    throw new SettingsError([`a settings file is given twice: ${word} and --config ${options.config}; give one`]);
  }
  const path = word ?? options.config;
  const { trials: ofFile, ...file } = withData(readConfigFile(path));
  const settings = settingsFromOptions(fineTuningSchema, options, file);
  if (typeof path === 'string') nameSettingsOfFile(path, file, settingWords(fineTuningSchema, options));
  const ofOption = wholeNumber('--trials', options.trials, 1);
  const trials = ofOption ?? wholeNumber('trials', ofFile === undefined ? undefined : String(ofFile), 1) ?? 1;
  return { settings, trials };
}

/** Train, dev and columns may stand together under `data`. */
function withData({ data, ...file }: Record<string, unknown>): Record<string, unknown> {
  if (data === undefined) return file;
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return { ...file, data };
  return { ...(data as object), ...file };
}
