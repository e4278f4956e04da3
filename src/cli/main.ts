#!/usr/bin/env node
/**
 * The command line: finds the command, loads its file, runs it, and turns what happens into an exit code: 0 success,
 * 1 the work failed, 2 bad usage, 130 interrupted.
 */
import { Command, CommanderError } from 'commander';
import { PleiadError, SettingsError } from '../errors/errors.js';
import { reasonOf } from '../files/durableFile.node.js';
import { nameSettingsBy } from '../settings/settingNames.js';
import { VERSION } from '../version.js';
import {
  type CommandContext,
  type CommandDefinition,
  EXIT,
  type OptionLists,
  type OptionValues,
  refuseExcess,
  toCommander,
} from './command.js';
import { flagWording } from './flagNames.js';
import { Output } from './output.js';

/** Only the command that is called is loaded: `pleiad --help` needs neither an engine nor a schema. */
const COMMANDS: Readonly<Record<string, { summary: string; load(): Promise<CommandDefinition> }>> = {
  vocab: {
    summary: 'train a WordPiece vocabulary on text',
    load: async () => (await import('./commands/vocab.js')).vocab,
  },
  prepare: {
    summary: 'turn text into token shards',
    load: async () => (await import('./commands/prepare.js')).prepare,
  },
  pretrain: {
    summary: 'pre-train a model on token shards',
    load: async () => (await import('./commands/pretrain.js')).pretrain,
  },
  finetune: {
    summary: 'fine-tune an encoder for a task, such as text classification',
    load: async () => (await import('./commands/finetune.js')).finetune,
  },
  check: {
    summary: 'look at the data, the cost and the likely mistakes of a fine-tuning before it runs',
    load: async () => (await import('./commands/check.js')).check,
  },
  detect: {
    summary: 'say which tokens of a text look replaced',
    load: async () => (await import('./commands/detect.js')).detect,
  },
  proofread: {
    summary: 'list the words of texts that do not seem to belong there, with what could',
    load: async () => (await import('./commands/proofread.js')).proofread,
  },
  classify: {
    summary: 'say which label texts have, or the rows of a table',
    load: async () => (await import('./commands/classify.js')).classify,
  },
  tag: {
    summary: 'find the parts of a text that have a label, such as names',
    load: async () => (await import('./commands/tag.js')).tag,
  },
  'fill-mask': {
    summary: 'say what could stand where a text has [MASK]',
    load: async () => (await import('./commands/fillMask.js')).fillMask,
  },
  embed: {
    summary: 'turn texts into vectors, or rank them by how near they are to one',
    load: async () => (await import('./commands/embed.js')).embed,
  },
  ask: {
    summary: 'find the answer to a question in a text',
    load: async () => (await import('./commands/ask.js')).ask,
  },
  tokenize: {
    summary: 'show the tokens of a text, their ids and places',
    load: async () => (await import('./commands/tokenize.js')).tokenize,
  },
  corrupt: {
    summary: "show ELECTRA's idea on a text: masked, filled by the generator, doubted by the discriminator",
    load: async () => (await import('./commands/corrupt.js')).corrupt,
  },
  mask: {
    summary: 'show what a masking scheme does to a text',
    load: async () => (await import('./commands/mask.js')).mask,
  },
  'fill-span': {
    summary: 'say what could stand in a gap of several word pieces',
    load: async () => (await import('./commands/fillSpan.js')).fillSpan,
  },
  'score-span': {
    summary: 'say how well the tokens beside a span predict it',
    load: async () => (await import('./commands/scoreSpan.js')).scoreSpan,
  },
  evaluate: {
    summary: 'measure a model on held-out data',
    load: async () => (await import('./commands/evaluate.js')).evaluate,
  },
  serve: {
    summary: 'put models behind a port, for clients that exist',
    load: async () => (await import('./commands/serve.js')).serve,
  },
  share: {
    summary: 'write a model as one page that opens from disk and computes there',
    load: async () => (await import('./commands/share.js')).share,
  },
  studio: {
    summary: 'open Pleiad Studio: play with models, and watch them learn, in a browser',
    load: async () => (await import('./commands/studio.js')).studio,
  },
  download: {
    summary: 'fetch a model from the hub',
    load: async () => (await import('./commands/download.js')).download,
  },
  convert: {
    summary: 'write any checkpoint as a model folder, with an account of every tensor',
    load: async () => (await import('./commands/convert.js')).convert,
  },
  prune: {
    summary: 'make a model smaller by leaving out word pieces that a text never needs',
    load: async () => (await import('./commands/prune.js')).prune,
  },
  export: {
    summary: 'write a model as ONNX, for transformers.js and others',
    load: async () => (await import('./commands/export.js')).exportCommand,
  },
  info: {
    summary: 'show versions, the engine, and what a model is',
    load: async () => (await import('./commands/info.js')).info,
  },
};

