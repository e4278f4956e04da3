/** What a tokenizer's JSON files must hold, checked where it is read. */
import { DataError } from '../errors/errors.js';

export type Json = Record<string, unknown>;

/** @throws DataError when the value is no JSON object */
export function record(value: unknown, subject: string): Json {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  return check(value, isRecord, subject, 'an object') as Json;
}

/** @throws DataError when the value is no JSON list */
export function list(value: unknown, subject: string): unknown[] {
  return check(value, Array.isArray(value), subject, 'a list') as unknown[];
}

/** The value, when it is right. @throws DataError otherwise */
export function check(value: unknown, isRight: boolean, subject: string, expected: string): unknown {
  return isRight ? value : unsupported(subject, value, expected);
}

export function unsupported(subject: string, found: unknown, expected: string): never {
  throw new DataError(`${subject} is ${JSON.stringify(found) ?? 'missing'}; expected ${expected}`, {
    subject,
    found,
    expected,
    advice:
      'Only WordPiece tokenizers of the BERT family can be used; where a vocab.txt lies beside it, name that file instead.',
  });
}

/** A special token is written as a string or as an object with `content`. */
export function tokenText(token: unknown, name: string): string {
  const text = typeof token === 'object' && token !== null ? (token as Json).content : token;
  return check(text, typeof text === 'string', name, 'text such as "[MASK]"') as string;
}
