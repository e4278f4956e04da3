/** Labelled texts from the rows of a table. */
import {
  cellText,
  describeColumns,
  requireColumn,
  type Table,
  type TableRow,
  valueAt,
} from '../../data/tables/table.js';
import { DataError } from '../../errors/errors.js';
import { joinFirst } from '../../errors/joinFirst.js';
import { settingName, settingWith } from '../../settings/settingNames.js';
import type { LabelledText } from '../example.js';
import type { Columns } from '../task.js';
import { SEPARATOR } from './labels.js';
import type { ProblemType } from './problemType.js';

/** What columns are read as. */
export const ROLES = ['text', 'pair', 'label'] as const;

/** What texts are called in data sets of the field, looked for in this order where columns are not given. */
const KNOWN_TEXTS: readonly (readonly [text: string, pair?: string])[] = [
  ['text', 'pair'],
  ['text'],
  ['sentence1', 'sentence2'],
  ['premise', 'hypothesis'],
  ['question', 'sentence'], // GLUE's QNLI
  ['question1', 'question2'], // QQP
  ['#1 String', '#2 String'], // MRPC
  ['sentence'],
  ['document'], // NSMC
];
const KNOWN_LABELS = ['label', 'labels', 'gold_label', 'is_duplicate', 'Quality', 'score'];

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

/** The column that labels are in. */
export function labelColumn(table: Table, given: Columns): string {
  return chooseColumns(table, given, { needsLabel: true }).label!;
}

/**
 * The examples of a table.
 * @throws DataError naming the place of a row without a text, or without a label where it cannot have none
 */
export function labelledTexts(table: Table, given: Columns, type?: ProblemType): LabelledText[] {
  const columns = chooseColumns(table, given, { needsLabel: true });
  return table.rows.map((row) => {
    const label = labelText(row, columns.label!, type);
    if (label === '' && type !== 'multi_label_classification') throw emptyCell(row, columns.label!, 'label');
    return { ...textsOf(row, columns), label, place: row.place };
  });
}

/** The label of a row; several as they stand in one cell. */
function labelText(row: TableRow, column: string, type: ProblemType | undefined): string {
  const value = valueAt(row.values, column);
  if (!Array.isArray(value)) return cellText(row, column)?.trim() ?? '';
  if (type !== 'multi_label_classification') {
    throw new DataError(`${row.place} has a list in column "${column}"`, {
      subject: row.place,
      found: value,
      expected: 'one label',
      advice: `Where a text may have several labels, add ${settingWith('problemType', 'multi_label_classification')}`,
    });
  }
  const labels = value.map((label) => String(label).trim());
  const wrong = value.find((label) => !['string', 'number', 'boolean'].includes(typeof label));
  const joined = labels.find((label) => label === '' || label.includes(SEPARATOR));
  if (wrong === undefined && joined === undefined) return labels.join(SEPARATOR);
  throw new DataError(
    `${row.place} has ${JSON.stringify(wrong ?? joined)?.slice(0, 80)} among the labels in column "${column}"`,
    {
      subject: row.place,
      found: value,
      expected: `labels that are words, without ${JSON.stringify(SEPARATOR)}`,
      advice: 'Rename the label or mend the row',
    },
  );
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