/** As `--help`, with the options that it leaves out. */
const HELP_ALL = '--help-all';

/** @returns the exit code */
async function main(given: readonly string[]): Promise<number> {
  const showsAll = given.includes(HELP_ALL);
  const words = given.map((word) => (word === HELP_ALL ? '--help' : word));
  const output = new Output({ json: words.includes('--json') });
  let exitCode: number = EXIT.success;
  const program = withOurErrors(new Command('pleiad'))
    .description('Pre-trains, evaluates and serves ELECTRA and SpanBERT text encoders.')
    .version(VERSION, '-V, --version', 'show the version')
    .helpCommand('help [command]', 'show the help of a command')
    .showHelpAfterError('The commands: pleiad --help');
  const called = words.find((word) => Object.hasOwn(COMMANDS, word));
  for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
    if (name !== called) {
      program.command(name).summary(summary).description(summary);
      continue;
    }
    const definition = await load();
    const run = async (rest: string[], options: OptionValues, lists: OptionLists) => {
      exitCode = await runCommand(definition, rest, options, { output, lists });
    };
    const command = withOurErrors(toCommander(definition, run, { showsAll })).summary(summary);
    const [example] = definition.examples ?? [];
    const hint = `${example ? `For instance: ${example}\n` : ''}Its options: pleiad ${name} --help`;
    program.addCommand(command.showHelpAfterError(hint));
  }
  try {
    refuseHelpOfNothing(words);
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const isHelp = error.code === 'commander.helpDisplayed' || error.code === 'commander.version';
    // Commander has printed its message; no command at all is bad usage too.
    if (isHelp || (error.code === 'commander.help' && words[0] === 'help')) return EXIT.success;
    output.json({ error: { name: 'UsageError', message: error.message } });
    return EXIT.usage;
  }
  return exitCode;
}

/** Commander answers `help nonsense` with the help of everything. */
function refuseHelpOfNothing(words: readonly string[]): void {
  const [first, name] = words;
  if (first !== 'help' || name === undefined || name.startsWith('-') || Object.hasOwn(COMMANDS, name)) return;
  const message = `unknown command '${name}'. The commands: pleiad --help`;
  process.stderr.write(`pleiad: ${message}\n`);
  throw new CommanderError(EXIT.usage, 'commander.unknownCommand', message);
}

/** Commander's own errors begin as ours do. */
function withOurErrors(command: Command): Command {
  return command
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'pleiad: ')) });
}

async function runCommand(
  definition: CommandDefinition,
  words: readonly string[],
  options: OptionValues,
  context: CommandContext,
): Promise<number> {
  const { output } = context;
  const own = new Set(definition.options.map((option) => option.flags.split(' ')[0]));
  nameSettingsBy(flagWording({ flags: definition.flagNames, own }));
  try {
    refuseExcess(definition, words);
    const { json, exitCode = EXIT.success } = await definition.run(words, options, context);
    if (json) output.json(json);
    return exitCode;
  } catch (error) {
    return reportFailure(error, output, options.verbose === true || Boolean(process.env.DEBUG));
  }
}

function reportFailure(error: unknown, output: Output, verbose: boolean): number {
  const known = error instanceof PleiadError;
  const message = error instanceof Error ? error.message : String(error);
  output.note(`pleiad: ${known || verbose ? message : `unexpected error: ${message} (--verbose shows where)`}`);
  if (verbose && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  output.json({
    error: known ? { ...error, name: error.name, message, cause: undefined } : { name: 'Error', message },
  });
  return error instanceof SettingsError ? EXIT.usage : EXIT.failure;
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that closes the pipe early (`| head`) has seen enough.
  if (error.code === 'EPIPE') process.exit(EXIT.success);
  process.stderr.write(
    `pleiad: standard output could not be written: ${reasonOf(error)}. Send it elsewhere, then run the same command again\n`,
  );
  process.exit(EXIT.failure);
});
// Progress that nobody can read is no reason to stop the work.
process.stderr.on('error', () => {});
process.exitCode = await main(process.argv.slice(2));
