/** A JSON file of ours that says of which version it is: read, checked, and refused with what to do. */
import type { z } from 'zod';
import { CheckpointError, type DataError } from '../errors/errors.js';

type FileError = typeof CheckpointError | typeof DataError;

export interface VersionedFormat<T> {
  /** Where the file also names its format, that name. */
  readonly format?: string;
  readonly version: number;
  readonly schema: z.ZodType<T>;
  /** What such a file is, in the message about one that is not. Default: "is damaged". */
  readonly damaged?: string;
  /** What to do about a file that cannot be read, and about one of another version. */
  readonly advice?: { readonly damaged?: string; readonly version?: string };
  /** Default CheckpointError. */
  readonly error?: FileError;
  /** Turns what an earlier Pleiad wrote into today's form. */
  migrate?(json: object): object;
}

/**
 * Parses the text of such a file.
 * @param path  for messages
 * @throws the format's error when the text is no JSON, of another version, or not what the schema says
 */
export function parseVersionedJson<T>(text: string, path: string, format: VersionedFormat<T>): T {
  const { advice = {}, error: Failure = CheckpointError } = format;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new Failure(`${path} is not JSON`, { subject: path, cause, advice: advice.damaged });
  }
  const found = (json ?? {}) as { format?: unknown; version?: unknown };
  const expected = format.format === undefined ? String(format.version) : `${format.format} ${format.version}`;
  const isOther = format.format !== undefined && found.format !== format.format;
  if (isOther || found.version !== format.version) {
    const what =
      format.format === undefined ? `is of version ${found.version}` : `has format ${found.format} ${found.version}`;
    throw new Failure(`${path} ${what}, expected ${expected}`, {
      subject: path,
      found: found.version,
      expected,
      advice: advice.version,
    });
  }
  const parsed = format.schema.safeParse(format.migrate?.(found) ?? found);
  if (parsed.success) return parsed.data;
  throw new Failure(`${path} ${format.damaged ?? 'is damaged'}: ${firstIssue(parsed.error)}`, {
    subject: path,
    advice: advice.damaged,
  });
}

function firstIssue({ issues: [{ path, message }] }: z.ZodError): string {
  return path.length ? `${path.join('.')}: ${message}` : message;
}
