/** Rows to evaluate on, where there are no dev data: taken from the training rows. */
import { DataError } from '../errors/errors.js';
import { settingName } from '../settings/settingNames.js';
import { contentHash } from '../text/contentHash.js';

/** Of the training rows. */
const HELD_OUT = 0.1;

/**
 * A tenth of the rows by the hash of their text, at least one: the same whatever the seed and the order of the file, and a text
 * that stands twice is never on both sides.
 * @param textOf  what makes two rows the same
 * @throws DataError when all rows are
 */
export function holdOutRows<T>(rows: readonly T[], textOf: (row: T) => string): { train: T[]; dev: T[] } {
  const hashes = rows.map((row) => contentHash(textOf(row)));
  const wanted = Math.max(1, Math.round(rows.length * HELD_OUT));
  const last = [...hashes].sort()[wanted - 1];
  const isDev = (_: T, index: number) => hashes[index] <= last;
  const train = rows.filter((row, index) => !isDev(row, index));
  if (train.length > 0) return { train, dev: rows.filter(isDev) };
  throw new DataError(`all ${rows.length} rows have the same text`, {
    found: textOf(rows[0]).slice(0, 80),
    expected: 'rows with several texts, of which a tenth are held out',
    advice: `Name a file to evaluate on by ${settingName('dev')}`,
  });
}
