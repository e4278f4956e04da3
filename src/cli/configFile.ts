/** Settings files, YAML or JSON. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { SettingsError } from '../errors.js';

/** @throws SettingsError when the file cannot be read or does not hold names and values */
export function readConfigFile(path: string | boolean | undefined): Record<string, unknown> {
  if (typeof path !== 'string') return {};
  let value: unknown;
  try {
    // JSON is YAML too.
    value = parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new SettingsError([`--config ${path}: ${(cause as Error).message}`]);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new SettingsError([
    `--config ${path} holds ${value === null ? 'nothing' : 'no names'}; expected settings such as "steps: 10000"`,
  ]);
}
