/** The texts that a command is to work on: given as words, in a file, or on standard input. */
import { text as readStream } from 'node:stream/consumers';
import { SettingsError } from '../errors.js';
import type { ArgumentDefinition, OptionDefinition, OptionValues } from './command.js';
import { readTextFile } from './textFile.js';

export const TEXT_ARGUMENT: ArgumentDefinition = {
  name: '[text]',
  description: 'the text; without it and --file, standard input is read',
};

export const TEXT_OPTIONS: readonly OptionDefinition[] = [
  { flags: '--file <path>', description: 'read the text from a file' },
  { flags: '--lines', description: 'take every line that is not blank as a text of its own' },
];

/**
 * @throws SettingsError when a text and a file are both given, or there is neither and standard input is a terminal
 * @throws DataError when the file cannot be read
 */
export async function readTexts(words: readonly string[], options: OptionValues): Promise<string[]> {
  const text = await readText(words, options);
  if (!options.lines) return [text];
  return text.split(/\r?\n/).filter((line) => line.trim() !== '');
}

async function readText([text]: readonly string[], { file }: OptionValues): Promise<string> {
  if (text !== undefined && file !== undefined) throw new SettingsError(['a text and --file are both given; give one']);
  if (text !== undefined) return text;
  if (typeof file === 'string') return readTextFile('--file', file);
  if (process.stdin.isTTY) throw new SettingsError(['there is no text; give one, --file, or standard input']);
  return readStream(process.stdin);
}
