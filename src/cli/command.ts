/** What a command is: its arguments declared as data, and a function that calls the library. */
import { Command, Option } from 'commander';
import type { Output } from './output.js';

export interface ArgumentDefinition {
  /** As commander writes it: `<files...>`, `[text]`. */
  readonly name: string;
  readonly description: string;
}

export interface OptionDefinition {
  /** As commander writes it: `--size <number>`. Two entries `--cased` and `--no-cased` make a switch with both forms. */
  readonly flags: string;
  readonly description: string;
  readonly choices?: readonly string[];
}

/** Options as given, by name in camelCase; words are not converted yet. */
export type OptionValues = Readonly<Record<string, string | boolean | undefined>>;

export interface CommandContext {
  readonly output: Output;
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
  run(words: readonly string[], options: OptionValues, context: CommandContext): Promise<CommandResult>;
}

export const EXIT = { success: 0, failure: 1, usage: 2, interrupted: 130 } as const;

/** Every command has these. */
const COMMON_OPTIONS: readonly OptionDefinition[] = [
  { flags: '--json', description: 'progress on standard error, one JSON object as the last line of standard output' },
  { flags: '--verbose', description: 'show where an unexpected error came from' },
];

/** Declares a command to commander; `onRun` is called when it was chosen. */
export function toCommander(
  definition: CommandDefinition,
  onRun: (words: string[], options: OptionValues) => Promise<void>,
): Command {
  const command = new Command(definition.name).description(definition.summary);
  for (const { name, description } of definition.arguments ?? []) command.argument(name, description);
  for (const { flags, description, choices } of [...definition.options, ...COMMON_OPTIONS]) {
    const option = new Option(flags, description);
    command.addOption(choices ? option.choices([...choices]) : option);
  }
  if (definition.examples)
    command.addHelpText('after', `\nExamples:\n${definition.examples.map((line) => `  ${line}\n`).join('')}`);
  return command.action((...all: unknown[]) => {
    const words = all.slice(0, -2).flatMap((word) => (Array.isArray(word) ? word : word === undefined ? [] : [word]));
    return onRun(words as string[], all.at(-2) as OptionValues);
  });
}
