/** Which rows are learned from and which are evaluated on. */
import { DataError } from '../errors/errors.js';
import { Permutation, RandomStream } from '../random/philox.js';
import { settingName } from '../settings/settingNames.js';
import { contentHash } from '../text/contentHash.js';

/** Of the training rows. */
const HELD_OUT = 0.1;
/** More is not held out for the sake of whole groups. */
const MOST_HELD_OUT = 0.2;

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
 * @param textOf   what makes two rows the same, for holding out
 * @param groupOf  what rows have in common that should not be on both sides, such as an article; groups are kept whole where
 *                 they are small enough
 * @throws DataError when all rows are the same and there are no dev rows
 */
export function trainAndDevRows<T>(
  rows: readonly T[],
  dev: readonly T[] | undefined,
  {
    textOf,
    groupOf,
    limit,
  }: { readonly textOf: (row: T) => string; readonly groupOf?: (row: T) => string; readonly limit?: RowLimit },
): TrainAndDevRows<T> {
  const sides = dev ? { train: rows, dev } : ((groupOf && heldOutGroups(rows, groupOf)) ?? holdOutRows(rows, textOf));
  return limit ? { ...sides, train: drawRows(sides.train, limit) } : sides;
}

/** Whole groups, about a tenth of the rows; undefined where groups are so large that it would be far more. */
function heldOutGroups<T>(rows: readonly T[], groupOf: (row: T) => string): TrainAndDevRows<T> | undefined {
  const sides = splitByHash(rows, groupOf);
  return sides.dev.length <= MOST_HELD_OUT * rows.length ? sides : undefined;
}

/**
 * A tenth of the rows by the hash of their text, at least one: the same whatever the seed and the order of the file, and a text
 * that stands twice is never on both sides.
 * @throws DataError when all rows are
 */
function holdOutRows<T>(rows: readonly T[], textOf: (row: T) => string): TrainAndDevRows<T> {
  const sides = splitByHash(rows, textOf);
  if (sides.train.length > 0) return sides;
  throw new DataError(`all ${rows.length} rows have the same text`, {
    found: textOf(rows[0]).slice(0, 80),
    expected: 'rows with several texts, of which a tenth are held out',
    advice: `Name a file to evaluate on by ${settingName('dev')}`,
  });
}

function splitByHash<T>(rows: readonly T[], keyOf: (row: T) => string): TrainAndDevRows<T> {
  const hashes = rows.map((row) => contentHash(keyOf(row)));
  const wanted = Math.max(1, Math.round(rows.length * HELD_OUT));
  const last = [...hashes].sort()[wanted - 1];
  const isDev = (_: T, index: number) => hashes[index] <= last;
  return { train: rows.filter((row, index) => !isDev(row, index)), dev: rows.filter(isDev) };
}

/** With the same seed, fewer rows are a part of more. */
function drawRows<T>(rows: readonly T[], limit: RowLimit): readonly T[] {
  if (rows.length <= limit.rows) return rows;
  const order = new Permutation(rows.length, new RandomStream(limit.seed, 'trainingRows'));
  const drawn = new Set(Array.from({ length: limit.rows }, (_, i) => order.at(i)));
  return rows.filter((_, index) => drawn.has(index));
}
