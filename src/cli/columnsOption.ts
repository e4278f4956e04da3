/** The option that says which columns of a table are read. */
import { SettingsError } from '../errors/errors.js';
import type { OptionDefinition } from './command.js';

export const COLUMNS_OPTION: OptionDefinition = {
  flags: '--columns <role=name,…>',
  description:
    'which columns to read, such as text=Review,label=Stars; numbers from 0 for a CSV or TSV without a line of names. Default: the usual names.',
};

/** "text=Review,label=Stars" by role. */
export function columnsOf(word: string | boolean | undefined, roles: readonly string[]): Record<string, string> {
  if (typeof word !== 'string') return {};
  const pairs = word.split(',').map((pair) => /^\s*(\w+)\s*=\s*(.*\S)\s*$/.exec(pair));
  const isWrong = pairs.some((pair) => !pair || !roles.includes(pair[1]));
  if (!isWrong) return Object.fromEntries(pairs.map((pair) => [pair![1], pair![2]]));
  throw new SettingsError([
    `--columns is ${JSON.stringify(word)}; expected ${roles.join(', ')} with the names of columns, such as text=Review,label=Stars`,
  ]);
}
