/** Words of a command line as numbers, and numbers as words for people. */
import { SettingsError } from '../errors/errors.js';

/** A whole number of at least `least`, or undefined when the option was not given. */
export function wholeNumber(flag: string, word: string | boolean | undefined, least: number): number | undefined {
  if (word === undefined) return undefined;
  const value = Number(word);
  if (typeof word === 'string' && word.trim() !== '' && Number.isInteger(value) && value >= least) return value;
  throw new SettingsError([`${flag} is ${JSON.stringify(word)}; expected a whole number from ${least}`]);
}

/** A number from 0 to below 1, or undefined when the option was not given. */
export function fractionBelowOne(flag: string, word: string | boolean | undefined): number | undefined {
  if (word === undefined) return undefined;
  const value = Number(word);
  if (typeof word === 'string' && word.trim() !== '' && value >= 0 && value < 1) return value;
  throw new SettingsError([`${flag} is ${JSON.stringify(word)}; expected a number from 0 to below 1`]);
}

/** A number above `least`, and up to `most` where there is one, or undefined when the option was not given. */
export function numberAbove(
  flag: string,
  word: string | boolean | undefined,
  least: number,
  most = Infinity,
): number | undefined {
  if (word === undefined) return undefined;
  const value = Number(word);
  if (typeof word === 'string' && Number.isFinite(value) && value > least && value <= most) return value;
  const upTo = most === Infinity ? '' : `, up to ${most}`;
  throw new SettingsError([`${flag} is ${JSON.stringify(word)}; expected a number above ${least}${upTo}`]);
}

/** Any number, or undefined when the option was not given. */
export function anyNumber(flag: string, word: string | boolean | undefined): number | undefined {
  if (word === undefined) return undefined;
  const value = Number(word);
  if (typeof word === 'string' && word.trim() !== '' && Number.isFinite(value)) return value;
  throw new SettingsError([`${flag} is ${JSON.stringify(word)}; expected a number`]);
}

/** Checks several options and reports all that are wrong at once. */
export function collectProblems<T extends Record<string, () => unknown>>(
  checks: T,
): { [K in keyof T]: ReturnType<T[K]> } {
  const problems: string[] = [];
  const values = Object.entries(checks).map(([name, check]) => {
    try {
      return [name, check()];
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      problems.push(...error.problems);
      return [name, undefined];
    }
  });
  if (problems.length) throw new SettingsError(problems);
  return Object.fromEntries(values);
}

/** 1234567 → "1,234,567". */
export function grouped(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

/** Milliseconds as "45 s", "3 min 5 s", "2 h 10 min". */
export function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
