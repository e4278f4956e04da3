/** Options made from a schema of settings: one flag a setting, so that nothing is declared twice. */
import { kebabCase } from '../settings/commandLine.js';
import { describeSettings, type SettingDescription, settingsFromWords } from '../settings/describeSettings.js';
import type { SettingsSchema } from '../settings/schema.js';
import type { OptionDefinition, OptionValues } from './command.js';
import { withFlags } from './flagNames.js';
import { groupOf, helpOrder, type SettingGroups } from './settingGroups.js';

/** Every setting, or those of a list, as a flag, in the order of the schema. */
export function settingsOptions(schema: SettingsSchema, names?: readonly string[]): OptionDefinition[] {
  const all = describeSettings(schema);
  const known = new Set<string>(all.map(({ name }) => name));
  return all.filter(({ name }) => !names || names.includes(name)).flatMap((setting) => optionsOf(setting, known));
}

/** Every setting as a flag, in groups, of which help shows the common settings alone. */
export function groupedSettingsOptions(schema: SettingsSchema, groups: SettingGroups): OptionDefinition[] {
  const all = describeSettings(schema);
  const inOrder = all.toSorted((a, b) => helpOrder(groups, a.name) - helpOrder(groups, b.name));
  const known = new Set<string>(inOrder.map(({ name }) => name));
  return inOrder.flatMap((setting) => {
    const group = groupOf(groups, setting.name);
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

/** What stands for the value in help, where the type alone would say too little. */
const PLACEHOLDERS: Readonly<Record<string, string>> = {
  generator: '<model|fields>',
  from: '<model>',
  time: '<duration>',
  data: '<folder>',
  train: '<files>',
  dev: '<files>',
  labels: '<names>',
  columns: '<role=name,…>',
  out: '<folder>',
};

const BY_TYPE: Readonly<Record<SettingDescription['type'], string>> = {
  fields: '<field=value,…>',
  number: '<number>',
  list: '<names>',
  choice: '<name>',
  text: '<text>',
  boolean: '',
};

function placeholder({ name, type }: SettingDescription): string {
  return PLACEHOLDERS[name] ?? BY_TYPE[type];
}

/** The settings among a command's options, converted; the words of a command line go over those of a file. */
export function settingsFromOptions(
  schema: SettingsSchema,
  options: OptionValues,
  file: Record<string, unknown>,
): Record<string, unknown> {
  return { ...file, ...settingsFromWords(schema, settingWords(schema, options)) };
}

/** The settings among a command's options, as they were typed. */
export function settingWords(schema: SettingsSchema, options: OptionValues): Record<string, string | boolean> {
  const words = describeSettings(schema).map(({ name }) => [name, options[name]] as const);
  return Object.fromEntries(words.filter(([, word]) => word !== undefined)) as Record<string, string | boolean>;
}
