/** The texts that a command is to work on: given as words, in a file, or on standard input. */
import { text as readStream } from 'node:stream/consumers';
import { DataError, SettingsError } from '../errors/errors.js';
import type { ArgumentDefinition, OptionDefinition, OptionValues } from './command.js';
import { commandText } from './shellQuoted.js';
import { readTextFile } from './textFile.js';
import { refuseMistakenText } from './textMistakes.js';

export const TEXT_ARGUMENT: ArgumentDefinition = {
  name: '[text]',
  description: 'the text, in quotes; without it and --file, standard input is read',
  keepsRest: true,
};

export const FILE_OPTION: OptionDefinition = {
  flags: '--file <path>',
  description: 'read the text from a file, which may be gzipped',
};
export const TEXT_OPTION: OptionDefinition = {
  flags: '--text <text>',
  description: 'the text, for one that is also the name of a file or begins with a dash',
};

export const TEXT_OPTIONS: readonly OptionDefinition[] = [
  FILE_OPTION,
  TEXT_OPTION,
  { flags: '--lines', description: 'take every line that is not blank as a text of its own' },
];

/**
 * @param words        the command's arguments: one, the text
 * @param commandLine  all that was typed after `pleiad`, for the commands that messages propose
 * @throws SettingsError when the text is given twice, unquoted, or as the name of a file, or when there is none and standard
 *                       input is a terminal
 * @throws DataError when the file cannot be read, or there is no word in the text
 */
export async function readTexts(
  words: readonly string[],
  options: OptionValues,
  commandLine: readonly string[] = process.argv.slice(2),
): Promise<string[]> {
  const text = await readText(words, options, commandLine);
  if (text.trim() === '') throw noText(words, options);
  if (!options.lines) return [text];
  return text.split(/\r?\n/).filter((line) => line.trim() !== '');
}

/** Nothing would come of it, which looks like a result. */
function noText(words: readonly string[], { file, text }: OptionValues): DataError {
  const isGiven = words.length > 0 || text !== undefined;
  const source = typeof file === 'string' ? `--file ${file}` : isGiven ? 'the text' : 'standard input';
  return new DataError(`${source} is empty`, {
    subject: source,
    expected: 'at least one word',
    advice: isGiven ? 'Give a text of at least one word' : 'Give a text in quotes, or --file',
  });
}

async function readText(
  words: readonly string[],
  options: OptionValues,
  commandLine: readonly string[],
): Promise<string> {
  checkText(words, options, commandLine);
  const { file, text } = options;
  if (typeof text === 'string') return text;
  if (words.length > 0) return words[0];
  return typeof file === 'string' ? readTextFile('--file', file) : readStream(process.stdin);
}

/**
 * What can be said of a text before it is read, for commands that report it with what else is wrong.
 * @throws SettingsError as `readTexts`
 */
export function checkText(
  words: readonly string[],
  { file, text }: OptionValues,
  commandLine: readonly string[] = process.argv.slice(2),
): void {
  const given = [...(words.length > 0 ? ['a text'] : []), ...(text === undefined ? [] : ['--text'])];
  if (file !== undefined) given.push('--file');
  if (given.length > 1) throw new SettingsError([`${given.join(' and ')} are ${manyOf(given)} given; give one`]);
  refuseMistakenText(words, typeof file === 'string' ? file : undefined, commandLine);
  if (given.length > 0 || !process.stdin.isTTY) return;
  const example = commandText([...commandLine, 'the chef cooked the meal']);
  throw new SettingsError([`there is no text; give one in quotes, or --file, or standard input:\n  ${example}`]);
}

const manyOf = (names: readonly string[]) => (names.length === 2 ? 'both' : 'all');
