/** What a schema of settings says of its fields. A setting may have fields of its own, as `model` has `hiddenSize`. */
import { z } from 'zod';

/** Settings by name: what is not among them is refused. */
export type SettingsSchema = z.ZodObject;

/** The type behind defaults, `optional()` and preprocessing. */
export function innerType(field: z.ZodType): z.ZodType {
  if (field instanceof z.ZodPipe) return innerType(field.out as z.ZodType);
  return field instanceof z.ZodDefault || field instanceof z.ZodOptional
    ? innerType(field.unwrap() as z.ZodType)
    : field;
}

/** The fields of a setting, by name; undefined where it has none. */
export function fieldsOf(
  schema: SettingsSchema,
  setting: PropertyKey,
): Readonly<Record<string, z.ZodType>> | undefined {
  const field = schema.shape[String(setting)] as z.ZodType | undefined;
  const inner = field && innerType(field);
  return inner instanceof z.ZodObject ? (inner.shape as Record<string, z.ZodType>) : undefined;
}

/** The type at `setting`, or at `setting.field`. */
export function typeAt(schema: SettingsSchema, [setting, field]: readonly PropertyKey[]): z.ZodType {
  const fields = field === undefined ? undefined : fieldsOf(schema, setting);
  return fields?.[String(field)] ?? (schema.shape[String(setting)] as z.ZodType);
}
