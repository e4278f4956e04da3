/** Questions from the rows of a table, with their answers where they stand in the context. */
import { cellText, describeColumns, requireColumn, type Table, type TableRow } from '../../data/tables/table.js';
import { DataError } from '../../errors/errors.js';
import { joinFirst } from '../../errors/joinFirst.js';
import { settingName, settingWith } from '../../settings/settingNames.js';
import type { Columns } from '../task.js';
import type { FileAnswer } from './formats.js';

/** What columns are read as. */
export const ROLES = ['question', 'context', 'answer', 'answerStart', 'id'] as const;

/** Names that a table of questions usually has, looked for in this order where columns are not given. */
const USUAL: Readonly<Record<(typeof ROLES)[number], readonly string[]>> = {
  question: ['question'],
  context: ['context', 'passage', 'paragraph'],
  answer: ['answers', 'answer'],
  answerStart: ['answer_start', 'answerStart'],
  id: ['id', 'qid'],
};

/** UTF-16 offsets in the context. */
export interface PlacedAnswer {
  readonly start: number;
  readonly end: number;
}

export interface Question {
  readonly id: string;
  readonly question: string;
  readonly context: string;
  /** What an answer is compared with; none for a question without an answer. */
  readonly references: readonly string[];
  /** Answers that stand where the data say, in the order of the data. */
  readonly answers: readonly PlacedAnswer[];
  /** Answers that do not, in words. */
  readonly misplaced: readonly string[];
  readonly isImpossible: boolean;
  /** Title of the article that the context is of, where the data say. */
  readonly article?: string;
  /** For messages, such as "train.json, question 57". */
  readonly place: string;
}

/**
 * The questions of a table: of SQuAD's and MRQA's files, of data sets of that form as rows (`answers` an object with the
 * lists `text` and `answer_start`), or of a plain table with the columns question, context, answer and, where it is known,
 * answer_start. An empty answer says that there is none.
 * @throws DataError naming the place of a row without a question or a context
 */
export function questionsOf(table: Table, given: Columns): Question[] {
  const names = chooseColumns(table, given);
  return table.rows.map((row, index) => {
    const context = filled(row, names.context, 'context');
    const { answers, references } = answersOf(row, names);
    const placed = answers.map((answer) => placeOf(answer, context));
    return {
      id: (names.id === undefined ? undefined : cellText(row, names.id)) ?? String(index + 1),
      question: filled(row, names.question, 'question'),
      context,
      references,
      answers: placed.filter((found): found is PlacedAnswer => typeof found !== 'string'),
      misplaced: placed.filter((found) => typeof found === 'string'),
      isImpossible: references.length === 0,
      ...articleOf(row),
      place: row.place,
    };
  });
}

/** SQuAD's files, and its data sets as rows, have the title of the article. */
function articleOf({ values: { title } }: TableRow): Pick<Question, 'article'> {
  return typeof title === 'string' && title !== '' ? { article: title } : {};
}

type Chosen = { readonly question: string; readonly context: string; readonly answer: string } & Partial<
  Record<'answerStart' | 'id', string>
>;

function chooseColumns(table: Table, given: Columns): Chosen {
  const { source, columns } = table;
  const chosen: Record<string, string> = {};
  for (const role of ROLES) {
    const name = given[role] ?? USUAL[role].find((usual) => columns.includes(usual));
    const isNeeded = role !== 'id' && role !== 'answerStart';
    if (name === undefined && isNeeded) {
      throw new DataError(`${source} has no column called ${USUAL[role][0]} ${describeColumns(columns)}`, {
        subject: source,
        found: columns,
        expected: `a column of ${role}s`,
        advice: `Say which it is by ${settingName('columns')}, for instance ${role}=${columns[0] ?? 'NAME'}`,
      });
    }
    if (name === undefined) continue;
    if (isNeeded || given[role] !== undefined) requireColumn(table, name, role);
    chosen[role] = name;
  }
  return chosen as unknown as Chosen;
}

function filled(row: TableRow, column: string, role: string): string {
  const text = cellText(row, column);
  if (text !== undefined && text.trim() !== '') return text;
  throw new DataError(`${row.place} has no ${role}: column "${column}" is empty`, {
    subject: row.place,
    expected: `a ${role} in column "${column}"`,
    advice: `Fill it in or remove the row; if another column is meant, say so by ${settingName('columns')}`,
  });
}

