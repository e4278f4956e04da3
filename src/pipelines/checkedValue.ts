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
    const known = objectOf(schema);
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
  let field: z.ZodType = schema;
  for (const key of path) {
    const inner = objectOf(field)?.shape[String(key)];
    if (inner) field = inner as z.ZodType;
  }
  return field.description ?? expectation(field);
}

/** The object that a schema is, or of a choice the one among its options. */
function objectOf(schema: z.ZodType): z.ZodObject | undefined {
  if (schema instanceof z.ZodObject) return schema;
  if (schema instanceof z.ZodOptional) return objectOf(schema.unwrap() as z.ZodType);
  return schema instanceof z.ZodUnion
    ? (schema.options.find((option) => option instanceof z.ZodObject) as z.ZodObject | undefined)
    : undefined;
}
