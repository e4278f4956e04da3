/** What a folder was made from, compared with what it should be made from. */

import { DataError } from '../../errors/errors.js';
import { settingName } from '../../settings/settingNames.js';
import type { Identity } from '../manifest.js';

/**
 * Refuses a folder that was made otherwise, naming each difference.
 * @throws DataError
 */
export function checkIdentity(folder: string, found: Identity, wanted: Identity): void {
  const differences = identityDifferences(
    found,
    wanted,
    (name, before, now) => `${shownName(name)} was ${before} and is now ${now}`,
  );
  if (differences.length === 0) return;
  throw new DataError(`${folder} was prepared otherwise: ${differences.join('; ')}`, {
    subject: folder,
    found,
    advice: 'Choose another folder, or delete this one to make it anew',
  });
}

/** Settings as the reader gives them; the tokenizer is compared by its hash, whatever named it. */
export function shownName(name: string): string {
  return name === 'the tokenizer' ? name : settingName(name);
}

/** @param describe  says in words that something has two values */
export function identityDifferences(
  found: Identity,
  wanted: Identity,
  describe: (name: string, found: unknown, wanted: unknown) => string,
): string[] {
  const keys = new Set([...Object.keys(found), ...Object.keys(wanted)] as (keyof Identity)[]);
  keys.delete('inputs');
  const differences = [...keys]
    .filter((key) => found[key] !== wanted[key])
    .map((key) =>
      describe(key === 'tokenizerHash' ? 'the tokenizer' : key, shownValue(found, key), shownValue(wanted, key)),
    );
  const difference = inputDifference(found, wanted);
  return difference ? [...differences, difference] : differences;
}

function shownValue(identity: Identity, key: keyof Identity): unknown {
  return identity[key] ?? (key === 'encoding' ? 'utf-8' : 'absent');
}

function inputDifference(found: Identity, wanted: Identity): string | undefined {
  const length = Math.max(found.inputs.length, wanted.inputs.length);
  for (let i = 0; i < length; i++) {
    const [before, now] = [found.inputs[i], wanted.inputs[i]];
    if (!before) return `the input ${now.name} is new`;
    if (!now) return `the input ${before.name} is gone`;
    if (before.name !== now.name) return `input ${i + 1} was ${before.name} and is now ${now.name}`;
    if (before.fingerprint !== now.fingerprint) return `the input ${now.name} has changed`;
    if (before.format !== now.format) {
      return `the input ${now.name} was read as ${before.format ?? 'plain text or JSON Lines'} and is now as ${now.format ?? 'plain text or JSON Lines'}`;
    }
  }
  return undefined;
}
