/** Labelled texts from the rows of a table, and the labels that there are. */
import { cellText, describeColumns, requireColumn, type Table, type TableRow } from '../../data/tables/table.js';
import { DataError } from '../../errors/errors.js';
import { joinFirst } from '../../errors/joinFirst.js';
import { nearestName } from '../../settings/nearestName.js';
import { settingName } from '../../settings/settingNames.js';
import type { LabelledText } from '../example.js';
import type { Columns } from '../task.js';

/** What columns are read as. */
export const ROLES = ['text', 'pair', 'label'] as const;

/** What texts are called in data sets of the field, looked for in this order where columns are not given. */
const KNOWN_TEXTS: readonly (readonly [text: string, pair?: string])[] = [
  ['text', 'pair'],
  ['text'],
  ['sentence1', 'sentence2'],
  ['premise', 'hypothesis'],
  ['question', 'sentence'],
  ['sentence'],
];
const KNOWN_LABELS = ['label', 'labels'];

interface ChosenColumns {
  readonly text: string;
  readonly pair?: string;
  readonly label?: string;
}

/**
 * The columns of a table by role: as given, else under the names that are usual.
 * @throws DataError naming the columns that there are
 */
export function chooseColumns(table: Table, given: Columns, { needsLabel }: { needsLabel: boolean }): ChosenColumns {
  const { source, columns } = table;
  const has = (name: string | undefined) => name === undefined || columns.includes(name);
  const [knownText, knownPair] = KNOWN_TEXTS.find((names) => names.every(has)) ?? [];
  const text = given.text ?? knownText;
  const pair = given.text === undefined ? (given.pair ?? knownPair) : given.pair;
  const label = given.label ?? KNOWN_LABELS.find(has);
  const chosen = { text, pair, label };
  for (const role of ROLES) {
    const name = chosen[role];
    const isNeeded = role === 'text' || (role === 'label' && needsLabel);
    if (name === undefined && isNeeded) {
      const usual = role === 'text' ? 'text or sentence' : 'label';
      throw new DataError(`${source} has no column called ${usual} ${describeColumns(columns)}`, {
        subject: source,
        found: columns,
        expected: `a column of ${role}s`,
        advice: `Say which it is by ${settingName('columns')}, for instance ${role}=${columns[0] ?? 'NAME'}`,
      });
    }
    if (name !== undefined && (isNeeded || given[role] !== undefined)) requireColumn(table, name, role);
  }
  return { text: text!, ...(pair !== undefined && { pair }), ...(label !== undefined && { label }) };
}

/**
 * The examples of a table.
 * @throws DataError naming the place of a row without a text or a label
 */
export function labelledTexts(table: Table, given: Columns): LabelledText[] {
  const columns = chooseColumns(table, given, { needsLabel: true });
  return table.rows.map((row) => {
    const label = cellText(row, columns.label!)?.trim();
    if (label === undefined || label === '') throw emptyCell(row, columns.label!, 'label');
    return { ...textsOf(row, columns), label, place: row.place };
  });
}

/** The text of a row, or its two. */
export function textsOf(row: TableRow, { text, pair }: ChosenColumns): { text: string; pair?: string } {
  return { text: filled(row, text, 'text'), ...(pair !== undefined && { pair: filled(row, pair, 'pair') }) };
}

function filled(row: TableRow, column: string, role: string): string {
  const text = cellText(row, column);
  if (text === undefined || text.trim() === '') throw emptyCell(row, column, role);
  return text;
}

function emptyCell({ place, values }: TableRow, column: string, role: string): DataError {
  const shown = Object.entries(values).map(([name, value]) => `${name} ${JSON.stringify(value)?.slice(0, 30)}`);
  return new DataError(`${place} has no ${role}: column "${column}" is empty (the row has ${joinFirst(shown, 8)})`, {
    subject: place,
    expected: `a ${role} in column "${column}"`,
    advice: `Fill it in or remove the row; if another column is meant, say so by ${settingName('columns')}`,
  });
}

/** More than these are no labels but numbers or texts. */
const MOST_LABELS = 1000;

/**
 * The labels of training data: whole numbers by value, all others by their characters; or those that were given, in that
 * order.
 * @throws DataError when there is one alone, or as many as texts, or a text has another than was given
 */
export function labelsOf(texts: readonly LabelledText[], source: string, given?: readonly string[]): string[] {
  if (given) {
    refuseUnknownLabels(texts, given, `${settingName('labels')} is`);
    return [...given];
  }
  const found = [...new Set(texts.map(({ label }) => label))];
  if (found.length < 2) {
    throw new DataError(`all ${texts.length} rows of ${source} have the label "${found[0]}"`, {
      subject: source,
      found,
      expected: 'two labels or more',
      advice: `There is nothing to learn from one; if another column has the labels, say so by ${settingName('columns')}`,
    });
  }
  if (found.length > MOST_LABELS || (texts.length >= 20 && found.length > texts.length / 2)) {
    throw new DataError(
      `${source} has ${found.length} different labels in ${texts.length} rows, such as ${joinFirst(found, 3)}`,
      {
        subject: source,
        found: found.length,
        expected: 'a few labels, each of many rows',
        advice: `If another column has the labels, say so by ${settingName('columns')}`,
      },
    );
  }
  const areNumbers = found.every((label) => /^-?\d+$/.test(label));
  return areNumbers ? found.sort((a, b) => Number(a) - Number(b)) : found.sort();
}

/** @throws DataError naming the first row whose label is none of those */
export function refuseUnknownLabels(texts: readonly LabelledText[], labels: readonly string[], known: string): void {
  const set = new Set(labels);
  const wrong = texts.find(({ label }) => !set.has(label));
  if (!wrong) return;
  const nearest = nearestName(wrong.label, labels);
  const isNear = nearest !== undefined && nearest.toLowerCase() === wrong.label.toLowerCase();
  throw new DataError(`${wrong.place} has the label "${wrong.label}", and ${known} ${joinFirst(labels, 20)}`, {
    subject: wrong.place,
    found: wrong.label,
    expected: `one of ${joinFirst(labels, 20)}`,
    advice: isNear
      ? `Write it as "${nearest}"`
      : `Mend the row, or name all labels in order by ${settingName('labels')}`,
  });
}
