/** Sentences with two entities, from the rows of a table: marked in the text, or given by where they stand. */
import {
  cellText,
  describeColumns,
  requireColumn,
  type Table,
  type TableRow,
  valueAt,
} from '../../data/tables/table.js';
import { DataError } from '../../errors/errors.js';
import { settingName } from '../../settings/settingNames.js';
import type { Columns } from '../task.js';

/** A part of a text: start and end (exclusive) in UTF-16 units. */
export interface TextSpan {
  readonly start: number;
  readonly end: number;
}

/** A text whose head and tail are asked about: e1 and e2 of SemEval-2010 task 8. */
export interface EntityPair {
  readonly text: string;
  readonly head: TextSpan;
  readonly tail: TextSpan;
}

export interface RelationExample extends EntityPair {
  readonly label: string;
  /** For messages, such as "train.csv:17". */
  readonly place: string;
}

export const ROLES = ['text', 'head', 'tail', 'label'] as const;

const KNOWN: Readonly<Record<(typeof ROLES)[number], readonly string[]>> = {
  text: ['text', 'sentence'],
  head: ['head', 'e1', 'subject'],
  tail: ['tail', 'e2', 'object'],
  label: ['label', 'relation'],
};

/** @throws DataError naming the place of a row whose entities or label cannot be used, or the columns that there are */
export function relationExamples(table: Table, given: Columns): RelationExample[] {
  const { source, columns } = table;
  const named = (role: keyof typeof KNOWN) => given[role] ?? KNOWN[role].find((name) => hasColumn(columns, name));
  const [text, head, tail, label] = ROLES.map(named);
  for (const [role, name] of [['text', text] as const, ['label', label] as const]) {
    if (name !== undefined) requireColumn(table, name, role);
    else throw noColumn(source, columns, role, KNOWN[role].join(' or '));
  }
  if ((head === undefined) !== (tail === undefined)) {
    const role = head === undefined ? 'head' : 'tail';
    throw noColumn(source, columns, role, KNOWN[role].join(' or '));
  }
  return table.rows.map((row) => {
    const said = cellText(row, label!)?.trim() ?? '';
    if (said === '') throw unusable(row.place, `has no label: column "${label}" is empty`, 'the name of a relation');
    const own = cellText(row, text!) ?? '';
    const pair =
      head === undefined || tail === undefined
        ? markedPair(own, row.place)
        : checkedPair({ text: own, head: spanIn(row, head), tail: spanIn(row, tail) }, row.place);
    return { ...pair, label: said, place: row.place };
  });
}

/** A column of spans may be two: `head_start` and `head_end`, or `head.start` of an object. */
const hasColumn = (columns: readonly string[], name: string) =>
  columns.includes(name) || columns.includes(`${name}_start`);

function spanIn(row: TableRow, column: string): TextSpan {
  const value = valueAt(row.values, column);
  const [start, end] = Array.isArray(value)
    ? value
    : typeof value === 'object' && value !== null
      ? [(value as Partial<TextSpan>).start, (value as Partial<TextSpan>).end]
      : [row.values[`${column}_start`], row.values[`${column}_end`]];
  const [from, to] = [start, end].map((cell) => (cell === undefined || cell === '' ? Number.NaN : Number(cell)));
  if (Number.isInteger(from) && Number.isInteger(to)) return { start: from, end: to };
  throw unusable(
    row.place,
    `has ${JSON.stringify(value)?.slice(0, 60)} in column "${column}"`,
    `{"start": 4, "end": 9}, [4, 9], or numbers in ${column}_start and ${column}_end`,
  );
}

const MARK = /<(\/?)e([12])>/g;

/**
 * A text with `<e1>…</e1>` and `<e2>…</e2>` around its entities, as SemEval writes it.
 * @throws DataError when a mark is missing or there twice
 */
export function markedPair(marked: string, place: string): EntityPair {
  let text = '';
  let from = 0;
  const at: Record<string, number[]> = {};
  for (const match of marked.matchAll(MARK)) {
    text += marked.slice(from, match.index);
    from = match.index + match[0].length;
    at[match[0]] = [...(at[match[0]] ?? []), text.length];
  }
  text += marked.slice(from);
  const position = (mark: string) => {
    const [first, second] = at[mark] ?? [];
    if (first !== undefined && second === undefined) return first;
    const problem = first === undefined ? `has no ${mark}` : `has ${mark} ${at[mark].length} times`;
    throw unusable(place, problem, 'a text such as "the <e1>chef</e1> of the <e2>inn</e2>"');
  };
  const head = { start: position('<e1>'), end: position('</e1>') };
  const tail = { start: position('<e2>'), end: position('</e2>') };
  return checkedPair({ text, head, tail }, place);
}

/** @throws DataError when an entity is empty or lies outside of the text */
export function checkedPair(pair: EntityPair, place: string): EntityPair {
  for (const name of ['head', 'tail'] as const) {
    const { start, end } = pair[name];
    const isInside = start >= 0 && end <= pair.text.length;
    if (isInside && pair.text.slice(start, end).trim() !== '') continue;
    const problem = isInside ? 'is empty' : `lies outside of the text, which has ${pair.text.length} characters`;
    throw unusable(place, `has a ${name} from ${start} to ${end} that ${problem}`, 'start before end, in UTF-16 units');
  }
  return pair;
}

function noColumn(source: string, columns: readonly string[], role: string, usual: string): DataError {
  return new DataError(`${source} has no column called ${usual} ${describeColumns(columns)}`, {
    subject: source,
    found: columns,
    expected: `a column of ${role === 'text' ? 'texts' : role === 'label' ? 'relations' : 'entities'}`,
    advice: `Say which it is by ${settingName('columns')}, for instance ${role}=${columns[0] ?? 'NAME'}`,
  });
}

function unusable(place: string, problem: string, expected: string): DataError {
  return new DataError(`${place} ${problem}`, {
    subject: place,
    expected,
    advice: `Mend or remove the row; if another column is meant, say so by ${settingName('columns')}`,
  });
}
