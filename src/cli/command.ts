/** What a command is: its arguments declared as data, and a function that calls the library. */
import { Command, Help, Option } from 'commander';
import { SettingsError } from '../errors/errors.js';
import type { Output } from './output.js';

export interface ArgumentDefinition {
  /** As commander writes it: `<files...>`, `[text]`. */
  readonly name: string;
  readonly description: string;
  /** Whether further words are handed on, for the command to say what is wrong with them. */
  readonly keepsRest?: boolean;
}

export interface OptionDefinition {
  /** As commander writes it: `--size <number>`. Two entries `--cased` and `--no-cased` make a switch with both forms. */
  readonly flags: string;
  readonly description: string;
  readonly choices?: readonly string[];
  /** The heading that help shows it under. Default "Options". */
  readonly group?: string;
  /** `all`: only `--help-all` shows it. `never`: no help does, for what explains itself by another option. */
  readonly shownBy?: 'help' | 'all' | 'never';
}

/** Options as given, by name in camelCase; words are not converted yet. */
export type OptionValues = Readonly<Record<string, string | boolean | undefined>>;

/** Values of options that take several words: `--file <paths...>`. */
export type OptionLists = Readonly<Record<string, readonly string[]>>;

export interface CommandContext {
  readonly output: Output;
  /** Default none. */
  readonly lists?: OptionLists;
}

export interface CommandResult {
  /** The JSON object of `--json`; without one, nothing is said. */
  readonly json?: object;
  /** 0 by default. */
  readonly exitCode?: number;
}

export interface CommandDefinition {
  readonly name: string;
  readonly summary: string;
  readonly arguments?: readonly ArgumentDefinition[];
  readonly options: readonly OptionDefinition[];
  /** Lines shown under the help text. */
  readonly examples?: readonly string[];
  /** Settings of the library whose flag has another name than theirs, as `{ masking: '--scheme' }`. */
  readonly flagNames?: Readonly<Record<string, string>>;
  run(words: readonly string[], options: OptionValues, context: CommandContext): Promise<CommandResult>;
}

export const EXIT = { success: 0, failure: 1, usage: 2, interrupted: 130 } as const;

/** Every command has these. */
const COMMON_OPTIONS: readonly OptionDefinition[] = [
  { flags: '--json', description: 'progress on standard error, one JSON object as the last line of standard output' },
  { flags: '--verbose', description: 'show where an unexpected error came from' },
];

/**
 * Declares a command to commander; `onRun` is called when it was chosen.
 * @param showsAll  whether its help shows every option, for `--help-all`
 */
export function toCommander(
  definition: CommandDefinition,
  onRun: (words: string[], options: OptionValues, lists: OptionLists) => Promise<void>,
  { showsAll = false }: { showsAll?: boolean } = {},
): Command {
  const command = new Command(definition.name).description(definition.summary);
  for (const { name, description } of definition.arguments ?? []) command.argument(name, description);
  const options = [...definition.options, ...COMMON_OPTIONS];
  for (const option of options) command.addOption(toOption(option));
  const more = showsAll ? [] : options.filter(({ shownBy }) => shownBy === 'all').map(({ flags }) => flags);
  showHelpWithout(command, new Set(more));
  command.addHelpText('after', () => afterHelp(definition, more.length > 0));
  // Words too many are for the command to refuse: it knows what they were meant to be.
  return command.allowExcessArguments().action(() => {
    const given = Object.entries(command.opts<Record<string, unknown>>());
    const lists = Object.fromEntries(given.filter(([, value]) => Array.isArray(value))) as OptionLists;
    const values = Object.fromEntries(given.filter(([, value]) => !Array.isArray(value))) as OptionValues;
    return onRun(command.args, values, lists);
  });
}

function toOption({ flags, description, choices, group, shownBy }: OptionDefinition): Option {
  const option = new Option(flags, description);
  if (choices) option.choices([...choices]);
  if (group) option.helpGroup(`${group}:`);
  return option.hideHelp(shownBy === 'never');
}

/** Options that help leaves out, and that a misspelt one is still compared with, unlike commander's hidden options. */
function showHelpWithout(command: Command, flags: ReadonlySet<string>): void {
  command.configureHelp({
    formatHelp(of, helper) {
      const options = helper.visibleOptions(of).filter((option) => !flags.has(option.flags));
      helper.visibleOptions = () => options;
      return new Help().formatHelp.call(helper, of, helper);
    },
  });
}

/** @throws SettingsError when there are more words than the command has arguments */
export function refuseExcess(definition: CommandDefinition, words: readonly string[]): void {
  const { name, arguments: declared = [], examples = [] } = definition;
  const takesAny = declared.some((argument) => argument.keepsRest || argument.name.includes('...'));
  if (takesAny || words.length <= declared.length) return;
  const given = words.slice(declared.length).map((word) => JSON.stringify(word));
  const takes = declared.length === 0 ? 'options only' : declared.map((argument) => argument.name).join(' ');
  const example = examples.length > 0 ? `, for instance:\n  ${examples[0]}` : '';
  throw new SettingsError([
    `${given.join(', ')} ${given.length === 1 ? 'is' : 'are'} too much: pleiad ${name} takes ${takes}${example}`,
  ]);
}

function afterHelp({ name, examples = [] }: CommandDefinition, hasMore: boolean): string {
  const more = hasMore ? `\nAll options: pleiad ${name} --help-all\n` : '';
  return `${more}${examples.length > 0 ? '\nExamples:\n' : ''}${examples.map((line) => `  ${line}\n`).join('')}`;
}
