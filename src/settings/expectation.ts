/** What a schema takes, in plain words, for messages about settings. */
import { z } from 'zod';

/** The parts of a JSON Schema that settings are described by. */
interface Description {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly items?: Description;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly exclusiveMaximum?: number;
}

/**
 * "a whole number from 1", "a number above 0 and at most 1", "one of a, b or c", "true or false", "text".
 * @param what  the schema's own value, or one element of the list that it describes
 */
export function expectation(schema: z.ZodType, what: 'value' | 'element' = 'value'): string {
  // JSON Schema is the documented way to ask zod for limits, and says which of them are open.
  const whole = z.toJSONSchema(schema, { unrepresentable: 'any' }) as Description;
  const description = what === 'element' ? (whole.items ?? whole) : whole;
  if (description.enum) return `one of ${listed(description.enum)}`;
  if (description.items?.enum) return `one or more of ${listed(description.items.enum)}`;
  switch (description.type) {
    case 'integer':
      return `a whole number${range(description)}`;
    case 'number':
      return `a number${range(description)}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      return 'text';
    default:
      return 'names and values';
  }
}

/** From {minimum: 0, exclusiveMaximum: 1}: " from 0 to below 1". */
function range({ minimum, exclusiveMinimum, maximum, exclusiveMaximum }: Description): string {
  const isOpen = exclusiveMinimum !== undefined;
  // Every integer schema begins and ends where doubles stop counting by ones; those are no limits worth telling.
  const isBounded = minimum !== undefined && minimum !== Number.MIN_SAFE_INTEGER;
  const from = isOpen ? ` above ${exclusiveMinimum}` : isBounded ? ` from ${minimum}` : '';
  if (maximum !== undefined && maximum !== Number.MAX_SAFE_INTEGER)
    return from && !isOpen ? `${from} to ${maximum}` : `${from}${from && ' and'} at most ${maximum}`;
  if (exclusiveMaximum !== undefined)
    return from && !isOpen
      ? `${from} to below ${exclusiveMaximum}`
      : `${from}${from && ' and'} below ${exclusiveMaximum}`;
  return from;
}

function listed(words: readonly unknown[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/** A value as a message shows it. */
export function shownValue(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
