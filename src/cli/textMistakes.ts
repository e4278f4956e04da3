/**
 * What a text on the command line most likely is when it is none: the name of a file, or several words for want of quotes; and
 * the text that was given as a file's name. Each message shows the command that was meant.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SettingsError } from '../errors/errors.js';
import { commandText, shellQuoted } from './shellQuoted.js';

/**
 * @param words        the command's arguments: one, the text, or none
 * @param file         the value of `--file`
 * @param commandLine  all that was typed after `pleiad`
 * @param flag         the option that reads texts from a file. Default --file
 * @throws SettingsError when one of them is not what it should be
 */
export function refuseMistakenText(
  words: readonly string[],
  file: string | undefined,
  commandLine: readonly string[],
  flag = '--file',
): void {
  refuseUnquoted(words, commandLine, flag);
  refuseNameOfFile(words, commandLine, flag);
  if (file !== undefined) refuseTextAsFile(file, commandLine);
}

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
function refuseUnquoted(words: readonly string[], commandLine: readonly string[], flag: string): void {
  if (words.length < 2) return;
  if (words.every(isFile)) {
    const all = words.map(shellQuoted).join(' ');
    const command = instead(commandLine, words, []);
    throw new SettingsError([
      `${words.length} files are given where a text is expected; read them one at a time with ${flag}, or all of them:\n  cat ${all} | ${command}`,
    ]);
  }
  throw new SettingsError([
    `the text came as ${words.length} words; put it between quotes:\n  ${instead(commandLine, words, [words.join(' ')])}`,
  ]);
}

/** Endings by which a word is taken for the name of a file although there is none of that name here. */
const FILE_ENDING =
  /^[^\s<>[\]]+\.(?:txt|text|md|csv|tsv|jsonl?|gz|zip|parquet|html?|xml|pdf|docx?|rtf|odt|tex|srt|log)$/i;

function refuseNameOfFile([word]: readonly string[], commandLine: readonly string[], flag: string): void {
  if (word === undefined || word === '') return;
  const asText = `to take the name itself as the text:\n  ${instead(commandLine, [word], ['--text', word])}`;
  if (isFile(word)) {
    const command = instead(commandLine, [word], [flag, word]);
    throw new SettingsError([
      `${word} is the name of a file, and a text is expected; to read the file:\n  ${command}\n${asText}`,
    ]);
  }
  if (statOf(word)?.isDirectory()) {
    const file = firstFileIn(word);
    const toRead = file ? `to read a file in it:\n  ${instead(commandLine, [word], [flag, file])}\n` : '';
    throw new SettingsError([`${word} is the name of a folder, and a text is expected; ${toRead}${asText}`]);
  }
  if (FILE_ENDING.test(word)) {
    throw new SettingsError([
      `${word} looks like the name of a file, and there is none of that name here; read a file with ${flag}, under its right name; ${asText}`,
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

export function statOf(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined; // longer than a name can be, or with a sign that none has: no file
  }
}

/** Names of files may have spaces; what is no file and reads like a sentence is a text. */
function refuseTextAsFile(file: string, commandLine: readonly string[]): void {
  if (!/\S\s+\S/.test(file) || statOf(file)) return;
  const at = commandLine.findIndex((word) => word === '--file' || word === `--file=${file}`);
  if (at < 0) return;
  const width = commandLine[at] === '--file' ? 2 : 1;
  const command = commandText(commandLine.toSpliced(at, width, file));
  throw new SettingsError([
    `--file ${shellQuoted(file)} does not exist; a text is given without --file:\n  ${command}`,
  ]);
}
