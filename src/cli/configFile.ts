/** Settings files, YAML or JSON. */
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { parseDocument } from 'yaml';
import { SettingsError } from '../errors/errors.js';

/** Why a file could not be read. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EISDIR: 'is a folder',
  EACCES: 'cannot be read: permission was denied',
};
const EXPECTED = 'expected a YAML or JSON file of settings, such as "steps: 10000"';

/** @throws SettingsError naming the file when it cannot be read or does not hold names and values */
export function readConfigFile(path: string | boolean | undefined): Record<string, unknown> {
  if (typeof path !== 'string') return {};
  const refuse = (problem: string) => new SettingsError([`--config ${path} ${problem}; ${EXPECTED}`]);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    const { code = '', message } = cause as NodeJS.ErrnoException;
    throw refuse(REASONS[code] ?? `cannot be read: ${message}`);
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw refuse('is not UTF-8 text');
  }
  const value = parse(text, extname(path).toLowerCase() === '.json', refuse);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw refuse(`holds ${kindOf(value)}`);
}

function parse(text: string, isJson: boolean, refuse: (problem: string) => SettingsError): unknown {
  const firstLine = (message: string) => message.split('\n')[0].replace(/[.:]+$/, '');
  if (isJson) {
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw refuse(`is not JSON (${firstLine((cause as Error).message)})`);
    }
  }
  const document = parseDocument(text);
  try {
    if (document.errors.length === 0) return document.toJS();
  } catch (cause) {
    throw refuse(`is not YAML (${firstLine((cause as Error).message)})`); // too many aliases
  }
  const [{ code, message }] = document.errors;
  throw refuse(code === 'MULTIPLE_DOCS' ? 'holds several documents' : `is not YAML (${firstLine(message)})`);
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  const word = JSON.stringify(value);
  return `only ${word.length > 40 ? `${word.slice(0, 40)}…` : word}`;
}
