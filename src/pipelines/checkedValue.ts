/** Values held against a schema, and what is wrong with them in our words: name, value, expectation. */
import { z } from 'zod';
import { expectation, shownValue } from '../settings/expectation.js';
import { settingName } from '../settings/settingNames.js';

/**
 * @param name  of the value itself, in messages; its fields go by their own names
 * @param wrong  makes the error of all problems
 */
export function checkedValue<T>(
  schema: z.ZodType<T>,
  value: unknown,
  name: string,
  wrong: (problems: string[]) => Error,
): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.flatMap((issue) => problemsOf(issue, schema, value, name));
  throw wrong([...new Set(problems)]);
}

function problemsOf(issue: z.core.$ZodIssue, schema: z.ZodType, value: unknown, name: string): string[] {
  if (issue.code === 'unrecognized_keys') {
    const known = objectOf(typeAt(schema, issue.path));
    const others = known ? `; expected ${Object.keys(known.shape).join(', ')}` : '';
    return issue.keys.map((key) => `there is no ${settingName(key)}${others}`);
  }
  const found = issue.path.reduce<unknown>((within, key) => (within as Record<PropertyKey, unknown>)?.[key], value);
  const at = issue.path.length === 0 ? name : settingName(issue.path.join('.'));
  const is = found === undefined ? 'is missing' : `is ${shownValue(found)}`;
  return [`${at} ${is}; expected ${expectedAt(schema, issue.path)}`];
}

/** A description says more than a type does. */
function expectedAt(schema: z.ZodType, path: readonly PropertyKey[]): string {
  const field = typeAt(schema, path);
  return field.description ?? expectation(field);
}

/** The type at a place within a value, as far as the schema says. */
function typeAt(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodType {
  let field = unwrapped(schema);
  for (const key of path) {
    const inner = objectOf(field)?.shape[String(key)] ?? elementOf(field);
    if (inner) field = unwrapped(inner as z.ZodType);
  }
  return field;
}

/** What is described is the type itself, whether it may be left out or not. */
function unwrapped(schema: z.ZodType): z.ZodType {
  const isWrapped = schema instanceof z.ZodOptional || schema instanceof z.ZodNullable;
  return isWrapped && schema.description === undefined ? unwrapped(schema.unwrap() as z.ZodType) : schema;
}

/** The object that a schema is, or of a choice the one among its options. */
function objectOf(schema: z.ZodType): z.ZodObject | undefined {
  return found(schema, (each) => (each instanceof z.ZodObject ? each : undefined));
}

function elementOf(schema: z.ZodType): z.ZodType | undefined {
  return found(schema, (each) => (each instanceof z.ZodArray ? (each.element as z.ZodType) : undefined));
}

function found<T>(schema: z.ZodType, look: (schema: z.ZodType) => T | undefined): T | undefined {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable)
    return found(schema.unwrap() as z.ZodType, look);
  if (!(schema instanceof z.ZodUnion)) return look(schema);
  for (const option of schema.options) {
    const inner = found(option as z.ZodType, look);
    if (inner) return inner;
  }
  return undefined;
}
