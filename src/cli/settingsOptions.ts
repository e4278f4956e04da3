/** Options made from the settings schema: one flag a setting, so that nothing is declared twice. */
import { kebabCase } from '../training/commandLine.js';
import {
  describeSettings,
  type SettingDescription,
  type SettingName,
  settingsFromWords,
} from '../training/settings.js';
import type { OptionDefinition, OptionValues } from './command.js';

export { kebabCase } from '../training/commandLine.js';

/** Every setting, or those of a list, as a flag, in the order of the schema. */
export function settingsOptions(names?: readonly SettingName[]): OptionDefinition[] {
  const settings = describeSettings().filter(({ name }) => !names || names.includes(name));
  return settings.flatMap((setting) => {
    const flag = `--${kebabCase(setting.name)}`;
    // Choices are checked with all other settings, so that one message names everything that is wrong.
    const choices = setting.choices ? ` One of ${setting.choices.join(', ')}.` : '';
    const description = setting.description + choices;
    if (setting.type !== 'boolean') return [{ flags: `${flag} ${placeholder(setting)}`, description }];
    const no = { flags: `--no-${kebabCase(setting.name)}`, description: `the contrary, over a settings file` };
    return [{ flags: flag, description }, no];
  });
}

function placeholder({ name, type }: SettingDescription): string {
  if (name === 'generator') return '<model or field=value,…>';
  if (name === 'from') return '<model>';
  if (type === 'fields') return '<field=value,…>';
  if (type === 'number') return '<number>';
  if (name === 'data' || name === 'out') return '<folder>';
  if (type === 'list') return '<names>';
  return type === 'choice' ? '<name>' : '<text>';
}

/** The settings among a command's options, converted; the words of a command line go over those of a file. */
export function settingsFromOptions(options: OptionValues, file: Record<string, unknown>): Record<string, unknown> {
  const words = describeSettings()
    .map(({ name }) => [name, options[name]] as const)
    .filter(([, word]) => word !== undefined);
  return { ...file, ...settingsFromWords(Object.fromEntries(words)) };
}
