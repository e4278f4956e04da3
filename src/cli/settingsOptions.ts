/** Options made from the settings schema: one flag a setting, so that nothing is declared twice. */

import {
  describeSettings,
  type SettingDescription,
  type SettingName,
  settingsFromWords,
} from '../pretraining/settings.js';
import { kebabCase } from '../settings/commandLine.js';
import type { OptionDefinition, OptionValues } from './command.js';
import { withFlags } from './flagNames.js';
import { groupOf, helpOrder } from './settingGroups.js';

/** Every setting, or those of a list, as a flag, in the order of the schema. */
export function settingsOptions(names?: readonly SettingName[]): OptionDefinition[] {
  const all = describeSettings();
  const known = new Set<string>(all.map(({ name }) => name));
  return all.filter(({ name }) => !names || names.includes(name)).flatMap((setting) => optionsOf(setting, known));
}

/** Every setting as a flag, in groups, of which help shows the common settings alone. */
export function groupedSettingsOptions(): OptionDefinition[] {
  const inOrder = describeSettings().toSorted((a, b) => helpOrder(a.name) - helpOrder(b.name));
  const known = new Set<string>(inOrder.map(({ name }) => name));
  return inOrder.flatMap((setting) => {
    const group = groupOf(setting.name);
    const options = optionsOf(setting, known);
    return group === undefined ? options : options.map((option) => ({ shownBy: 'all', ...option, group }));
  });
}

function optionsOf(setting: SettingDescription, known: ReadonlySet<string>): OptionDefinition[] {
  const flag = `--${kebabCase(setting.name)}`;
  // Choices are checked with all other settings, so that one message names everything that is wrong.
  const choices = setting.choices ? ` One of ${setting.choices.join(', ')}.` : '';
  const description = withFlags(setting.description, known) + choices;
  if (setting.type !== 'boolean') return [{ flags: `${flag} ${placeholder(setting)}`, description }];
  const no = `--no-${kebabCase(setting.name)}`;
  // What is off by default needs its "no" only over a settings file that has it on, where nobody looks for it in help.
  const isOff = !setting.description.includes('Default true');
  return [
    { flags: flag, description },
    { flags: no, description: `Turns ${flag} off.`, ...(isOff && { shownBy: 'never' }) },
  ];
}

function placeholder({ name, type }: SettingDescription): string {
  if (name === 'generator') return '<model|fields>';
  if (name === 'from') return '<model>';
  if (name === 'time') return '<duration>';
  if (type === 'fields') return '<field=value,…>';
  if (type === 'number') return '<number>';
  if (name === 'data' || name === 'out') return '<folder>';
  if (type === 'list') return '<names>';
  return type === 'choice' ? '<name>' : '<text>';
}

/** The settings among a command's options, converted; the words of a command line go over those of a file. */
export function settingsFromOptions(options: OptionValues, file: Record<string, unknown>): Record<string, unknown> {
  return { ...file, ...settingsFromWords(settingWords(options)) };
}

/** The settings among a command's options, as they were typed. */
export function settingWords(options: OptionValues): Record<string, string | boolean> {
  const words = describeSettings().map(({ name }) => [name, options[name]] as const);
  return Object.fromEntries(words.filter(([, word]) => word !== undefined)) as Record<string, string | boolean>;
}
