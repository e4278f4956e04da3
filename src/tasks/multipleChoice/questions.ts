/** Questions with choices from the rows of a table: SWAG's and RACE's columns, lists in JSON, or columns choice0, choice1, … */
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

/** What is asked: a context, a question or both, and what may follow. */
export interface ChoiceQuestion {
  readonly context?: string;
  readonly question?: string;
  readonly choices: readonly string[];
}

export interface AnsweredQuestion extends ChoiceQuestion {
  /** Index of the right choice. */
  readonly answer: number;
  /** For messages, such as "train.csv:17". */
  readonly place: string;
}

export const ROLES = ['context', 'question', 'choices', 'label'] as const;
type Role = (typeof ROLES)[number];

/** What columns are called in data sets of the field, looked for in this order where they are not given. */
const KNOWN: Readonly<Record<Role, readonly string[]>> = {
  context: ['context', 'article', 'sent1', 'premise'], // RACE, SWAG, COPA
  question: ['question', 'sent2', 'ctx', 'text'],
  choices: ['choices', 'options', 'endings', 'ending', 'choice', 'option'],
  label: ['label', 'answer', 'answerKey'],
};

interface ChosenColumns {
  readonly context?: string;
  readonly question?: string;
  /** One column of lists, or the numbered ones in order. */
  readonly choices: readonly string[];
  readonly label: string;
}

/** @throws DataError naming the place of a row that cannot be used, or the columns that there are */
export function answeredQuestions(table: Table, given: Columns): AnsweredQuestion[] {
  const columns = chooseColumns(table, given);
  return table.rows.map((row) => {
    const [context, question] = [columns.context, columns.question].map((column) => textIn(row, column));
    if (context === undefined && question === undefined) {
      const names = [columns.context, columns.question].filter((name) => name !== undefined).join(' and ');
      throw unusable(row, `has nothing in column ${names}`, 'a context or a question');
    }
    const choices = choicesOf(row, columns.choices);
    return {
      ...(context !== undefined && { context }),
      ...(question !== undefined && { question }),
      choices,
      answer: answerOf(row, columns.label, choices),
      place: row.place,
    };
  });
}

function chooseColumns(table: Table, given: Columns): ChosenColumns {
  const { source, columns } = table;
  const named = (role: Role) => given[role] ?? KNOWN[role].find((name) => columns.includes(name));
  const choices = given.choices ?? KNOWN.choices.find((name) => columnsOfChoices(columns, name).length > 0);
  const [context, question, label] = [named('context'), named('question'), named('label')];
  const missing =
    choices === undefined || columnsOfChoices(columns, choices).length === 0
      ? 'choices'
      : label === undefined
        ? 'label'
        : context === undefined && question === undefined
          ? 'question'
          : undefined;
  if (missing !== undefined) {
    const expected = missing === 'choices' ? `${choices ?? 'choices'}, nor numbered ones` : KNOWN[missing].join(' or ');
    throw new DataError(`${source} has no column called ${expected} ${describeColumns(columns)}`, {
      subject: source,
      found: columns,
      expected: missing === 'choices' ? 'a column of lists, or columns such as choice0, choice1' : `a ${missing}`,
      advice: `Say which it is by ${settingName('columns')}, for instance ${missing}=${columns[0] ?? 'NAME'}`,
    });
  }
  for (const role of ['context', 'question', 'label'] as const) {
    const name = { context, question, label }[role];
    if (name !== undefined && (given[role] !== undefined || role === 'label')) requireColumn(table, name, role);
  }
  return { context, question, choices: columnsOfChoices(columns, choices!), label: label! };
}

/** The column of a name, else those of the name and a number, by number. */
function columnsOfChoices(columns: readonly string[], name: string): string[] {
  if (columns.includes(name)) return [name];
  const numbered = columns.flatMap((column) => {
    const rest = column.startsWith(name) ? /^[ _-]?(\d+)$/.exec(column.slice(name.length)) : null;
    return rest ? [{ column, number: Number(rest[1]) }] : [];
  });
  if (numbered.length < 2) return [];
  return numbered.sort((a, b) => a.number - b.number).map(({ column }) => column);
}

function textIn(row: TableRow, column: string | undefined): string | undefined {
  const text = column === undefined ? undefined : cellText(row, column)?.trim();
  return text === '' ? undefined : text;
}

function choicesOf(row: TableRow, columns: readonly string[]): string[] {
  const value = valueAt(row.values, columns[0]);
  const cells = columns.length > 1 ? columns.map((column) => textIn(row, column)) : listIn(row, value, columns[0]);
  // Of numbered columns the last may be empty: questions need not have the same number of choices.
  while (cells.length > 0 && cells.at(-1) === undefined) cells.pop();
  const empty = cells.indexOf(undefined);
  if (empty >= 0) throw unusable(row, `has an empty choice ${empty}`, 'a text for each choice');
  if (cells.length < 2) throw unusable(row, `has ${cells.length === 1 ? 'one choice' : 'no choices'}`, 'two or more');
  return cells as string[];
}

function listIn(row: TableRow, value: unknown, column: string): (string | undefined)[] {
  if (Array.isArray(value) && value.every((choice) => typeof choice === 'string')) {
    return value.map((choice: string) => (choice.trim() === '' ? undefined : choice.trim()));
  }
  throw unusable(row, `has ${JSON.stringify(value)?.slice(0, 60)} in column "${column}"`, 'a list of texts');
}

/** A number from 0, a letter from A, or the text of the right choice. */
function answerOf(row: TableRow, column: string, choices: readonly string[]): number {
  const said = textIn(row, column);
  if (said === undefined) throw unusable(row, `has no label: column "${column}" is empty`, 'the right choice');
  const isIndex = /^\d+$/.test(said) || /^[A-Z]$/i.test(said);
  const index = /^\d+$/.test(said) ? Number(said) : isIndex ? said.toUpperCase().charCodeAt(0) - 65 : -1;
  const byText = choices.indexOf(said);
  if (isIndex && index < choices.length) return index;
  if (byText >= 0) return byText;
  const hint = said === String(choices.length) ? ' (choices count from 0)' : '';
  throw unusable(
    row,
    `has the label "${said}" and ${choices.length} choices${hint}`,
    `a number from 0 to ${choices.length - 1}, a letter from A, or the text of a choice`,
  );
}

function unusable({ place }: TableRow, problem: string, expected: string): DataError {
  return new DataError(`${place} ${problem}`, {
    subject: place,
    expected,
    advice: `Mend or remove the row; if another column is meant, say so by ${settingName('columns')}`,
  });
}
