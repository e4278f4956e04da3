/** Which rows are learned from and which are evaluated on. */
import { DataError } from '../errors/errors.js';
import { Permutation, RandomStream } from '../random/philox.js';
import { settingName } from '../settings/settingNames.js';
import { contentHash } from '../text/contentHash.js';

/** Of the training rows. */
const HELD_OUT = 0.1;

/** How many rows to learn from, and the seed that they are drawn by. */
export interface RowLimit {
  readonly rows: number;
  readonly seed: number;
}

export interface TrainAndDevRows<T> {
  readonly train: readonly T[];
  readonly dev: readonly T[];
}

/**
 * The training rows and the dev rows of a task: without dev rows of its own, some of the training rows are held out. Of what
 * is left to learn from `limit` draws so many, in the order of the file: dev rows stay the same whatever the limit.
 * @param textOf  what makes two rows the same, for holding out
 * @throws DataError when all rows are the same and there are no dev rows
 */
export function trainAndDevRows<T>(
  rows: readonly T[],
  dev: readonly T[] | undefined,
  { textOf, limit }: { readonly textOf: (row: T) => string; readonly limit?: RowLimit },
): TrainAndDevRows<T> {
  const sides = dev ? { train: rows, dev } : holdOutRows(rows, textOf);
  return limit ? { ...sides, train: drawRows(sides.train, limit) } : sides;
}

/**
 * A tenth of the rows by the hash of their text, at least one: the same whatever the seed and the order of the file, and a text
 * that stands twice is never on both sides.
 * @throws DataError when all rows are
 */
function holdOutRows<T>(rows: readonly T[], textOf: (row: T) => string): TrainAndDevRows<T> {
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

/** With the same seed, fewer rows are a part of more. */
function drawRows<T>(rows: readonly T[], limit: RowLimit): readonly T[] {
  if (rows.length <= limit.rows) return rows;
  const order = new Permutation(rows.length, new RandomStream(limit.seed, 'trainingRows'));
  const drawn = new Set(Array.from({ length: limit.rows }, (_, i) => order.at(i)));
  return rows.filter((_, index) => drawn.has(index));
}