/** The answers of a row, and what an answer is compared with. */
function answersOf(row: TableRow, names: Chosen): { answers: FileAnswer[]; references: string[] } {
  const value = row.values[names.answer];
  const answers =
    Array.isArray(value) || (typeof value === 'object' && value !== null) ? listed(value, row) : single(row, names);
  const own = row.values.references;
  const references = Array.isArray(own) && own.length > 0 ? own.map(String) : answers.map(({ text }) => text);
  return { answers, references };
}

function single(row: TableRow, { answer, answerStart }: Chosen): FileAnswer[] {
  const text = cellText(row, answer);
  if (text === undefined || text === '') return [];
  const start = answerStart === undefined ? undefined : cellText(row, answerStart);
  if (start === undefined || start.trim() === '') return [{ text }];
  const number = Number(start);
  if (Number.isInteger(number) && number >= 0) return [{ text, answer_start: number }];
  throw new DataError(`${row.place} has ${JSON.stringify(start)} in column "${answerStart}"`, {
    subject: row.place,
    found: start,
    expected: 'the offset of the answer in its context: a whole number from 0',
    advice: 'Mend the row, or leave the offset empty: the answer is looked for in the context then',
  });
}

/** A list of answers, or an object of lists, as Hugging Face's data sets have it. */
function listed(value: object, row: TableRow): FileAnswer[] {
  const list = Array.isArray(value) ? value : transposed(value as Record<string, unknown>);
  return list.map((entry) => {
    if (typeof entry === 'string') return { text: entry };
    const { text, answer_start: start } = (entry ?? {}) as Record<string, unknown>;
    if (typeof text === 'string') {
      return { text, ...(start !== undefined && start !== null && { answer_start: Number(start) }) };
    }
    throw new DataError(`${row.place} has an answer without a text: ${JSON.stringify(entry)?.slice(0, 80)}`, {
      subject: row.place,
      expected: 'answers such as {"text": "…", "answer_start": 0}',
      advice: 'Mend the row or remove it',
    });
  });
}

function transposed({ text, answer_start: starts }: Record<string, unknown>): unknown[] {
  if (!Array.isArray(text)) return [{ text, answer_start: starts }];
  return text.map((each, i) => ({ text: each, answer_start: Array.isArray(starts) ? starts[i] : undefined }));
}

/** Where an answer stands; or what stands there instead, in words. */
function placeOf({ text, answer_start: start }: FileAnswer, context: string): PlacedAnswer | string {
  if (start === undefined) {
    const at = text === '' ? -1 : context.indexOf(text);
    return at < 0 ? `${JSON.stringify(text)}, which is not in the context` : { start: at, end: at + text.length };
  }
  // Files count code points; a table that was made in JavaScript or Java counts UTF-16 units.
  const at = [utf16Offset(context, start), start].find((offset) => context.startsWith(text, offset));
  if (at !== undefined && text !== '') return { start: at, end: at + text.length };
  const offset = utf16Offset(context, start);
  const found = context.slice(offset, offset + Math.max(1, text.length));
  return `${JSON.stringify(text)} at ${start}, where ${JSON.stringify(found)} stands`;
}

/** The UTF-16 unit at which a code point begins. */
function utf16Offset(text: string, codePoints: number): number {
  let units = 0;
  for (let left = codePoints; left > 0 && units < text.length; left--)
    units += text.codePointAt(units)! > 0xffff ? 2 : 1;
  return units;
}

/**
 * Questions that can be learned from: those without an answer, and those whose first answer stands at its place.
 * @param misplaced  what becomes of the others
 * @throws DataError listing the others, where they are not to be left out
 */
export function learnableQuestions(
  questions: readonly Question[],
  source: string,
  misplaced: 'refuse' | 'leaveOut',
): { questions: Question[]; leftOut: number } {
  const isMisplaced = ({ isImpossible, answers }: Question) => !isImpossible && answers.length === 0;
  const wrong = questions.filter(isMisplaced);
  if (wrong.length === 0 || misplaced === 'leaveOut') {
    return { questions: questions.filter((each) => !isMisplaced(each)), leftOut: wrong.length };
  }
  const shown = wrong.map((each) => `${each.place}: ${each.misplaced[0] ?? 'no answer is given'}`);
  throw new DataError(
    `${wrong.length} of ${questions.length} questions of ${source} have answers that do not stand at their offset: ${joinFirst(shown, 5, '; ')}`,
    {
      subject: source,
      found: wrong.map(({ id }) => id),
      expected: 'the text of an answer at its offset in the context, counted in code points',
      advice: `Mend the offsets, or train without these questions: ${settingWith('misplacedAnswers', 'leaveOut')}`,
    },
  );
}
