/** Settings as a command line and forms show them, read off a schema, and the words of a command line as values. */
import { z } from 'zod';
import { innerType, type SettingsSchema } from './schema.js';

export interface SettingDescription<N extends string = string> {
  readonly name: N;
  readonly description: string;
  /** `list`: one or several of the choices, separated by commas on a command line. */
  readonly type: 'text' | 'number' | 'boolean' | 'choice' | 'list' | 'fields';
  readonly choices?: readonly string[];
}

/** Every setting, in the order of the schema. */
export function describeSettings<S extends SettingsSchema>(schema: S): SettingDescription<keyof S['shape'] & string>[] {
  const names = Object.keys(schema.shape) as (keyof S['shape'] & string)[];
  return names.map((name) => {
    const field = schema.shape[name] as z.ZodType;
    const inner = innerType(field);
    const description = field.description ?? inner.description ?? '';
    if (inner instanceof z.ZodEnum) return { name, description, type: 'choice', choices: inner.options.map(String) };
    if (inner instanceof z.ZodArray && inner.element instanceof z.ZodEnum) {
      return { name, description, type: 'list', choices: inner.element.options.map(String) };
    }
    if (inner instanceof z.ZodBoolean) return { name, description, type: 'boolean' };
    if (inner instanceof z.ZodNumber) return { name, description, type: 'number' };
    return { name, description, type: isText(inner) ? 'text' : 'fields' };
  });
}

/** A text, or texts with commas between, which the schema parts. */
function isText(type: z.ZodType): boolean {
  return type instanceof z.ZodString || (type instanceof z.ZodArray && type.element instanceof z.ZodString);
}

/**
 * Turns the words of a command line into values: "5e-4" where a number is expected, "true", and "hiddenSize=64,…" for
 * settings with fields. What cannot be turned stays a word, for the schema to complain about.
 */
export function settingsFromWords(
  schema: SettingsSchema,
  words: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const types = new Map(describeSettings(schema).map(({ name, type }) => [name, type]));
  return Object.fromEntries(Object.entries(words).map(([name, word]) => [name, fromWord(word, types.get(name))]));
}

function fromWord(word: unknown, type: SettingDescription['type'] | undefined): unknown {
  if (typeof word !== 'string') return word;
  if (type === 'number') return numberOr(word);
  if (type === 'boolean') return word === 'true' ? true : word === 'false' ? false : word;
  if (type === 'fields' && FIELDS.test(word)) {
    return Object.fromEntries(
      word.split(',').map((pair) => [pair.split('=')[0].trim(), numberOr(pair.split('=')[1] ?? '')]),
    );
  }
  return word;
}

/** "hiddenSize=64,…"; a folder's name may have a "=" too, after other signs than these. */
const FIELDS = /^\s*\w*\s*=/;

function numberOr(word: string): number | string {
  return word.trim() !== '' && Number.isFinite(Number(word)) ? Number(word) : word;
}
