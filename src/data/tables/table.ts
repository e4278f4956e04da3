/** Rows with named columns, as task data comes in. */
import { DataError } from '../../errors/errors.js';
import { nearestName } from '../../settings/nearestName.js';
import { settingName } from '../../settings/settingNames.js';

export interface TableRow {
  /** By column: text, or what a JSON or Parquet file has there. */
  readonly values: Readonly<Record<string, unknown>>;
  /** For messages, such as "train.csv:17". */
  readonly place: string;
}

export interface Table {
  /** Name of the file. */
  readonly source: string;
  /** In the order of the file. Of a file without a line of names, the numbers from 0. */
  readonly columns: readonly string[];
  readonly rows: readonly TableRow[];
}

/** Text files that are rows in a form of their own, such as SQuAD's or CoNLL's, and that a task knows. */
export interface TextFormat {
  /** For messages, such as "SQuAD". */
  readonly name: string;
  /** Whether a text is of this format. Its path has no `.gz`. */
  matches(text: string, path: string): boolean;
  /** @throws DataError naming file and place of what cannot be read */
  parse(text: string, source: string): Table;
}

/**
 * Makes sure that a table has a column, once.
 * @param role  what the column is wanted for, such as "text"
 * @throws DataError naming the columns that there are
 */
export function requireColumn({ source, columns, rows }: Table, column: string, role: string): void {
  const count = columns.filter((name) => name === column).length;
  if (count === 1 || (count === 0 && rows.some(({ values }) => valueAt(values, column) !== undefined))) return;
  const nearest = nearestName(column, columns);
  const problem =
    count > 1
      ? `names column "${column}" ${count} times`
      : `has no column "${column}"${nearest === undefined ? '' : `; did you mean "${nearest}"?`}`;
  throw new DataError(`${source} ${problem} ${describeColumns(columns)}`, {
    subject: source,
    found: columns,
    expected: column,
    advice: `Name the column of the ${role} by ${settingName('columns')}, for instance ${role}=${columns[0] ?? 'NAME'}`,
  });
}

/** "It has: a, b, c" */
export function describeColumns(columns: readonly string[]): string {
  const names = columns.map((name) => (name.length > 40 ? `${name.slice(0, 40)}…` : name));
  return columns.length === 0 ? '(it has none)' : `(it has ${names.slice(0, 30).join(', ')})`;
}

/** What a row has in a column; `labels.score` is a field of the object in column `labels`, as KLUE's files have it. */
export function valueAt(values: TableRow['values'], column: string): unknown {
  if (Object.hasOwn(values, column)) return values[column];
  const [first, ...fields] = column.split('.');
  return fields.reduce<unknown>(
    (value, field) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, field)
        ? (value as Record<string, unknown>)[field]
        : undefined,
    fields.length > 0 && Object.hasOwn(values, first) ? values[first] : undefined,
  );
}

/**
 * A cell as text; undefined where there is none. Numbers and booleans are what they are written as.
 * @throws DataError when it holds a list or an object
 */
export function cellText({ values, place }: TableRow, column: string): string | undefined {
  const value = valueAt(values, column);
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  const fields = Array.isArray(value) ? [] : Object.keys(value);
  const inside = fields.length > 0 ? `, or a field of it: ${column}.${fields.join(`, ${column}.`)}` : '';
  throw new DataError(`${place} has ${Array.isArray(value) ? 'a list' : 'an object'} in column "${column}"`, {
    subject: place,
    expected: 'text or a number',
    advice: `Name another column by ${settingName('columns')}${inside}`,
  });
}
