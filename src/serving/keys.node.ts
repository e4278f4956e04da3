/** Keys that clients show, from the environment: on a command line every user of the machine would see them. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { SettingsError } from '../errors/errors.js';

export const KEY_VARIABLE = 'PLEIAD_API_KEY';

const SHORTEST = 16;

/**
 * Whether a key is one of those in PLEIAD_API_KEY, with commas between; undefined where there is none.
 * @throws SettingsError for a key that could be guessed
 */
export function keysOf(
  environment: Readonly<Record<string, string | undefined>>,
): ((key: string) => boolean) | undefined {
  const words = (environment[KEY_VARIABLE] ?? '').split(',').map((word) => word.trim());
  const keys = words.filter((word) => word !== '');
  if (keys.length === 0) return undefined;
  if (keys.some((key) => key.length < SHORTEST)) {
    throw new SettingsError([
      `${KEY_VARIABLE} has a key of fewer than ${SHORTEST} characters; make one: openssl rand -hex 24`,
    ]);
  }
  return isOneOf(keys);
}

/** Compares digests of one length, all of them and in constant time, so that the time says nothing of a key. */
export function isOneOf(keys: readonly string[]): (key: string) => boolean {
  const known = keys.map(digest);
  return (key) => {
    const given = digest(key);
    return known.map((each) => timingSafeEqual(each, given)).includes(true);
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
