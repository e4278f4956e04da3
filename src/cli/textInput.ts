/** The texts that a command is to work on: given as words, in a file, or on standard input. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text as readStream } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { reasonOf } from '../checkpoint/durableFileNode.js';
import { DataError, SettingsError } from '../errors.js';
import type { ArgumentDefinition, OptionDefinition, OptionValues } from './command.js';
import { commandText, shellQuoted } from './shellQuoted.js';

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
  return typeof file === 'string' ? readFile(file) : readStream(process.stdin);
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
  refuseUnquoted(words, commandLine);
  refuseNameOfFile(words, commandLine);
  if (given.length > 0 || !process.stdin.isTTY) return;
  const example = commandText([...commandLine, 'the chef cooked the meal']);
  throw new SettingsError([`there is no text; give one in quotes, or --file, or standard input:\n  ${example}`]);
}

const manyOf = (names: readonly string[]) => (names.length === 2 ? 'both' : 'all');

/** The command line with something else in place of the command's arguments. */
function instead(commandLine: readonly string[], words: readonly string[], replacement: readonly string[]): string {
  const places = placesOf(commandLine, words);
  const first = Math.min(...places);
  return commandText(commandLine.flatMap((word, i) => (i === first ? replacement : places.includes(i) ? [] : [word])));
}

/** Where the arguments stand in the command line, from the last to the first; a word behind a flag is most likely its value. */
function placesOf(commandLine: readonly string[], words: readonly string[]): number[] {
  let end = commandLine.length;
  return words.toReversed().map((word) => {
    const found = [...commandLine.keys()].filter((i) => i > 0 && i < end && commandLine[i] === word);
    end = found.findLast((i) => !commandLine[i - 1].startsWith('-')) ?? found.at(-1) ?? end - 1;
    return end;
  });
}

/** Without quotes, a shell makes a word of its own of each. */
function refuseUnquoted(words: readonly string[], commandLine: readonly string[]): void {
  if (words.length < 2) return;
  if (words.every(isFile)) {
    const all = words.map(shellQuoted).join(' ');
    const command = instead(commandLine, words, []);
    throw new SettingsError([
      `${words.length} files are given where a text is expected; read them one at a time with --file, or all of them:\n  cat ${all} | ${command}`,
    ]);
  }
  throw new SettingsError([
    `the text came as ${words.length} words; put it between quotes:\n  ${instead(commandLine, words, [words.join(' ')])}`,
  ]);
}

/** Endings by which a word is taken for the name of a file although there is none of that name here. */
const FILE_ENDING =
  /^[^\s<>[\]]+\.(?:txt|text|md|csv|tsv|jsonl?|gz|zip|parquet|html?|xml|pdf|docx?|rtf|odt|tex|srt|log)$/i;

function refuseNameOfFile([word]: readonly string[], commandLine: readonly string[]): void {
  if (word === undefined || word === '') return;
  const asText = `to take the name itself as the text:\n  ${instead(commandLine, [word], ['--text', word])}`;
  if (isFile(word)) {
    const command = instead(commandLine, [word], ['--file', word]);
    throw new SettingsError([
      `${word} is the name of a file, and a text is expected; to read the file:\n  ${command}\n${asText}`,
    ]);
  }
  if (statOf(word)?.isDirectory()) {
    const file = firstFileIn(word);
    const toRead = file ? `to read a file in it:\n  ${instead(commandLine, [word], ['--file', file])}\n` : '';
    throw new SettingsError([`${word} is the name of a folder, and a text is expected; ${toRead}${asText}`]);
  }
  if (FILE_ENDING.test(word)) {
    throw new SettingsError([
      `${word} looks like the name of a file, and there is none of that name here; read a file with --file, under its right name; ${asText}`,
    ]);
  }
}

function isFile(word: string): boolean {
  const found = statOf(word);
  return found !== undefined && !found.isDirectory();
}

function firstFileIn(folder: string): string | undefined {
  const names = readdirSync(folder).filter((name) => !name.startsWith('.'));
  return names.map((name) => join(folder, name)).find(isFile);
}

function statOf(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined; // longer than a name can be, or with a sign that none has: no file
  }
}

function readFile(path: string): string {
  let bytes: Uint8Array;
  try {
    bytes = unzipped(readFileSync(path));
  } catch (cause) {
    const advice = 'Give the name of one file of text';
    const found = statOf(path);
    const reason = found ? `cannot be read: ${reasonOf(cause)}` : 'does not exist';
    if (found?.isDirectory()) throw new DataError(`--file ${path} is a folder`, { subject: path, advice, cause });
    throw new DataError(`--file ${path} ${reason}`, { subject: path, advice, cause });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    const command = `iconv -f CP949 -t UTF-8 ${shellQuoted(path)} > ${shellQuoted(`${path}.utf8`)}`;
    const advice = `Convert it; if it is Korean from Windows, for instance:\n  ${command}`;
    throw new DataError(`--file ${path} is not UTF-8 text`, { subject: path, advice, cause });
  }
}

/** Gzip is told by its first two bytes, whatever the name. */
function unzipped(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
}
