/** What of a run's settings is not as it was when the run began. */
import { settingName } from './settingNames.js';

/**
 * One sentence for each setting that differs, with both values.
 * @param names  the settings to compare
 */
export function changedSettings<S extends object>(before: S, now: S, names: readonly (keyof S & string)[]): string[] {
  return names.flatMap((name) => changedValue(name, before[name], now[name]));
}

/** As `changedSettings`, of one value. */
export function changedValue(name: string, before: unknown, now: unknown): string[] {
  const [was, is] = [before, now].map((value) => JSON.stringify(value));
  return was === is ? [] : [`${settingName(name)} was ${was} when the run began and is ${is} now`];
}
