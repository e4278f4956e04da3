/** What `pleiad ask` works on: questions, and the documents in which their answers are looked for. */
import { text as readStream } from 'node:stream/consumers';
import { readTable, tableFormat } from '../data/tables/readTable.node.js';
import { cellText, requireColumn, type Table } from '../data/tables/table.js';
import { DataError, SettingsError } from '../errors/errors.js';
import type { QuestionInput } from '../pipelines/answers.js';
import { columnsOf } from './columnsOption.js';
import type { OptionDefinition, OptionLists, OptionValues } from './command.js';
import { formatOfTable, type ResultFormat, tableOfTexts } from './resultTable.js';
import { readTextFile } from './textFile.js';
import { refuseMistakenText, statOf } from './textMistakes.js';

export const ASKED_OPTIONS: readonly OptionDefinition[] = [
  { flags: '--context <text>', description: 'the text in which answers are looked for, of any length' },
  {
    flags: '--file <paths...>',
    description:
      'the same from files, which may be gzipped; answers in several are ranked together. Put it behind the question.',
  },
  {
    flags: '--questions <path>',
    description:
      'a file of questions: one a line, or a CSV, TSV, JSON or Parquet table with a column question, and context where each has its own',
  },
  {
    flags: '--text <text>',
    description: 'the question, for one that is also the name of a file or begins with a dash',
  },
  {
    flags: '--columns <role=name,…>',
    description:
      'which columns of that table are read, such as question=Frage,context=Absatz. Default: question and context.',
  },
];

/** The texts that every question is asked about. */
export interface Documents {
  readonly texts: readonly string[];
  /** Names of files. */
  readonly names?: readonly string[];
}

/** Many questions, with the rows that they came in. */
export interface ManyQuestions {
  readonly table: Table;
  readonly questions: readonly string[];
  /** Of a table whose rows have contexts of their own. */
  readonly contexts?: readonly string[];
  /** Of a table, its own. */
  readonly format?: ResultFormat;
}

/** What can be said of the documents before they are read. @throws SettingsError when they are given twice, or a question as a file */
export function checkDocuments({ context, questions }: OptionValues, { file }: OptionLists): void {
  if (context !== undefined && file !== undefined) {
    throw new SettingsError(['--context and --file are both given; give one']);
  }
  const isTable = typeof questions === 'string' && tableFormat(questions) !== undefined;
  if (context === undefined && file === undefined && !isTable) {
    throw new SettingsError(['--context is missing; expected a text in quotes, or --file with names of files']);
  }
  const last = file?.at(-1);
  if (last !== undefined && /\S\s+\S/.test(last) && !statOf(last)) {
    throw new SettingsError([
      `--file has ${JSON.stringify(last)}, which is no file here; a question goes before --file: pleiad ask ${JSON.stringify(last)} --file ${file!.slice(0, -1).join(' ') || 'FILE'}`,
    ]);
  }
}

export async function readDocuments({ context }: OptionValues, { file }: OptionLists): Promise<Documents | undefined> {
  if (typeof context === 'string') return { texts: [context] };
  if (!file) return undefined;
  return { texts: await Promise.all(file.map((path) => readTextFile('--file', path))), names: file };
}

/** The question of the command line. @throws SettingsError when it is given twice, or is several words */
export function givenQuestion(words: readonly string[], { text, questions }: OptionValues): string | undefined {
  const given = [
    ...(words.length > 0 ? ['a question'] : []),
    ...(text === undefined ? [] : ['--text']),
    ...(questions === undefined ? [] : ['--questions']),
  ];
  if (given.length > 1) throw new SettingsError([`${given.join(' and ')} are given; give one`]);
  refuseMistakenText(words, undefined, process.argv.slice(2), '--questions');
  return typeof text === 'string' ? text : words[0];
}

/** Questions from a file, or from standard input, one a line. */
export async function readQuestions({ questions, columns }: OptionValues): Promise<ManyQuestions> {
  const path = typeof questions === 'string' ? questions : undefined;
  if (path !== undefined && tableFormat(path) !== undefined) return questionsOfTable(path, columns);
  if (columns !== undefined) {
    throw new SettingsError([
      '--columns is given without a table; give one by --questions, with the ending of its format',
    ]);
  }
  const text = path === undefined ? await readStream(process.stdin) : await readTextFile('--questions', path);
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const source = path ?? 'standard input';
  if (lines.length > 0) return { questions: lines, table: tableOfTexts('question', lines, source) };
  throw new DataError(`${path === undefined ? source : `--questions ${path}`} has no question`, {
    subject: source,
    expected: 'one question a line',
    advice: 'Give a question in quotes, or a file of them by --questions',
  });
}

async function questionsOfTable(path: string, columns: OptionValues[string]): Promise<ManyQuestions> {
  const given = columnsOf(columns, ['question', 'context']);
  const table = await readTable(path, { wanted: Object.values(given) });
  const { question = 'question', context = 'context' } = given;
  requireColumn(table, question, 'question');
  const hasContexts = given.context !== undefined || table.columns.includes(context);
  if (hasContexts) requireColumn(table, context, 'context');
  const cellsOf = (name: string) =>
    table.rows.map((row) => {
      const cell = cellText(row, name);
      if (cell !== undefined && cell.trim() !== '') return cell;
      throw new DataError(`${row.place} has no text in column "${name}"`, {
        subject: row.place,
        expected: 'text',
        advice: 'Fill it, or leave the row out',
      });
    });
  const contexts = hasContexts ? { contexts: cellsOf(context) } : {};
  return { table, questions: cellsOf(question), format: formatOfTable(path), ...contexts };
}

/** @throws SettingsError when questions have contexts of their own and documents are given, too, or neither */
export function questionInputs(
  { questions, contexts }: ManyQuestions,
  documents: Documents | undefined,
): QuestionInput[] {
  if (contexts && documents) {
    throw new SettingsError([
      'the table has a column of contexts, and --context or --file gives others; leave one out',
    ]);
  }
  if (!contexts && !documents) {
    throw new SettingsError(['--context is missing, and the table has no column context; give one of them, or --file']);
  }
  return questions.map((question, i) => ({ question, context: contexts ? contexts[i] : contextOf(documents!) }));
}

/** One text by itself, or all of several. */
export function contextOf({ texts }: Documents): string | readonly string[] {
  return texts.length === 1 ? texts[0] : texts;
}
